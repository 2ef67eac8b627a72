#include <dlwatch/gtest.h>

#include "bank.h"

static const bool dlwatch_tells_tests = dlwatch::tell_googletest();

TEST(Bank, Pays)
{
    transfer(mine, yours);
}

TEST(Bank, Gets)
{
    transfer(yours, mine);
}
