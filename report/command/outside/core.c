#include "report/command/outside/core.h"
bool dlw_core_read(struct dlw_target *target, uint64_t address, void *out, size_t size)
{
    (void)target;
    (void)address;
    (void)out;
    (void)size;
    return false;
}
void dlw_core_close(struct dlw_target *target)
{
    (void)target;
}
