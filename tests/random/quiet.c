/* What correct programs do: nothing of it may be told. */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

enum { MOST_THREADS = 4, MOST_LOCKS = 8 };

/* All threads take some locks, always in the order of their numbers, and give them back anyhow. */
void scene_hierarchy(struct program *p)
{
    struct lock locks[MOST_LOCKS];
    struct role *roles[MOST_THREADS];
    int n_locks = 2 + pick(p, MOST_LOCKS - 1), n = 2 + pick(p, MOST_THREADS - 1);
    for (int i = 0; i < n_locks; i++) {
        locks[i] = new_lock(p, any_kind(p));
        if (locks[i].kind == PROTECT)
            locks[i] = new_lock(p, NORMAL);
    }
    for (int t = 0; t < n; t++) {
        roles[t] = new_role(p);
        say_spawn(&p->main, roles[t]);
        for (int round = pick(p, 3); round >= 0; round--) {
            int held[MOST_LOCKS], n_held = 0;
            for (int i = 0; i < n_locks; i++) {
                if (!chance(p, 50))
                    continue;
                enum mode mode = is_rwlock(&locks[i]) && chance(p, 50) ? SHARED_MODE : EXCLUSIVE;
                say(roles[t], "MUST(%s);", take(&locks[i], mode, BLOCK));
                held[n_held++] = i;
            }
            if (chance(p, 50))
                shuffle(p, held, n_held);
            while (n_held > 0)
                say(roles[t], "%s", drop(&locks[held[--n_held]]));
        }
    }
    for (int t = 0; t < n; t++)
        say_join(&p->main, roles[t]);
}

/* Orders both ways, where whoever goes against the rule only tries, and steps back. */
void scene_back_off(struct program *p)
{
    struct lock a = new_lock(p, NORMAL), b = new_lock(p, any_kind(p));
    struct role *with = new_role(p), *against = new_role(p);
    if (b.kind == PROTECT)
        b = new_lock(p, ERRORCHECK);
    say(with, "MUST(%s);", take(&a, EXCLUSIVE, BLOCK));
    say(with, "MUST(%s);", take(&b, EXCLUSIVE, BLOCK));
    say(with, "%s\n    %s", drop(&b), drop(&a));
    say(against, "for (int done = 0; !done; sched_yield()) {");
    say(against, "    MUST(%s);", take(&b, EXCLUSIVE, BLOCK));
    say(against, "    if (%s == 0) {\n            done = 1;\n            %s\n        }",
        take(&a, EXCLUSIVE, TRY), drop(&a));
    say(against, "    %s\n    }", drop(&b));
    say_spawn(&p->main, with);
    say_spawn(&p->main, against);
    say_join(&p->main, with);
    say_join(&p->main, against);
}

/* Jobs that each take some units of a pool, and a lock either inside or outside of it. */
void scene_pool(struct program *p)
{
    int n = 2 + pick(p, MOST_THREADS - 1), units = n + pick(p, 3);
    struct lock pool = new_pool(p, units), lock = new_lock(p, NORMAL);
    struct role *roles[MOST_THREADS];
    for (int i = 0; i < n; i++) {
        bool is_inside = chance(p, 50);
        roles[i] = new_role(p);
        say_spawn(&p->main, roles[i]);
        say(roles[i], "for (int i = 0; i < 5; i++) {");
        if (!is_inside)
            say(roles[i], "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
        say(roles[i], "MUST(%s);", take(&pool, EXCLUSIVE, BLOCK));
        if (is_inside)
            say(roles[i], "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
        say(roles[i], "%s", drop(is_inside ? &lock : &pool));
        say(roles[i], "%s\n    }", drop(is_inside ? &pool : &lock));
    }
    for (int i = 0; i < n; i++)
        say_join(&p->main, roles[i]);
}

/* A semaphore that one thread takes and another posts is a signal: an order over it is none. */
void scene_handed_over(struct program *p)
{
    struct lock baton = new_lock(p, SEMAPHORE), lock = new_lock(p, NORMAL);
    struct role *taker = new_role(p), *poster = new_role(p), *other = new_role(p);
    say(taker, "MUST(%s);", take(&baton, EXCLUSIVE, BLOCK));
    say(taker, "step();");
    say(poster, "await(%d);", p->turn + 1);
    say(poster, "%s", drop(&baton));
    say(poster, "step();");
    say(poster, "await(%d);", p->turn + 2);
    say(poster, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(poster, "MUST(%s);", take(&baton, EXCLUSIVE, BLOCK));
    say(poster, "%s\n    %s\n    step();", drop(&baton), drop(&lock));
    say(other, "await(%d);", p->turn + 3);
    say(other, "MUST(%s);", take(&baton, EXCLUSIVE, BLOCK));
    say(other, "MUST(%s);", take(&lock, EXCLUSIVE, BLOCK));
    say(other, "%s\n    %s", drop(&lock), drop(&baton));
    p->turn += 3;
    say_spawn(&p->main, taker);
    say_spawn(&p->main, poster);
    say_spawn(&p->main, other);
    say_join(&p->main, taker);
    say_join(&p->main, poster);
    say_join(&p->main, other);
}

/* Consumers and producers over a ring of slots: a mutex and two conditions. */
void scene_queue(struct program *p)
{
    const char *q = new_name(p, "queue");
    int n = 1 + pick(p, MOST_THREADS), slots = 1 + pick(p, 3);
    bool is_counted = chance(p, 40); /* by semaphores */
    struct role *roles[2 * MOST_THREADS];
    text_put(&p->globals,
             "static pthread_mutex_t %s_mutex = PTHREAD_MUTEX_INITIALIZER;\n"
             "static pthread_cond_t %s_more = PTHREAD_COND_INITIALIZER;\n"
             "static pthread_cond_t %s_less = PTHREAD_COND_INITIALIZER;\n"
             "static sem_t %s_free, %s_full;\nstatic int %s;\n",
             q, q, q, q, q, q);
    text_put(&p->setup, "    sem_init(&%s_free, 0, %d);\n    sem_init(&%s_full, 0, 0);\n", q, slots,
             q);
    for (int i = 0; i < 2 * n; i++) {
        bool puts = i < n;
        roles[i] = new_role(p);
        say_spawn(&p->main, roles[i]);
        say(roles[i], "for (int i = 0; i < 10; i++) {");
        if (is_counted)
            say(roles[i], "    MUST(sem_wait(&%s_%s));", q, puts ? "free" : "full");
        say(roles[i], "    LOCK(%s_mutex);", q);
        if (!is_counted)
            say(roles[i], "    while (%s %s %d)\n            pthread_cond_wait(&%s_%s, &%s_mutex);",
                q, puts ? "==" : "<=", puts ? slots : 0, q, puts ? "less" : "more", q);
        say(roles[i], "    %s%s;", q, puts ? "++" : "--");
        if (!is_counted)
            say(roles[i], "    pthread_cond_signal(&%s_%s);", q, puts ? "more" : "less");
        say(roles[i], "    UNLOCK(%s_mutex);", q);
        if (is_counted)
            say(roles[i], "    sem_post(&%s_%s);", q, puts ? "full" : "free");
        say(roles[i], "}");
    }
    for (int i = 0; i < 2 * n; i++)
        say_join(&p->main, roles[i]);
}

/* A process of its own holds a lock in shared memory and lets go of it. */
void scene_other_process(struct program *p)
{
    const char *name = new_name(p, "shared");
    bool is_event = chance(p, 50);
    struct role *role = chance(p, 50) ? &p->main : new_role(p);
    text_put(&p->globals, "static struct {\n    pthread_mutex_t mutex;\n    sem_t event;\n} *%s;\n",
             name);
    text_put(
        &p->setup,
        "    %s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);\n"
        "    make_mutex(&%s->mutex, PTHREAD_MUTEX_NORMAL, 0, 0, PTHREAD_PROCESS_SHARED);\n"
        "    sem_init(&%s->event, 1, 0);\n",
        name, name, name);
    say(role, "if (fork() == 0) {");
    say(role, "    MUST(pthread_mutex_lock(&%s->mutex));", name);
    say(role, "    sem_post(&%s->event);", name);
    say(role, "    usleep(1000);");
    say(role, "    pthread_mutex_unlock(&%s->mutex);", name);
    if (is_event)
        say(role, "    sem_post(&%s->event);", name);
    say(role, "    _exit(0);");
    say(role, "}");
    say(role, "MUST(sem_wait(&%s->event));", name);
    if (is_event)
        say(role, "MUST(sem_wait(&%s->event));", name);
    say(role, "MUST(pthread_mutex_lock(&%s->mutex));", name);
    say(role, "pthread_mutex_unlock(&%s->mutex);", name);
    say(role, "wait(NULL);");
    if (role != &p->main) {
        say_spawn(&p->main, role);
        say_join(&p->main, role);
    }
}
