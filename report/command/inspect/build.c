#include "report/command/inspect/build.h"

#include "report/command/base/clean.h"
#include "report/command/inspect/build_parts.h"
#include "report/command/inspect/glibc/waits.h"
#include "report/command/inspect/own/preloaded.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/symbols/symbols.h"

#include <stdio.h>
#include <string.h>
#include <uthash.h>

/* A place that was named before: many threads stand at the same ones. */
struct named {
    struct {
        uint64_t pc;
        uint64_t is_return;
    } key;
    struct dlw_stack frames;
    UT_hash_handle hh;
};

static const struct dlw_stack *name_place(struct builder *builder, const struct dlw_place *place)
{
    struct named *named, wanted = {.key = {place->pc, place->is_return}};
    HASH_FIND(hh, builder->named, &wanted.key, sizeof wanted.key, named);
    if (named)
        return &named->frames;
    named = dlw_region_alloc(&builder->doc->region, sizeof *named);
    named->key = wanted.key;
    Dwfl_Module *module = dwfl_addrmodule(builder->target->dwfl, place->pc - place->is_return);
    dlw_symbols_frames_of(builder->target->tables, &builder->doc->region, module, place->pc,
                          place->is_return, &named->frames);
    HASH_ADD(hh, builder->named, key, sizeof named->key, named);
    return &named->frames;
}

static void add_unknown(struct builder *builder, struct dlw_stack *stack, const char *why)
{
    stack->frames =
        dlw_region_grow(&builder->doc->region, stack->frames, stack->n, sizeof *stack->frames);
    stack->frames[stack->n++] = (struct dlw_frame){.unknown = why};
}

static void add_frames(struct builder *builder, struct dlw_stack *stack,
                       const struct dlw_stack *more)
{
    for (size_t i = 0; i < more->n; i++) {
        stack->frames =
            dlw_region_grow(&builder->doc->region, stack->frames, stack->n, sizeof *stack->frames);
        stack->frames[stack->n++] = more->frames[i];
    }
}

static void add_line(struct builder *builder, struct dlw_stack *stack,
                     const struct dlw_seen_line *line)
{
    const struct dlw_target *target = builder->target;
    if (line->unknown) {
        add_unknown(builder, stack, line->unknown);
        return;
    }
    const struct dlw_frame frame = {
        .function = line->function,
        .file = line->file,
        .folder = *line->file == '/' || *line->file == '<' ? NULL : builder->process->folder,
        .line = line->line,
        .rights = target->source_rights,
        .language = "python",
    };
    add_frames(builder, stack, &(struct dlw_stack){.frames = (struct dlw_frame *)&frame, .n = 1});
}

struct dlw_stack dlw_builder_stack(struct builder *builder, const struct dlw_seen_thread *thread)
{
    /* Python frames whose native ones lie too deep stand behind those that were reached. */
    struct dlw_stack stack = {.cut = thread->n_lines ? thread->are_lines_cut : thread->is_cut};
    size_t line = 0;
    for (size_t i = 0; i < thread->n_places; i++) {
        const struct dlw_place *place = &thread->places[i];
        if (!place->is_folded || builder->target->shows_native)
            add_frames(builder, &stack, name_place(builder, place));
        for (size_t end = line + place->n_lines; line < end; line++)
            add_line(builder, &stack, &thread->lines[line]);
    }
    if (!thread->n_places && thread->trouble)
        add_unknown(builder, &stack, thread->trouble);
    while (line < thread->n_lines)
        add_line(builder, &stack, &thread->lines[line++]);
    return stack;
}

/* Where a thread took a lock, by the record of it; empty where there is none. */
struct dlw_stack dlw_builder_hold_stack(struct builder *builder,
                                        const struct dlw_seen_thread *thread,
                                        const struct dlw_seen_hold *hold)
{
    struct dlw_stack stack = {0};
    struct dlw_place *places;
    size_t n = dlw_preloaded_stack(builder->target, thread, hold, &places, &stack.cut);
    for (size_t i = 0; i < n; i++)
        if (places[i].line)
            add_line(builder, &stack, places[i].line);
        else if (places[i].unknown)
            add_unknown(builder, &stack, places[i].unknown);
        else
            add_frames(builder, &stack, name_place(builder, &places[i]));
    return stack;
}

/* The image that it lies in, and its name where it is a variable. */
static void locate(struct builder *builder, struct dlw_doc_lock *lock)
{
    struct dlw_region *region = &builder->doc->region;
    Dwfl_Module *module = dwfl_addrmodule(builder->target->dwfl, lock->address);
    Dwarf_Addr start;
    GElf_Addr bias;
    if (!module)
        return;
    const char *path = dwfl_module_info(module, NULL, &start, NULL, NULL, NULL, NULL, NULL);
    lock->module = dlw_clean(region, path);
    lock->build_id = dlw_symbols_build_id(region, module);
    lock->offset = lock->address - (dwfl_module_getelf(module, &bias) ? bias : start);
    if (lock->name)
        return;
    struct dlw_variable variable =
        dlw_symbols_variable_of(builder->target->tables, region, module, lock->address);
    lock->name = variable.name;
    lock->expression = variable.expression;
    if (variable.file && variable.line)
        lock->declared =
            dlw_region_print(region, "%s:%u", dlw_base_name(variable.file), variable.line);
}

/* What it is and what it is called. */
static struct dlw_doc_lock *make_lock(struct builder *builder, const struct dlw_seen_wait *wait)
{
    struct dlw_doc_lock *lock = dlw_region_alloc(&builder->doc->region, sizeof *lock);
    lock->kind = wait->object;
    lock->address = wait->address;
    if (wait->kind == DLW_WAIT_JOIN) {
        if (wait->holder == DLW_HOLDER_THREAD)
            lock->thread = builder->threads[wait->holder_index];
        return lock;
    }
    if (wait->file) {
        lock->name = dlw_clean(&builder->doc->region, wait->file->path);
        return lock;
    }
    if (wait->is_refused) {
        lock->name = "(a priority-inheriting mutex)";
        return lock;
    }
    if (!strcmp(wait->object, "mutex"))
        lock->attributes = dlw_mutex_attributes(builder->target, wait->address);
    if (!strcmp(wait->object, "file"))
        lock->name = dlw_standard_stream(builder->target, wait->address);
    locate(builder, lock);
    return lock;
}

struct dlw_doc_lock *dlw_builder_lock(struct builder *builder, struct lock_list *list,
                                      const struct dlw_seen_wait *wait)
{
    struct dlw_region *region = &builder->doc->region;
    const struct dlw_seen_file *file = wait->file;
    const struct lock_key key = {wait->object, wait->address, file ? file->device : 0,
                                 file ? file->inode : 0};
    for (size_t i = 0; i < list->n; i++) {
        const struct lock_key *other = &list->keys[i];
        if (other->address == key.address && other->inode == key.inode &&
            other->device == key.device && !strcmp(other->object, key.object))
            return list->locks[i];
    }
    list->locks = dlw_region_grow(region, list->locks, list->n, sizeof *list->locks);
    list->keys = dlw_region_grow(region, list->keys, list->n, sizeof *list->keys);
    list->keys[list->n] = key;
    return list->locks[list->n++] = make_lock(builder, wait);
}

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

/* "with the mutex gate": the one that a condition's waiter takes again when it is woken. */
static const char *mutex_note(struct builder *builder, const struct dlw_seen_wait *wait)
{
    struct dlw_doc_lock mutex = {.kind = "mutex", .address = wait->mutex};
    if (wait->kind != DLW_WAIT_CONDITION || !wait->mutex)
        return NULL;
    locate(builder, &mutex);
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

static const char *note_of(struct builder *builder, const struct dlw_seen_thread *thread)
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
        state->note = note_of(builder, thread);
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
    HASH_CLEAR(hh, builder.named);
    for (size_t i = 0; builder.peers && i < target->n_peers; i++)
        HASH_CLEAR(hh, builder.peers[i].named);
}
