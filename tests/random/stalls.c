/* Threads that all wait for what nobody is left to do, and the same where somebody is. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

enum { MOST_WAITERS = 4 };

/* How a thread waits for good; what findings.jq calls that. */
static const char *say_wait(struct program *p, struct role *role)
{
    const char *name;
    switch (pick(p, 3)) {
    case 0:
        name = new_name(p, "never");
        text_put(&p->globals,
                 "static pthread_mutex_t %s_mutex = PTHREAD_MUTEX_INITIALIZER;\n"
                 "static pthread_cond_t %s = PTHREAD_COND_INITIALIZER;\n",
                 name, name);
        say(role, "LOCK(%s_mutex);", name);
        say(role, "for (;;)\n        pthread_cond_wait(&%s, &%s_mutex);", name, name);
        return keep("%s condition condition %s @%s", role->name, name, role->function);
    case 1:
        name = new_name(p, "never");
        text_put(&p->globals, "static sem_t %s;\n", name);
        text_put(&p->setup, "    sem_init(&%s, 0, 0);\n", name);
        say(role, "sem_wait(&%s);", name);
        return keep("%s semaphore semaphore %s @%s", role->name, name, role->function);
    default:
        name = new_name(p, "short");
        text_put(&p->globals, "static pthread_barrier_t %s;\n", name);
        text_put(&p->setup, "    pthread_barrier_init(&%s, NULL, %d);\n", name, MOST_WAITERS + 2);
        say(role, "pthread_barrier_wait(&%s);", name);
        return keep("%s barrier barrier %s @%s", role->name, name, role->function);
    }
}

/* They wait for different things; main joins the first. */
void scene_stall(struct program *p)
{
    const char *threads[MOST_WAITERS + 1];
    int n = 1 + pick(p, MOST_WAITERS);
    say(&p->main, "signal(SIGUSR1, SIG_DFL);");
    struct role *first = NULL;
    for (int i = 0; i < n; i++) {
        struct role *role = new_role(p);
        first = first ? first : role;
        threads[i] = say_wait(p, role);
        say_spawn(&p->main, role);
    }
    threads[n] = keep("main join thread @%s", p->main.function);
    say_join(&p->main, first);
    expect(p, "stall error certain: %s", threads_of(threads, n + 1));
}

/* One thread has all units of a pool, and wants another. */
void scene_pool_used_up(struct program *p)
{
    int units = 1 + pick(p, 3);
    struct lock pool = new_pool(p, units);
    struct role *role = new_role(p);
    say(&p->main, "signal(SIGUSR1, SIG_DFL);");
    for (int i = 0; i <= units; i++)
        say(role, "MUST(%s);", take(&pool, EXCLUSIVE, BLOCK));
    say_spawn(&p->main, role);
    say_join(&p->main, role);
    expect(p, "deadlock error certain: %s holds %s @%s, wants %s @%s", role->name,
           seen(&pool, EXCLUSIVE), role->function, seen(&pool, EXCLUSIVE), role->function);
}

/* The waiter has what the one needs who would wake it. */
void scene_stall_half(struct program *p)
{
    struct lock lock = new_lock(p, chance(p, 50) ? NORMAL : any_kind(p));
    if (lock.kind == SPIN || lock.kind == SEMAPHORE || lock.kind == PROTECT)
        lock = new_lock(p, NORMAL);
    struct role *waiter = new_role(p), *waker = new_role(p);
    const char *event = new_name(p, "event"), *threads[3];
    text_put(&p->globals, "static sem_t %s;\n", event);
    text_put(&p->setup, "    sem_init(&%s, 0, 0);\n", event);
    say(&p->main, "signal(SIGUSR1, SIG_DFL);");
    say(waiter, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(waiter, "step();");
    say(waiter, "sem_wait(&%s);", event);
    say(waiter, "%s", drop(&lock));
    say(waker, "await(%d);", p->turn + 1);
    say(waker, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(waker, "sem_post(&%s);", event);
    say(waker, "%s", drop(&lock));
    p->turn++;
    say_spawn(&p->main, waiter);
    say_spawn(&p->main, waker);
    say_join(&p->main, waiter);
    say_join(&p->main, waker);
    threads[0] = keep("main join thread @%s", p->main.function);
    threads[1] = keep("%s semaphore semaphore %s @%s, holds %s @%s", waiter->name, event,
                      waiter->function, seen(&lock, EXCLUSIVE), waiter->function);
    threads[2] = keep("%s lock %s @%s", waker->name, seen_as_wanted(&lock), waker->function);
    expect(p, "stall error certain: %s", threads_of(threads, 3));
}

/* One thread of many hands each its turn, in any order: all end. */
void scene_woken(struct program *p)
{
    int n = 1 + pick(p, MOST_WAITERS);
    const char *name = new_name(p, "turn");
    struct role *waker = chance(p, 50) ? &p->main : new_role(p), *waiters[MOST_WAITERS];
    bool is_event = chance(p, 50);
    text_put(&p->globals,
             "static pthread_mutex_t %s_mutex = PTHREAD_MUTEX_INITIALIZER;\n"
             "static pthread_cond_t %s_cond = PTHREAD_COND_INITIALIZER;\n"
             "static sem_t %s_event;\nstatic int %s;\n",
             name, name, name, name);
    text_put(&p->setup, "    sem_init(&%s_event, 0, 0);\n", name);
    for (int i = 0; i < n; i++) {
        waiters[i] = new_role(p);
        say_spawn(&p->main, waiters[i]);
        if (is_event) {
            say(waiters[i], "MUST(sem_wait(&%s_event));", name);
        } else {
            say(waiters[i], "LOCK(%s_mutex);", name);
            say(waiters[i], "while (!%s)\n        pthread_cond_wait(&%s_cond, &%s_mutex);", name,
                name, name);
            say(waiters[i], "UNLOCK(%s_mutex);", name);
        }
    }
    if (waker != &p->main)
        say_spawn(&p->main, waker);
    if (is_event) {
        for (int i = 0; i < n; i++)
            say(waker, "sem_post(&%s_event);", name);
    } else {
        say(waker, "LOCK(%s_mutex);", name);
        say(waker, "%s = 1;", name);
        say(waker, "pthread_cond_broadcast(&%s_cond);", name);
        say(waker, "UNLOCK(%s_mutex);", name);
    }
    for (int i = 0; i < n; i++)
        say_join(&p->main, waiters[i]);
    if (waker != &p->main)
        say_join(&p->main, waker);
}
