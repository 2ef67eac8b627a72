/* What people call locks, threads and places. */
#include "report/command/document/model.h"

#include <stdio.h>
#include <string.h>

static bool begins(const char *text, const char *with)
{
    return text && strncmp(text, with, strlen(with)) == 0;
}

/* The C++ library's lock(), lock_guard and their like, compiled into the program. */
static bool is_library_wrapper(const struct dlw_frame *frame)
{
    if (begins(frame->function, "std::") || begins(frame->function, "__gthread") ||
        begins(frame->function, "void std::"))
        return true;
    return frame->file && frame->file[0] == '/' && strstr(frame->file, "/include/c++/");
}

/* libc's, where it is linked into the program. */
static bool is_linked_libc(const struct dlw_frame *frame)
{
    const char *name = frame->function ? frame->function + strspn(frame->function, "_") : "";
    return begins(name, "pthread_") || begins(name, "lll_") || begins(name, "futex_") ||
           begins(name, "new_sem_") || begins(name, "GI___");
}

/* A sanitizer's runtime stands in front of pthread's functions. */
static bool is_sanitizer(const struct dlw_frame *frame)
{
    const char *name = frame->function ? frame->function + strspn(frame->function, "_") : "";
    return begins(name, "interceptor_") || begins(name, "sanitizer_") || begins(name, "asan_") ||
           begins(name, "tsan") || begins(name, "Tsan") || begins(name, "AsanThread");
}

/* What dlwatch.h puts into the program. */
static bool is_annotation(const struct dlw_frame *frame)
{
    return begins(frame->function, "dlwatch_") && frame->file &&
           strcmp(dlw_base_name(frame->file), "dlwatch.h") == 0;
}

static bool is_library_module(const struct dlw_frame *frame)
{
    static const char *const names[] = {"libdlwatch.so", "libc.so.",      "libc-2.",
                                        "libpthread",    "libstdc++.so.", "libc++.so.",
                                        "libasan.so.",   "libtsan.so."};
    const char *name = frame->module ? dlw_base_name(frame->module) : NULL;
    for (size_t i = 0; name && i < sizeof(names) / sizeof(names[0]); i++)
        if (begins(name, names[i]))
            return true;
    return false;
}

/* What stands between a Python program and the lock that it asked for, or brought the program to
 * run: the modules that the interpreter has within itself are nobody's here. */
static bool is_python_library(const struct dlw_frame *frame)
{
    static const char *const modules[] = {"/threading.py", "/queue.py", "/concurrent/futures/",
                                          "/multiprocessing/"};
    if (!frame->language || !frame->file)
        return false;
    if (begins(frame->file, "<frozen "))
        return true;
    const char *at = strstr(frame->file, "/lib/python3");
    const char *module = at ? strchr(at + strlen("/lib/python3"), '/') : NULL;
    for (size_t i = 0; module && i < sizeof(modules) / sizeof(modules[0]); i++)
        if (begins(module, modules[i]))
            return true;
    return false;
}

/* "pybind11::f", and behind the type of a template's value "void pybind11::f<int>(int)". */
static bool is_within(const char *function, const char *scope)
{
    int depth = 0;
    char before = ' ';
    for (const char *at = function; at && *at && (depth || *at != '('); before = *at++) {
        if (depth == 0 && before == ' ' && begins(at, scope))
            return true;
        depth += (*at == '<') - (*at == '>');
    }
    return false;
}

/* What stands between a line of Python and the native function that it calls. */
static bool is_python_binding(const struct dlw_frame *frame)
{
    const char *module = frame->module ? dlw_base_name(frame->module) : NULL;
    return is_within(frame->function, "pybind11::") || is_within(frame->function, "nanobind::") ||
           is_within(frame->function, "boost::python::") || begins(module, "_ctypes.") ||
           begins(module, "_cffi_backend.") || begins(module, "libffi.so.");
}

static bool is_library(const struct dlw_frame *frame)
{
    if (frame->language)
        return is_python_library(frame);
    return !frame->unknown &&
           (is_library_module(frame) || is_python_binding(frame) || is_library_wrapper(frame) ||
            is_sanitizer(frame) || is_linked_libc(frame) || is_annotation(frame));
}

static const struct {
    const char *function, *words;
} callers[] = {
    {"nptl_deallocate_tsd", "the thread has ended: destructors of its thread-specific data"},
    {"call_tls_dtors", "the thread has ended: destructors of its thread-local objects"},
    {"run_exit_handlers", "exit handlers"},
    {"run_prefork_handlers", "fork handlers"},
    {"run_postfork_handlers", "fork handlers"},
    {"run_fork_handlers", "fork handlers"},
    {"cxa_finalize", "destructors of a library"},
    {"dl_fini", "destructors of libraries"},
};

/* By the name that glibc gives it within: underscores and a mark for its own calls in front. */
const char *dlw_frame_caller(const struct dlw_frame *frame)
{
    if (!frame->function || !frame->module || frame->inlined)
        return NULL;
    const char *name = frame->function + strspn(frame->function, "_");
    name += begins(name, "GI_") ? 3 + strspn(name + 3, "_") : 0;
    for (size_t i = 0; i < sizeof(callers) / sizeof(callers[0]); i++)
        if (strcmp(name, callers[i].function) == 0)
            return callers[i].words;
    return NULL;
}

bool dlw_frame_is_plumbing(const struct dlw_frame *frame)
{
    if (dlw_frame_caller(frame))
        return false;
    bool is_ours = frame->module && begins(dlw_base_name(frame->module), "libdlwatch.so");
    return !frame->unknown && !frame->language &&
           (is_ours || is_linked_libc(frame) || is_sanitizer(frame) || is_python_binding(frame));
}

/* The C library's own beginning of a thread or program. */
static bool is_beginning(const struct dlw_frame *frame)
{
    static const char *const names[] = {"start_thread",
                                        "clone",
                                        "__clone",
                                        "clone3",
                                        "__clone3",
                                        "__libc_start_main",
                                        "__libc_start_call_main",
                                        "__libc_start_main_impl",
                                        "_start",
                                        "execute_native_thread_routine",
                                        "execute_native_thread_routine_compat"};
    for (size_t i = 0; frame->function && !frame->language && i < sizeof(names) / sizeof(names[0]);
         i++) {
        size_t n = strlen(names[i]);
        /* "clone.part.0" too; clone_account() and start_threads() are a program's. */
        if (begins(frame->function, names[i]) && strchr(".@", frame->function[n]))
            return true;
    }
    return false;
}

static bool is_of_interpreter(const struct dlw_frame *frame)
{
    return !frame->language && (dlw_frame_is_interpreter(frame) || is_python_binding(frame) ||
                                (frame->module && strstr(frame->module, "/lib-dynload/")));
}

/* A shared library without its source, or one of the system's, or an interpreter: nobody changes it
 * here. */
static bool is_closed(const struct dlw_frame *frame)
{
    const char *module = frame->module;
    if (is_of_interpreter(frame))
        return true;
    if (!module || !strstr(dlw_base_name(module), ".so"))
        return false;
    return !frame->file || begins(module, "/usr/lib") || begins(module, "/lib");
}

/* Compiled into the program, and yet no code of its own. */
static bool is_system_header(const struct dlw_frame *frame)
{
    return begins(frame->file, "/usr/include/") || begins(frame->file, "/usr/local/include/") ||
           begins(frame->file, "/usr/lib/");
}

bool dlw_frame_is_own(const struct dlw_frame *frame)
{
    return !frame->unknown && frame->file && frame->line && !is_library(frame) &&
           !is_beginning(frame) && !is_closed(frame) && !is_system_header(frame);
}

/* The name without scopes, parameters and template arguments: "lock" of "Mutex<int>::lock()".
 * *outer: what stands before it, or NULL. */
static size_t last_part(const char *function, const char **name, const char **outer)
{
    const char *start = function, *before = NULL, *at = function;
    int depth = 0;
    for (; *at && (depth || *at != '('); at++) {
        depth += (*at == '<') - (*at == '>');
        if (depth == 0 && at[0] == ':' && at[1] == ':') {
            before = start;
            start = at + 2;
        }
    }
    *name = start;
    *outer = before;
    return strcspn(start, "(<");
}

static bool ends(const char *text, size_t n, const char *with)
{
    size_t m = strlen(with);
    return n >= m && strncmp(text + n - m, with, m) == 0;
}

/* A project's own mutex or guard: whoever calls it decides which lock comes first. */
static bool is_own_wrapper(const struct dlw_frame *frame)
{
    static const char *const names[] = {"lock", "Lock", "lock_shared", "LockShared", "mutex_lock"};
    const char *name, *outer;
    if (!frame->function)
        return false;
    size_t n = last_part(frame->function, &name, &outer);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (n == strlen(names[i]) && strncmp(name, names[i], n) == 0)
            return true;
    bool is_constructor =
        outer && strncmp(outer, name, n) == 0 && (outer[n] == ':' || outer[n] == '<');
    return is_constructor && (ends(name, n, "Lock") || ends(name, n, "Locker") ||
                              ends(name, n, "Guard") || ends(name, n, "_guard"));
}

bool dlw_frame_is_nameless(const struct dlw_frame *frame)
{
    return !frame->unknown && !frame->language && !frame->function && is_closed(frame);
}

size_t dlw_stack_place(const struct dlw_stack *stack)
{
    size_t first = stack->n;
    for (size_t i = 0; i < stack->n; i++) {
        const struct dlw_frame *frame = &stack->frames[i];
        if (frame->unknown || is_library(frame) || is_beginning(frame) || is_closed(frame) ||
            is_system_header(frame))
            continue;
        if (!is_own_wrapper(frame))
            return i;
        first = first < i ? first : i;
    }
    return first < stack->n ? first : dlw_stack_innermost(stack);
}

const struct dlw_frame *dlw_stack_entry(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    for (size_t i = place < stack->n ? place : 0; i-- > 0;)
        if (!stack->frames[i].unknown && is_closed(&stack->frames[i]) &&
            !is_library(&stack->frames[i]) && !is_of_interpreter(&stack->frames[i]))
            return &stack->frames[i];
    return NULL;
}

size_t dlw_stack_innermost(const struct dlw_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++) {
        const struct dlw_frame *frame = &stack->frames[i];
        if (!frame->unknown && !is_library(frame) && !is_beginning(frame))
            return i;
    }
    /* The C library itself may be all that is left of a thread: a destructor that is one of its
     * functions. */
    size_t place = 0;
    while (place < stack->n && !dlw_frame_caller(&stack->frames[place]))
        place++;
    return place;
}

size_t dlw_stack_depth(const struct dlw_stack *stack)
{
    size_t n = 1;
    while (n < stack->n && !is_beginning(&stack->frames[n]))
        n++;
    if (n > stack->n)
        return stack->n;
    /* std::thread's way from there to the program's function, and our own; what could not be known
     * of such a way is of no interest. */
    while (n > 1 && !dlw_frame_caller(&stack->frames[n - 1]) &&
           is_library(&stack->frames[n - 1 - (n > 2 && stack->frames[n - 1].unknown)]))
        n--;
    return n;
}

const char *dlw_frame_place(struct dlw_region *region, const struct dlw_frame *frame)
{
    if (frame->unknown)
        return dlw_region_copy(region, frame->unknown);
    if (frame->file)
        return dlw_region_print(region, "%s:%u", dlw_base_name(frame->file), frame->line);
    if (frame->module)
        return dlw_region_print(region, "%s+0x%llx", dlw_base_name(frame->module),
                                (unsigned long long)frame->offset);
    return dlw_region_print(region, "0x%llx", (unsigned long long)frame->pc);
}

static const struct dlw_frame *frame_of(const struct dlw_stack *stack)
{
    size_t place = dlw_stack_place(stack);
    return place < stack->n ? &stack->frames[place] : NULL;
}

static const struct dlw_frame *first_frame(const struct dlw_doc_finding *finding,
                                           const struct dlw_frame *(*of)(const struct dlw_stack *))
{
    const struct dlw_frame *frame = NULL;
    for (size_t i = 0; !frame && i < finding->n_cycle; i++) {
        frame = of(&finding->cycle[i].wants.stack);
        if (!frame)
            frame = of(&finding->cycle[i].holds.stack);
    }
    for (size_t i = 0; !frame && i < finding->n_threads; i++) {
        frame = of(&finding->threads[i].stack);
        for (size_t j = 0; !frame && j < finding->threads[i].n_holds; j++)
            frame = of(&finding->threads[i].holds[j].stack);
    }
    return frame;
}

static const struct dlw_frame *own_frame_of(const struct dlw_stack *stack)
{
    const struct dlw_frame *frame = frame_of(stack);
    return frame && dlw_frame_is_own(frame) ? frame : NULL;
}

const struct dlw_frame *dlw_finding_frame(const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = first_frame(finding, own_frame_of);
    return frame ? frame : first_frame(finding, frame_of);
}

const char *dlw_lock_sort(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    if (strcmp(lock->kind, "semaphore") != 0)
        return NULL;
    return lock->sort ? lock->sort : dlw_python_sort(region, &lock->first);
}

/* "the account lock", "the mutex", "the lock" */
static const char *sort_of(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    if (lock->class_name)
        return dlw_region_print(region, "%s lock", lock->class_name);
    const char *sort = dlw_lock_sort(region, lock);
    if (sort)
        return sort;
    return strcmp(lock->kind, "custom") == 0 ? "lock" : lock->kind;
}

bool dlw_frame_is_interpreter(const struct dlw_frame *frame)
{
    const char *name = frame->module ? dlw_base_name(frame->module) : "";
    return begins(name, "python3") || begins(name, "libpython3");
}

bool dlw_doc_is_made_by_python(const struct dlw_doc_lock *lock)
{
    size_t place = dlw_stack_innermost(&lock->created);
    return place < lock->created.n && dlw_frame_is_interpreter(&lock->created.frames[place]);
}

static const struct dlw_frame *place_with_source(const struct dlw_stack *stack)
{
    const struct dlw_frame *frame = frame_of(stack);
    return frame && frame->file && frame->line ? frame : NULL;
}

/* "libPocoFoundation" of "/usr/lib/libPocoFoundation.so.80" */
static const char *library_name(struct dlw_region *region, const struct dlw_frame *frame)
{
    const char *base = dlw_base_name(frame->module);
    return dlw_region_cut(region, base, (size_t)(strstr(base, ".so") - base));
}

/* Who made it says which it is, but for a library's own constructor: that makes them all. */
static const char *by_place(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    const struct dlw_frame *made = place_with_source(&lock->created),
                           *taken = place_with_source(&lock->first),
                           *entry = dlw_stack_entry(&lock->created);
    if (dlw_doc_is_made_by_python(lock))
        return taken ? dlw_region_print(region, "the %s first taken at %s", sort_of(region, lock),
                                        dlw_frame_place(region, taken))
                     : NULL;
    if (!made && !entry)
        entry = dlw_stack_entry(&lock->first);
    if (entry)
        return dlw_region_print(region, "the %s in %s", sort_of(region, lock),
                                library_name(region, entry));
    if (made || taken)
        return dlw_region_print(region, "the %s %s at %s", sort_of(region, lock),
                                made ? "created" : "first taken",
                                dlw_frame_place(region, made ? made : taken));
    made = frame_of(&lock->created);
    return made && made->function
               ? dlw_region_print(region, "the %s created in %s", sort_of(region, lock),
                                  dlw_function_title(region, made->function))
               : NULL;
}

const char *dlw_lock_origin(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    const struct dlw_frame *made = place_with_source(&lock->created);
    bool is_named = lock->expression || lock->name || lock->taken_as;
    if (lock->declared)
        return lock->declared;
    if (dlw_doc_is_made_by_python(lock))
        return NULL;
    if (made && is_named)
        return dlw_region_print(region, "created at %s", dlw_frame_place(region, made));
    if (lock->taken_at && !lock->expression && !lock->name)
        return dlw_region_print(region, "so called at %s", dlw_frame_place(region, lock->taken_at));
    made = made ? NULL : frame_of(&lock->created);
    /* The code of a closed library that makes all of its locks says nothing of this one. */
    return made && (is_named || !made->function) && !dlw_frame_is_nameless(made)
               ? dlw_region_print(region, "created in %s", dlw_frame_place(region, made))
               : NULL;
}

/* The linker's symbol of a static's guard is called after the static. */
static const char *variable_title(struct dlw_region *region, const char *name)
{
    static const char guard[] = "guard variable for ";
    return dlw_short_name(region, begins(name, guard) ? name + sizeof(guard) - 1 : name);
}

static const char *end_of(struct dlw_region *region, const struct dlw_doc_thread *thread)
{
    if (!thread)
        return "the end of a thread";
    const char *title = dlw_thread_title(region, thread);
    return dlw_region_print(region, "the end of %s%s", begins(title, "thread ") ? "" : "thread ",
                            title);
}

const char *dlw_lock_title(struct dlw_region *region, const struct dlw_doc_lock *lock)
{
    if (dlw_doc_is_thread(lock))
        return end_of(region, lock->thread);
    if (strcmp(lock->kind, "gil") == 0)
        return "the GIL";
    if (lock->expression || lock->name)
        return variable_title(region, lock->expression ? lock->expression : lock->name);
    const char *title = lock->taken_as ? lock->taken_as : by_place(region, lock);
    if (!title && lock->module)
        title = dlw_region_print(region, "the %s at %s+0x%llx", sort_of(region, lock),
                                 dlw_base_name(lock->module), (unsigned long long)lock->offset);
    /* An address is another in every run. */
    if (!title)
        title = dlw_region_print(region, "the %s%s%s", sort_of(region, lock), lock->id ? " " : "",
                                 lock->id ? lock->id : "");
    return title;
}

/* The kernel gives a thread the name of the program, cut, until it is named otherwise. */
bool dlw_thread_is_named(const struct dlw_doc_thread *thread)
{
    enum { LONGEST = 15 };
    const struct dlw_doc_process *process = thread->process;
    if (!thread->name)
        return false;
    const char *names[] = {process ? process->exe : NULL,
                           process && process->argc ? process->argv[0] : NULL};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i] && strncmp(thread->name, dlw_base_name(names[i]), LONGEST) == 0)
            return false;
    return true;
}

static bool is_main(const struct dlw_doc_thread *thread)
{
    return thread->is_main ||
           (thread->process && thread->tid && thread->tid == thread->process->pid);
}

const char *dlw_thread_title(struct dlw_region *region, const struct dlw_doc_thread *thread)
{
    const struct dlw_frame *begins_at = thread->begins;
    if (dlw_thread_is_named(thread))
        return dlw_region_copy(region, thread->name);
    if (is_main(thread))
        return "main";
    if (begins_at && begins_at->function)
        return dlw_function_title(region, begins_at->function);
    const struct dlw_frame start = {.function = thread->start};
    if (thread->start && !is_beginning(&start))
        return dlw_function_title(region, thread->start);
    return dlw_region_print(region, "thread %u", thread->id);
}

const char *dlw_thread_origin(struct dlw_region *region, const struct dlw_doc_thread *thread)
{
    bool says_enough = is_main(thread) || dlw_thread_is_named(thread);
    return says_enough || !thread->begins ? NULL : dlw_frame_place(region, thread->begins);
}
