/*
 * GoogleTest (1.10 and later): a finding names the test that ran. In one source of the test
 * program, with gtest_main or a main of its own:
 *
 *     #include <dlwatch/gtest.h>
 *     static const bool dlwatch_tells_tests = dlwatch::tell_googletest();
 *
 * Without the library it costs a load and a branch a test.
 */
#ifndef DLWATCH_GTEST_H
#define DLWATCH_GTEST_H

#include <dlwatch.h>

#include <gtest/gtest.h>

#include <string>

namespace dlwatch
{

class GoogleTestListener : public testing::EmptyTestEventListener
{
    void OnTestStart(const testing::TestInfo &test) override
    {
        dlwatch_scope((std::string(test.test_suite_name()) + "." + test.name()).c_str());
    }
    void OnTestEnd(const testing::TestInfo &) override
    {
        dlwatch_scope(nullptr);
    }
};

/* GoogleTest owns the listener. */
inline bool tell_googletest()
{
    testing::UnitTest::GetInstance()->listeners().Append(new GoogleTestListener);
    return true;
}

} // namespace dlwatch

#endif
