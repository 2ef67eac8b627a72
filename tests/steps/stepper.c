/*
 * stepper [--every=N] [--from=K] [--jumps] [--preload=LIBRARY] PROGRAM ARGUMENT…
 *
 * Runs the program, steps through what lies between its marks instruction by instruction, and
 * delivers SIGUSR1 before each (or each Nth, from the Kth on), as a signal that comes at that very
 * moment. The program marks with SIGTRAP, sent to itself: the beginning, the end, and the end of
 * its handler. Where the signal is blocked none is sent. With --jumps the handler never ends: the
 * Kth passage is interrupted once, before its (K * N)th instruction.
 *
 * Ends as the program does; says on stderr how many instructions there were, and at how many the
 * signal came.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)

static pid_t program;
static unsigned long every = 1, from, steps, delivered, blocked, passage;
static bool jumps;

static void fail(const char *what)
{
    fprintf(stderr, "stepper: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void end_as(int status)
{
    fprintf(stderr, "%lu instructions, the signal at %lu, blocked at %lu\n", steps, delivered,
            blocked);
    if (WIFSIGNALED(status))
        fprintf(stderr, "stepper: ended by signal %d\n", WTERMSIG(status));
    exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* Until the program stops next: the signal that it is stopped by. */
static int resume(int request, int number)
{
    int status;

    if (ptrace(request, program, NULL, (void *)(uintptr_t)number) < 0)
        fail("resume");
    while (waitpid(program, &status, 0) < 0)
        if (errno != EINTR)
            fail("wait");
    if (!WIFSTOPPED(status))
        end_as(status);
    return WSTOPSIG(status);
}

static bool is_mark(int number)
{
    siginfo_t info;

    return number == SIGTRAP && ptrace(PTRACE_GETSIGINFO, program, NULL, &info) == 0 &&
           info.si_code == SI_TKILL;
}

/* Other signals are the program's own. */
static void run_to_mark(int number)
{
    do
        number = resume(PTRACE_CONT, number == SIGTRAP ? 0 : number);
    while (!is_mark(number));
}

/* True at a mark. */
static bool step(void)
{
    int number = 0;

    do
        number = resume(PTRACE_SINGLESTEP, number == SIGTRAP ? 0 : number);
    while (number != SIGTRAP);
    return is_mark(number);
}

static bool is_blocked(void)
{
    uint64_t mask = 0;

    if (ptrace(PTRACE_GETSIGMASK, program, (void *)sizeof mask, &mask) < 0)
        fail("mask");
    return mask >> (SIGUSR1 - 1) & 1;
}

static struct user_regs_struct registers(void)
{
    struct user_regs_struct now;

    if (ptrace(PTRACE_GETREGS, program, NULL, &now) < 0)
        fail("registers");
    return now;
}

/* The handler runs at full speed, and out of it the program is stepped back to where it was. */
static void interrupt(void)
{
    struct user_regs_struct before = registers();
    struct user_regs_struct now;

    delivered++;
    run_to_mark(SIGUSR1);
    if (jumps)
        return;
    do {
        step();
        now = registers();
    } while (now.rip != before.rip || now.rsp != before.rsp);
}

static void interrupt_each(void)
{
    for (unsigned long i = 0; !step(); i++) {
        steps++;
        if (i < from || (i - from) % every != 0)
            continue;
        if (is_blocked())
            blocked++;
        else
            interrupt();
    }
}

/* The mark that a jump ends at is that of the next passage's beginning. */
static void interrupt_once(void)
{
    static bool are_all_tried;

    while (!are_all_tried) {
        unsigned long left = passage++ * every;
        bool at_end = false;
        while (left-- > 0 && !(at_end = step()))
            steps++;
        are_all_tried = at_end;
        if (at_end)
            return;
        if (is_blocked()) {
            blocked++;
            break;
        }
        interrupt();
    }
    run_to_mark(0);
}

static void start(char **argv, const char *library)
{
    program = fork();
    if (program == 0) {
        if (library)
            setenv("LD_PRELOAD", library, 1);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    if (program < 0 || waitpid(program, &status, 0) < 0)
        fail("start");
    if (!WIFSTOPPED(status))
        end_as(status);
    if (ptrace(PTRACE_SETOPTIONS, program, NULL, (void *)PTRACE_O_EXITKILL) < 0)
        fail("options");
}

int main(int argc, char **argv)
{
    const char *library = NULL;
    int i = 1;

    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strncmp(argv[i], "--every=", 8) == 0)
            every = strtoul(argv[i] + 8, NULL, 10);
        else if (strncmp(argv[i], "--from=", 7) == 0)
            from = strtoul(argv[i] + 7, NULL, 10);
        else if (strcmp(argv[i], "--jumps") == 0)
            jumps = true;
        else if (strncmp(argv[i], "--preload=", 10) == 0)
            library = argv[i] + 10;
        else
            return 2;
    }
    if (i >= argc || every == 0)
        return 2;
    start(argv + i, library);
    for (;;) {
        run_to_mark(0);
        if (jumps)
            interrupt_once();
        else
            interrupt_each();
    }
}

#else
int main(void)
{
    puts("stepper: not for this processor");
    return 77;
}
#endif
