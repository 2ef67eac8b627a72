/*
 * Catch2 (2 and 3): a finding names the test case that ran. In one source of the test program,
 * after Catch2's own header (of version 2 the one with CATCH_CONFIG_MAIN or CATCH_CONFIG_RUNNER):
 *
 *     #include <catch2/catch.hpp>                // or catch2/catch_all.hpp
 *     #include <dlwatch/catch2.h>
 *
 * Without the library it costs a load and a branch a test.
 */
#ifndef DLWATCH_CATCH2_H
#define DLWATCH_CATCH2_H

#include <dlwatch.h>

#if defined(CATCH_VERSION_MAJOR) && CATCH_VERSION_MAJOR < 3
namespace dlwatch
{
using Catch2Base = Catch::TestEventListenerBase;
}
#else
#include <catch2/catch_test_case_info.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
namespace dlwatch
{
using Catch2Base = Catch::EventListenerBase;
}
#endif

namespace dlwatch
{

class Catch2Listener : public Catch2Base
{
  public:
    using Catch2Base::Catch2Base;
    void testCaseStarting(Catch::TestCaseInfo const &test) override
    {
        Catch2Base::testCaseStarting(test);
        dlwatch_scope(test.name.c_str());
    }
    void testCaseEnded(Catch::TestCaseStats const &stats) override
    {
        dlwatch_scope(nullptr);
        Catch2Base::testCaseEnded(stats);
    }
};
CATCH_REGISTER_LISTENER(Catch2Listener)

} // namespace dlwatch

#endif
