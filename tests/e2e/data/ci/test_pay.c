#include "locks.h"

int main(void)
{
    run_in_thread(pay);
    return 0;
}
