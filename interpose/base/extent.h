/* How far a module reaches. */
#ifndef DLW_BASE_EXTENT_H
#define DLW_BASE_EXTENT_H

#include "interpose/base/objects.h"

/*
 * The loader describes what it has mapped in one piece. A program, which the kernel maps, has gaps
 * between its segments where pages may be larger than those at hand (aarch64: 64 KiB); then each
 * part is described alone. Makes it the whole of the program; what is in one piece stays as it is.
 */
void dlw_object_extend(struct dl_find_object *object);

#endif
