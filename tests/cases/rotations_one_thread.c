// One thread takes groups of locks in every rotation: no search for a real cycle is needed.
#include "rotations.h"

int main(void)
{
    name_main();
    make_locks();
    rotate_all();
    return 0;
}
