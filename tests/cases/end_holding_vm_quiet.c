// A Java VM's own thread ends with the lock in hand that keeps all others from running on.
#include "case.h"
#include <dlfcn.h>

int main(void)
{
    void *vm = dlopen("libjvm.so", RTLD_NOW);
    void (*end_holding)(const char *) = (void (*)(const char *))dlsym(vm, "end_holding");
    int (*is_taken)(void) = (int (*)(void))dlsym(vm, "is_taken");

    end_holding("VM Thread");
    printf("taken: %d\n", is_taken());
    return 0;
}
