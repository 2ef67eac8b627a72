/* The guards of static initialisation. */
#ifndef DLW_WRAP_STATIC_GUARD_H
#define DLW_WRAP_STATIC_GUARD_H

/* Once, in the constructor: looks up the functions of the program's C++ library, if it has one. */
void dlw_guard_start(void);

#endif
