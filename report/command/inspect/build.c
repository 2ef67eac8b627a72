/* The document of one process: it, its threads and their states, and the verdict as findings. */
#include "report/command/inspect/build.h"

#include "report/command/base/clean.h"
#include "report/command/inspect/build_parts.h"

#include <string.h>

static void set_arguments(struct builder *builder, struct dlw_doc_process *process)
{
    const struct dlw_target *target = builder->target;
    struct dlw_region *region = &builder->doc->region;
    process->argv = dlw_region_alloc(region, (target->argc + 1) * sizeof *process->argv);
    process->argc = target->argc;
    for (size_t i = 0; i < target->argc; i++)
        process->argv[i] = dlw_clean(region, target->argv[i]);
}

static void add_process(struct builder *builder)
{
    struct dlw_target *target = builder->target;
    struct dlw_doc_process *process =
        builder->process ? builder->process : dlw_doc_add_process(builder->doc);
    process->pid = target->pid;
    process->exe = dlw_clean(&builder->doc->region, target->exe);
    set_arguments(builder, process);
    process->start = target->start;
    process->status = target->is_core && target->signal ? target->signal : -1;
    process->ended = !target->is_core      ? "running"
                     : !target->signal     ? NULL /* copied by a debugger while it lived */
                     : target->signal == 6 ? "abort"
                                           : "signal";
    if (!process->ended)
        dlw_doc_note(builder->doc, "process %u ran when this core was taken", target->pid);
    process->threads = target->n_threads;
    builder->process = process;
}

/* The library's numbers stand in its findings; threads that it does not know get numbers behind. */
static uint32_t last_record(const struct dlw_target *target)
{
    uint32_t last = 0;
    for (size_t i = 0; i < target->n_threads; i++)
        if (target->threads[i].record_id > last)
            last = target->threads[i].record_id;
    return last;
}

static void add_threads(struct builder *builder)
{
    size_t n = builder->target->n_threads;
    uint32_t others = last_record(builder->target);
    builder->threads = dlw_region_alloc(&builder->doc->region, (n + 1) * sizeof *builder->threads);
    for (size_t i = 0; i < n; i++) {
        const struct dlw_seen_thread *seen = &builder->target->threads[i];
        struct dlw_doc_thread *thread = dlw_region_alloc(&builder->doc->region, sizeof *thread);
        thread->id = seen->record_id ? seen->record_id : ++others;
        thread->tid = seen->tid;
        thread->name = *seen->name ? dlw_clean(&builder->doc->region, seen->name) : NULL;
        thread->process = builder->process;
        builder->threads[i] = thread;
    }
}

void dlw_builder_begin(struct builder *builder)
{
    add_process(builder);
    add_threads(builder);
}

/* Not allowed to know more than that it sleeps. */
static bool is_asleep_unseen(const struct dlw_seen_thread *thread)
{
    return thread->trouble && !thread->call.is_known && !thread->call.is_running &&
           (thread->state == 'S' || thread->state == 'D');
}

static struct dlw_doc_hold *add_hold(struct builder *builder, struct dlw_doc_state *state,
                                     struct dlw_doc_lock *lock)
{
    for (size_t i = 0; i < state->n_holds; i++)
        if (state->holds[i].lock == lock)
            return &state->holds[i];
    state->holds =
        dlw_region_grow(&builder->doc->region, state->holds, state->n_holds, sizeof *state->holds);
    struct dlw_doc_hold *hold = &state->holds[state->n_holds++];
    *hold = (struct dlw_doc_hold){.lock = lock, .mode = DLW_EXCLUSIVE};
    return hold;
}

/* What a thread of Python's holds for those who join it: nothing that anybody took. */
static bool is_python_end(const struct dlw_stack *stack)
{
    const struct dlw_frame *frame = stack->n ? &stack->frames[0] : NULL;
    return frame && frame->language && frame->function && frame->file &&
           strstr(frame->function, "_set_tstate_lock") && strstr(frame->file, "/threading.py");
}

/* What the library in the process has recorded of a thread. */
static void add_recorded(struct builder *builder, struct dlw_doc_state *state, size_t index,
                         struct lock_list *list)
{
    const struct dlw_seen_thread *thread = &builder->target->threads[index];
    for (size_t i = 0; i < thread->n_holds; i++) {
        const struct dlw_seen_hold *held = &thread->holds[i];
        const struct dlw_seen_wait as_wait = {
            .kind = DLW_WAIT_LOCK, .object = held->object, .address = held->lock};
        const struct dlw_stack stack = dlw_builder_hold_stack(builder, thread, held);
        if (is_python_end(&stack))
            continue;
        struct dlw_doc_hold *hold =
            add_hold(builder, state, dlw_builder_lock(builder, list, &as_wait));
        hold->mode = held->mode;
        hold->stack = stack;
    }
}

static void fill_state(struct builder *builder, size_t index, struct lock_list *list,
                       struct dlw_doc_state *state)
{
    const struct dlw_seen_thread *thread = &builder->target->threads[index];
    const struct dlw_seen_wait *wait = &thread->wait;
    struct dlw_seen_wait as_futex;
    state->thread = builder->threads[index];
    state->waits = wait->kind;
    state->on = wait->object ? dlw_builder_lock(builder, list, wait) : NULL;
    state->mode = wait->mode;
    state->timed = wait->is_timed;
    state->since = thread->stood_still ? thread->since : -1;
    state->is_least = thread->is_least;
    if (wait->kind == DLW_WAIT_SYSCALL)
        state->syscall = dlw_builder_call(builder, thread);
    else if (is_asleep_unseen(thread))
        state->waits = DLW_WAIT_SYSCALL;
    state->stack = dlw_builder_stack(builder, thread);
    if (state->on && !state->on->sort)
        state->on->sort = dlw_python_sort(&builder->doc->region, &state->stack);
    dlw_thread_find_begin(state->thread, &state->stack);
    if (dlw_builder_is_futex(wait, &state->stack, &as_futex)) {
        state->waits = as_futex.kind;
        state->on = dlw_builder_lock(builder, list, &as_futex);
    }
    dlw_builder_name_futex(state);
    add_recorded(builder, state, index, list);
}

/* What others wait for tells what a thread holds. Its own end is no lock that it "holds". By index
 * of the thread; NULL: it has ended. */
static void add_holds(struct builder *builder, struct dlw_doc_state *const *states,
                      struct lock_list *list)
{
    struct dlw_target *target = builder->target;
    for (size_t i = 0; i < target->n_threads; i++) {
        const struct dlw_seen_wait *wait = &target->threads[i].wait;
        if (wait->holder != DLW_HOLDER_THREAD || wait->kind == DLW_WAIT_JOIN || !wait->object ||
            !states[wait->holder_index])
            continue;
        add_hold(builder, states[wait->holder_index], dlw_builder_lock(builder, list, wait));
    }
}

/* Room for the states of all threads, by index. */
static struct dlw_doc_state **make_index(struct builder *builder)
{
    return dlw_region_alloc(&builder->doc->region,
                            (builder->target->n_threads + 1) * sizeof(struct dlw_doc_state *));
}

/* Of a futex that has got a name that is all there is to say. */
static void add_note(struct builder *builder, size_t index, struct dlw_doc_state *state)
{
    const struct dlw_seen_thread *thread = &builder->target->threads[index];
    bool is_named = state->waits == DLW_WAIT_FUTEX && thread->wait.kind == DLW_WAIT_SYSCALL;
    if (!is_named && !state->note)
        state->note = dlw_builder_note(builder, thread);
}

static void add_states(struct builder *builder)
{
    size_t n = builder->target->n_threads, first = builder->doc->n_threads;
    struct dlw_doc_state **states = make_index(builder);
    builder->first_state = first;
    for (size_t i = 0; i < n; i++)
        fill_state(builder, i, &builder->own, dlw_doc_add_thread(builder->doc));
    for (size_t i = 0; i < n; i++)
        states[i] = &builder->doc->threads[first + i];
    add_holds(builder, states, &builder->own);
    for (size_t i = 0; i < builder->own.n; i++)
        dlw_doc_name_document_lock(builder->doc, builder->own.locks[i]);
    dlw_doc_find_thread_names(builder->doc);
    for (size_t i = 0; i < n; i++) /* they name threads and locks, as they are called now */
        add_note(builder, i, &builder->doc->threads[first + i]);
    builder->process->locks = builder->own.n;
}

static bool has_told(const struct builder *builder, enum dlw_kind kind)
{
    for (size_t i = 0; i < builder->doc->n_findings; i++)
        if (builder->doc->findings[i]->kind == kind &&
            builder->doc->findings[i]->process == builder->process)
            return true;
    return false;
}

static void add_stall(struct builder *builder, const struct dlw_verdict *verdict)
{
    struct dlw_doc_finding *finding = dlw_doc_add_finding(builder->doc, DLW_STALL);
    struct lock_list list = {0};
    struct dlw_target *target = builder->target;
    finding->certain = verdict->is_certain;
    finding->doubt = verdict->doubt;
    finding->reason = verdict->reason;
    finding->process = builder->process;
    finding->threads =
        dlw_region_alloc(&builder->doc->region, (target->n_threads + 1) * sizeof *finding->threads);
    struct dlw_doc_state **states = make_index(builder);
    for (size_t i = 0; i < target->n_threads; i++) {
        if (target->threads[i].is_ended)
            continue;
        states[i] = &finding->threads[finding->n_threads++];
        fill_state(builder, i, &list, states[i]);
    }
    add_holds(builder, states, &list);
    for (size_t i = 0; i < list.n; i++)
        dlw_doc_name_lock(builder->doc, finding, list.locks[i]);
}

static void add_verdict(struct builder *builder, const struct dlw_verdict *verdict)
{
    for (size_t i = 0; i < verdict->n_cycles; i++)
        dlw_builder_deadlock(builder, &verdict->cycles[i]);
    bool is_stall = verdict->kind == DLW_VERDICT_STALL || verdict->doubt == DLW_DOUBT_SIGNAL;
    if (is_stall && !has_told(builder, DLW_STALL) && !has_told(builder, DLW_DEADLOCK))
        add_stall(builder, verdict);
    if (!has_told(builder, DLW_STALL)) /* which says it itself */
        dlw_builder_say_unowned(builder, builder->doc->threads + builder->first_state,
                                builder->target->n_threads);
}

void dlw_outside_document(struct dlw_target *target, const struct dlw_verdict *verdict,
                          struct dlw_doc *doc, struct dlw_doc_process *process)
{
    struct builder builder = {.target = target, .doc = doc, .process = process};
    dlw_builder_begin(&builder);
    add_states(&builder);
    add_verdict(&builder, verdict);
    dlw_answer(&builder, verdict);
    doc->verdict =
        dlw_verdict_word(has_told(&builder, DLW_DEADLOCK) ? DLW_VERDICT_DEADLOCK : verdict->kind);
    dlw_builder_forget_places(&builder);
    for (size_t i = 0; builder.peers && i < target->n_peers; i++)
        dlw_builder_forget_places(&builder.peers[i]);
}
