#include "interpose/python/gils.h"

#include "interpose/base/hash.h"
#include "interpose/base/proc.h"

static uintptr_t word_at(uintptr_t address)
{
    uintptr_t word = 0;

    return dlw_proc_read(address, &word, sizeof(word)) ? word : 0;
}

/* The list of interpreters has no lock that we could take; a new one goes first. */
static uintptr_t search(const struct dlw_python *python, uintptr_t gil, uintptr_t head)
{
    enum { MOST = 10000 };
    uintptr_t at = head;

    for (unsigned i = 0; at && i < MOST; i++) {
        if (at + python->layout.gil == gil && word_at(at + python->layout.gil_pointer) == gil)
            return gil;
        at = word_at(at + python->layout.interpreter_next);
    }
    return 0;
}

static uintptr_t head_of(const struct dlw_python *python)
{
    return *(const uintptr_t *)(python->runtime + python->layout.interpreters_head); /* NOLINT */
}

/*
 * Where the interpreter is linked into a program, that program's own conditions come here too: what
 * was asked last is kept, with the head of the list that it was asked of. A hint, without a lock.
 */
static uintptr_t remembered(const struct dlw_python *python, uintptr_t gil)
{
    enum { PLACES = 64 };
    static struct {
        _Atomic uintptr_t gil, head;
        _Atomic bool is_one;
    } places[PLACES];
    unsigned at = (unsigned)(gil * DLW_GOLDEN >> 58);
    uintptr_t head = head_of(python);

    if (atomic_load_explicit(&places[at].gil, memory_order_acquire) == gil &&
        atomic_load_explicit(&places[at].head, memory_order_relaxed) == head)
        return atomic_load_explicit(&places[at].is_one, memory_order_relaxed) ? gil : 0;
    bool is_one = search(python, gil, head) != 0;
    atomic_store_explicit(&places[at].gil, 0, memory_order_relaxed);
    atomic_store_explicit(&places[at].is_one, is_one, memory_order_relaxed);
    atomic_store_explicit(&places[at].head, head, memory_order_relaxed);
    atomic_store_explicit(&places[at].gil, gil, memory_order_release);
    return is_one ? gil : 0;
}

uintptr_t dlw_gil_of_condition(uintptr_t condition)
{
    const struct dlw_python *python = dlw_python();
    uintptr_t gil = condition - DLW_GIL_CONDITION;

    if (!python)
        return 0;
    if (!python->layout.is_per_interpreter)
        return gil == python->runtime + python->layout.gil ? gil : 0;
    return remembered(python, gil);
}

bool dlw_gil_is_taken(uintptr_t gil)
{
    uint32_t locked = 0;

    return dlw_proc_read(gil + DLW_GIL_LOCKED, &locked, sizeof(locked)) && locked == 1;
}

bool dlw_gil_is_with(uintptr_t gil, pthread_t handle)
{
    const struct dlw_python *python = dlw_python();

    if (!python || !dlw_gil_is_taken(gil))
        return false;
    uintptr_t state = word_at(gil + DLW_GIL_HOLDER);
    return state && word_at(state + python->layout.thread_id) == (uintptr_t)handle;
}

static const char ending[] = "the interpreter is finalising: who waits for its GIL may leave";

bool dlw_gil_is_over(uintptr_t gil)
{
    const struct dlw_python *python = dlw_python();

    if (!python || dlw_python_is_gone(gil) || word_at(python->runtime + python->layout.finalizing))
        return true;
    return python->layout.interpreter_finalizing &&
           word_at(gil - python->layout.gil + python->layout.interpreter_finalizing);
}

const char *dlw_gil_doubt(uintptr_t gil)
{
    const struct dlw_python *python = dlw_python();

    if (!python || word_at(python->runtime + python->layout.finalizing))
        return ending;
    if (!python->layout.is_per_interpreter)
        return NULL;
    uintptr_t interpreter = gil - python->layout.gil;
    if (python->layout.interpreter_finalizing)
        return word_at(interpreter + python->layout.interpreter_finalizing) ? ending : NULL;
    /* Where its own word is not known: the main one, last of the list, ends with the process. */
    return word_at(interpreter + python->layout.interpreter_next)
               ? "whether this interpreter is finalising is not known"
               : NULL;
}
