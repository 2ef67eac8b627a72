#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
#include <dlwatch/catch2.h>

#include "bank.h"

TEST_CASE("Bank pays")
{
    transfer(mine, yours);
}

TEST_CASE("Bank gets")
{
    transfer(yours, mine);
}
