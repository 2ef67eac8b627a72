/* Futex waits that come as system calls. */
#ifndef DLW_WRAP_FUTEX_H
#define DLW_WRAP_FUTEX_H

#include "interpose/base/platform.h"

/* syscall(SYS_futex, a[0], …): its result and errno. */
long dlw_futex_call(const long a[6], struct dlw_call call);

#endif
