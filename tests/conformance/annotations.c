// quiet
/* What dlwatch.h says changes nothing, whether somebody listens or not: also where it is nonsense.
 */
#include "custom.h"
#include "tell.h"

#include <signal.h>

static struct custom a, b;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int shared;

/* Says it, and what that did to errno. */
#define SAY(call)                                                                                  \
    do {                                                                                           \
        errno = UNTOUCHED;                                                                         \
        call;                                                                                      \
        tell(#call, 0, errno);                                                                     \
    } while (0)

static void add(void)
{
    for (int i = 0; i < 10000; i++) {
        OWN(a);
        shared++;
        OWN(b);
        DISOWN(b);
        DISOWN(a);
    }
}

static void on_signal(int signal)
{
    (void)signal;
    OWN(b);
    shared++;
    DISOWN(b);
}

int main(void)
{
    char name[] = "a lock";
    pthread_t t[4];

    SAY(dlwatch_name(&a, name));
    SAY(dlwatch_name(&a, NULL));
    SAY(dlwatch_name(NULL, ""));
    SAY(dlwatch_class(&a, "counter", 1));
    SAY(dlwatch_class(&b, NULL, -1));
    SAY(dlwatch_intended(&a, &b));
    SAY(dlwatch_intended(&a, NULL));
    SAY(dlwatch_intended_classes("counter", NULL));
    SAY(dlwatch_intended_classes("counter", "counter"));
    SAY(dlwatch_created(&b));
    SAY(dlwatch_gave_up(&b));
    SAY(dlwatch_released(&b));
    SAY(dlwatch_handed_over(&b));
    SAY(dlwatch_forget(&b));
    SAY(dlwatch_acquired(NULL, 0));
    SAY(dlwatch_released(NULL));
    SAY(dlwatch_happens_after(&b));
    SAY(dlwatch_happens_before(&b));
    SAY(dlwatch_happens_after(&b));
    SAY(dlwatch_wants(&b, DLWATCH_TIMED));
    TELL(pthread_mutex_lock(&mutex));
    TELL(pthread_mutex_unlock(&mutex));
    SAY(dlwatch_gave_up(&b));
    SAY(dlwatch_acquired(&b, 0x7fffffff));
    SAY(dlwatch_released(&b));
    SAY(dlwatch_destroyed(&b));
    SAY(dlwatch_destroyed(&b));
    SAY(dlwatch_name(&mutex, "the mutex"));
    TELL(pthread_mutex_destroy(&mutex));
    for (int i = 0; i < 4; i++)
        t[i] = spawn("add", add);
    for (int i = 0; i < 4; i++)
        JOIN(t[i]);
    say("%d", shared);
    signal(SIGUSR1, on_signal);
    dlwatch_wants(&a, DLWATCH_EXCLUSIVE);
    TELL(raise(SIGUSR1));
    dlwatch_gave_up(&a);
    TELL(raise(SIGUSR1));
    say("%d", shared);
    return 0;
}
