#include "interpose/wrap/libs/libs.h"

static struct dlw_patched_library *const all[] = {
    &dlw_glib,    &dlw_gmodule,         &dlw_libgomp,        &dlw_libomp,
    &dlw_libiomp, &dlw_libgomp_regions, &dlw_libomp_regions, &dlw_libiomp_regions};
_Static_assert(sizeof(all) / sizeof(all[0]) <= DLW_PATCHED_LIBRARIES, "room in base/patch.c");

void dlw_libs_start(void)
{
    dlw_patch_start(all, sizeof(all) / sizeof(all[0]));
}
