// Any other thread of a Java VM that ends with a lock in hand is told.
#include "case.h"
#include <dlfcn.h>

int main(void)
{
    void *vm = dlopen("libjvm.so", RTLD_NOW);
    void (*end_holding)(const char *) = (void (*)(const char *))dlsym(vm, "end_holding");
    int (*is_taken)(void) = (int (*)(void))dlsym(vm, "is_taken");

    end_holding("Worker");
    printf("taken: %d\n", is_taken());
    return 0;
}
