/*
 * What the modules behind this one define under a name, in the version that programs are linked
 * with today: as dlsym(RTLD_NEXT), which before glibc 2.34 allocates, in the program's name.
 */
#ifndef DLW_BASE_SYMBOLS_H
#define DLW_BASE_SYMBOLS_H

#include "interpose/base/objects.h"

#if DLW_OWN_OBJECTS
/* NULL: none does. At start: it reads the modules in place. */
void *dlw_symbol_next(const char *name);
#endif

#endif
