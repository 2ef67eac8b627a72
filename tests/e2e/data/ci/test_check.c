#include "locks.h"

int main(void)
{
    run_in_thread(check);
    return 0;
}
