/* What is noted of a thread's wait: who holds what it waits for, and what else there is to say. */
#include "report/command/inspect/build_parts.h"
#include "report/command/inspect/target/registers.h"

#include <string.h>

/* "with the mutex gate": the one that a condition's waiter takes again when it is woken. */
static const char *mutex_note(struct builder *builder, const struct dlw_seen_wait *wait)
{
    struct dlw_doc_lock mutex = {.kind = "mutex", .address = wait->mutex};
    if (wait->kind != DLW_WAIT_CONDITION || !wait->mutex)
        return NULL;
    dlw_builder_locate(builder, &mutex);
    return dlw_region_print(&builder->doc->region, "with %s",
                            dlw_lock_title(&builder->doc->region, &mutex));
}

/* A semaphore that is no lock of Python's. */
static bool has_units(struct builder *builder, const struct dlw_seen_wait *wait)
{
    return wait->kind == DLW_WAIT_SEMAPHORE &&
           !(wait->object && dlw_builder_lock(builder, &builder->own, wait)->sort);
}

/* "held for reading by a, b and 3 more" */
static const char *holders_note(struct builder *builder, const struct dlw_seen_wait *wait)
{
    enum { MOST = 8 };
    struct dlw_region *region = &builder->doc->region;
    const char *names = "";
    for (size_t i = 0; i < wait->n_holders && i < MOST; i++)
        names = dlw_region_print(region, "%s%s%s", names, i ? ", " : "",
                                 dlw_thread_title(region, builder->threads[wait->holders[i]]));
    if (wait->n_holders > MOST)
        names = dlw_region_print(region, "%s and %zu more", names, wait->n_holders - MOST);
    if (wait->n_holders == 1)
        names =
            dlw_region_print(region, "%s, tid %u", names, builder->threads[wait->holders[0]]->tid);
    return dlw_region_print(region, "%s %s",
                            wait->is_behind                   ? "behind"
                            : has_units(builder, wait)        ? "its units are held by"
                            : !strcmp(wait->object, "rwlock") ? "held for reading by"
                                                              : "held by",
                            names);
}

/* "which this process itself holds (descriptor 3), and so does process 12" */
static const char *file_note(struct builder *builder, const struct dlw_seen_file *file)
{
    enum { MOST = 8 };
    struct dlw_region *region = &builder->doc->region;
    const char *names = "";
    bool is_own = false;
    size_t n = 0;
    for (size_t i = 0; i < file->n_holders; i++) {
        const struct dlw_file_holder *holder = &file->holders[i];
        if (holder->pid == builder->target->pid)
            is_own = true;
        else if (n++ < MOST)
            names = dlw_region_print(region, "%s%s%u (descriptor %d)", names, *names ? ", " : "",
                                     holder->pid, holder->descriptor);
    }
    if (n > MOST)
        names = dlw_region_print(region, "%s and %zu more", names, n - MOST);
    for (size_t i = 0; is_own && i < file->n_holders; i++)
        if (file->holders[i].pid == builder->target->pid)
            return dlw_region_print(region, "this process itself has the lock (descriptor %d)%s%s",
                                    file->holders[i].descriptor, n ? ", and with it process " : "",
                                    names);
    return n ? dlw_region_print(region, "held by process%s %s", n == 1 ? "" : "es", names)
             : "no process that can be seen has the lock";
}

static const char *holder_note(struct builder *builder, const struct dlw_seen_wait *wait)
{
    if (wait->file)
        return file_note(builder, wait->file);
    struct dlw_region *region = &builder->doc->region;
    if (wait->n_holders > 1 || wait->is_behind || (wait->n_holders && !wait->holder))
        return holders_note(builder, wait);
    if (wait->kind == DLW_WAIT_JOIN && wait->is_shared)
        return dlw_region_print(region, "process %u, a child of this one", wait->holder_pid);
    if (wait->kind == DLW_WAIT_JOIN || wait->kind == DLW_WAIT_NONE)
        return NULL;
    switch (wait->holder) {
    case DLW_HOLDER_THREAD: {
        const struct dlw_doc_thread *holder = builder->threads[wait->holder_index];
        const char *verb = wait->kind == DLW_WAIT_ONCE ? "run" : "held";
        return dlw_region_print(region, "%s by %s, tid %u", verb, dlw_thread_title(region, holder),
                                holder->tid);
    }
    case DLW_HOLDER_GONE:
        if (wait->stayed_in)
            return dlw_region_print(region,
                                    "held by thread %u, which stayed in process %u when this one "
                                    "was forked from it",
                                    wait->holder_tid, wait->stayed_in);
        return wait->is_shared
                   ? dlw_region_print(region, "held by process or thread %u, which has ended%s%s",
                                      wait->holder_tid, wait->doubt ? "; but " : "",
                                      wait->doubt ? wait->doubt : "")
                   : dlw_region_print(region, "held by thread %u, which no longer exists",
                                      wait->holder_tid);
    case DLW_HOLDER_OUTSIDE:
        if (wait->holder_pid)
            return dlw_region_print(region, "held by thread %u of process %u", wait->holder_tid,
                                    wait->holder_pid);
        return dlw_region_print(region, "held by thread %u of another process%s%s",
                                wait->holder_tid, wait->doubt ? "; " : "",
                                wait->doubt ? wait->doubt : "");
    default:
        return NULL;
    }
}

const char *dlw_builder_note(struct builder *builder, const struct dlw_seen_thread *thread)
{
    const char *holder = holder_note(builder, &thread->wait);
    const char *note = thread->wait.note ? thread->wait.note : mutex_note(builder, &thread->wait);
    if (thread->is_ended)
        return "it has ended with pthread_exit; the others live on";
    if (thread->has_moved)
        return "it was in a wait that ended while it was looked at";
    if (thread->state == 'T' || thread->state == 't')
        note = note ? note : "stopped by a signal or a debugger";
    if (!holder)
        return note;
    return note ? dlw_region_print(&builder->doc->region, "%s; %s", holder, note) : holder;
}

const char *dlw_builder_call(struct builder *builder, const struct dlw_seen_thread *thread)
{
    int machine = builder->target->machine;
    const char *name = dlw_syscall_name(machine, thread->call.number);
    if (thread->wait.word && thread->wait.kind == DLW_WAIT_SYSCALL)
        return "futex";
    return name ? name : dlw_region_print(&builder->doc->region, "number %ld", thread->call.number);
}
