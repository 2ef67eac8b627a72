/* The libraries whose locks are watched (lock.h says how to add one). */
#ifndef DLW_WRAP_LIBS_LIBS_H
#define DLW_WRAP_LIBS_LIBS_H

#include "interpose/base/patch.h"

extern struct dlw_patched_library dlw_glib, dlw_gmodule;                /* glib.c */
extern struct dlw_patched_library dlw_libgomp, dlw_libomp, dlw_libiomp; /* openmp.c */
extern struct dlw_patched_library dlw_libgomp_regions, dlw_libomp_regions,
    dlw_libiomp_regions; /* openmp_regions.c */

/* In the constructor, once all else is ready: calls may come at once. */
void dlw_libs_start(void);

#endif
