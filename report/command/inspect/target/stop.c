#include "report/command/inspect/target/stop.h"

#include "report/command/inspect/target/registers.h"

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

/* What a stack is copied up to; what lies deeper is read later, from memory as it is then. */
enum { STACK_ROOM = 256 * 1024, RED_ZONE = 128 };
enum { PATIENCE_NS = 300 * 1000 * 1000, EAGER_NS = 500 * 1000, NAP_NS = 50 * 1000 };

void (*dlw_stop_hook)(uint32_t tid);

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Waits until the thread stands. It takes microseconds, unless the kernel holds it. */
static int wait_for_stop(pid_t tid, int *status)
{
    const struct timespec nap = {0, NAP_NS};
    uint64_t begin = now_ns();
    for (;;) {
        pid_t got = waitpid(tid, status, __WALL | WNOHANG);
        if (got == tid)
            return WIFSTOPPED(*status) ? 0 : ESRCH;
        if (got < 0 && errno != EINTR)
            return errno == ECHILD ? ESRCH : errno;
        uint64_t spent = now_ns() - begin;
        if (spent > PATIENCE_NS)
            return ETIMEDOUT;
        if (spent > EAGER_NS)
            nanosleep(&nap, NULL);
        else
            sched_yield();
    }
}

static void copy_stack(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    uint64_t start = thread->registers.sp - RED_ZONE;
    const struct dlw_mapping *mapping = dlw_target_mapping(target, thread->registers.sp);
    if (!mapping || start < mapping->start)
        start = thread->registers.sp;
    uint64_t size = mapping ? mapping->end - start : 4096;
    if (size > STACK_ROOM)
        size = STACK_ROOM;
    unsigned char *bytes = dlw_region_alloc(target->region, size);
    struct iovec ours = {bytes, size};
    struct iovec theirs = {(void *)(uintptr_t)start, size};
    ssize_t n = process_vm_readv((pid_t)thread->tid, &ours, 1, &theirs, 1, 0);
    if (n > 0)
        thread->stack = (struct dlw_bytes){start, (size_t)n, bytes};
}

static int copy_standing(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    uint64_t set[80];
    struct iovec all = {set, sizeof set};
    struct dlw_call call;
    if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)NT_PRSTATUS, &all))
        return errno;
    if (!dlw_registers_parse(target->machine, set, all.iov_len, &thread->registers, &call))
        return ENOTSUP;
    uint32_t instruction;
    if (dlw_registers_ask_code(target->machine, &call) &&
        dlw_target_u32(target, call.pc, &instruction))
        dlw_registers_settle(instruction, &call);
    /* aarch64 may lose the first argument: /proc told it before. */
    if (!(thread->call.is_known && thread->call.number == call.number &&
          thread->call.sp == call.sp && thread->call.pc == call.pc))
        thread->call = call;
    if (target->machine == EM_AARCH64) { /* not among the others */
        struct iovec pointer = {&thread->registers.thread_pointer, sizeof(uint64_t)};
        if (ptrace(PTRACE_GETREGSET, thread->tid, (void *)NT_ARM_TLS, &pointer))
            thread->registers.thread_pointer = 0;
    }
    copy_stack(target, thread);
    if (dlw_stop_hook)
        dlw_stop_hook(thread->tid);
    return 0;
}

/* A signal that was on its way is handed on; other stops carry none. */
static long signal_to_pass(int status)
{
    return status >> 16 == 0 ? WSTOPSIG(status) : 0;
}

int dlw_stop_and_copy(struct dlw_target *target, struct dlw_seen_thread *thread)
{
    int status = 0;
    if (ptrace(PTRACE_SEIZE, thread->tid, NULL, NULL))
        return errno;
    uint64_t begin = now_ns();
    int error = ptrace(PTRACE_INTERRUPT, thread->tid, NULL, NULL) ? errno : 0;
    if (!error)
        error = wait_for_stop((pid_t)thread->tid, &status);
    /* One that never stopped can't be let go by us; the kernel does it when we end. */
    if (error)
        return error;
    error = copy_standing(target, thread);
    ptrace(PTRACE_DETACH, thread->tid, NULL, signal_to_pass(status));
    double seconds = (double)(now_ns() - begin) / 1e9;
    if (seconds > target->longest_stop)
        target->longest_stop = seconds;
    target->n_stopped++;
    return error;
}
