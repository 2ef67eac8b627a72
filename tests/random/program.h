/*
 * A random program in the making: the C text of its variables, roles (threads) and main function,
 * and the findings that it must give, which are known because the program was built to give them.
 *
 * A program is a row of scenes that run one after another on locks of their own. Threads take turns
 * by the counter of case.h, which orders nothing for dlwatch, so that what happens doesn't depend
 * on the machine. All choices come from the seed.
 */
#ifndef DLW_TESTS_RANDOM_PROGRAM_H
#define DLW_TESTS_RANDOM_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *chars; /* NULL: nothing yet */
    size_t length;
};

void text_put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct role {
    char name[16];     /* of the thread */
    char function[32]; /* what it runs */
    char handle[32];   /* the variable that holds its pthread_t */
    struct text body;
};

enum { MOST_ROLES = 64, MOST_EXPECTED = 16 };

struct program {
    unsigned seed;
    uint64_t random;
    struct text title;     /* the scenes' names, for people */
    struct text globals;   /* variables and prototypes */
    struct text functions; /* helpers, as they are needed */
    struct text setup;     /* of the locks; runs first in main */
    struct role main;
    struct role roles[MOST_ROLES];
    int n_roles;
    int turn; /* how often step() was called when the present scene begins */
    int n_names;
    bool is_over;   /* the last scene hangs */
    bool is_forked; /* a child of the process does it all */
    char *expected[MOST_EXPECTED];
    int n_expected;
};

/* Random choices. */
int pick(struct program *p, int n); /* 0 to n - 1 */
bool chance(struct program *p, int percent);
void shuffle(struct program *p, int *numbers, int n);

/* A formatted string that lives until the generator ends. */
const char *keep(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A name that nothing else in the program has. */
const char *new_name(struct program *p, const char *what);

/* A thread to be; main spawns it unless someone else does. */
struct role *new_role(struct program *p);
/* Adds a line to what the role does. */
void say(struct role *role, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_spawn(struct role *who, const struct role *whom);
void say_join(struct role *who, const struct role *whom);

/* Puts the call into a helper function of its own, and says the call of that. Returns the helper's
 * name. */
const char *say_in_helper(struct program *p, struct role *role, const char *call);

/* A finding that must be seen, in the words of findings.jq. */
void expect(struct program *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One entry of a cycle, and a cycle's entries from the least one on, as findings.jq has them. */
const char *cycle_of(const char **entries, int n);
/* What several threads do, in the order that findings.jq has them in. */
const char *threads_of(const char **threads, int n);

/* A scene adds its threads, locks and findings. */
typedef void scene(struct program *p);

#endif
