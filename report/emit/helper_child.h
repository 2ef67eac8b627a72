/* The two processes between a request for a helper and the command: see helper_child.c. */
#ifndef DLW_EMIT_HELPER_CHILD_H
#define DLW_EMIT_HELPER_CHILD_H

enum { DLW_HELPER_STACK = 16 * 1024 };

struct dlw_helper_launch {
    _Alignas(16) char stacks[2][DLW_HELPER_STACK];
    const char *command;
    const char *const *arguments;
    const char *const *environment;
    int input, output;
    /* Written by the children, who share this memory until the command takes over. */
    volatile int pid;   /* of the command, 0: not made */
    volatile int error; /* -errno where it could not be executed */
};

/* True: the command runs. All signals must be blocked. */
int dlw_helper_start(struct dlw_helper_launch *launch);

#endif
