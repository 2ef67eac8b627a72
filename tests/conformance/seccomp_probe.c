/* Asking whether seccomp is there confines nothing: the process stays watched. */
// finds
#include "tell.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void ask(void)
{
    unsigned action = SECCOMP_RET_ALLOW;
    char sizes[64];
    TELL(prctl(PR_GET_SECCOMP));
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
    TELL(prctl(PR_SET_SECCOMP, SECCOMP_MODE_DISABLED));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, NULL));
    TELL(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action));
    TELL(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
}

static void ab(void)
{
    LOCK(a);
    LOCK(b);
    UNLOCK(b);
    UNLOCK(a);
    step();
}

static void ba(void)
{
    await(1);
    LOCK(b);
    LOCK(a);
    UNLOCK(a);
    UNLOCK(b);
}

int main(void)
{
    ask();
    pthread_t t = spawn("ab", ab), u = spawn("ba", ba);
    JOIN(t);
    JOIN(u);
    return 0;
}
