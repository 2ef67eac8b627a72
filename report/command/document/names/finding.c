/* What the locks and threads of one finding are called: equal titles are told apart. */
#include "report/command/document/model.h"

#include <string.h>

const char *dlw_finding_lock_title(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                   const struct dlw_doc_lock *lock)
{
    const char *title = dlw_lock_title(region, lock);
    size_t before = 0, equal = 0;
    for (size_t i = 0; i < finding->n_locks; i++) {
        if (strcmp(dlw_lock_title(region, finding->locks[i]), title) != 0)
            continue;
        equal++;
        if (finding->locks[i] == lock)
            before = equal;
    }
    return equal > 1 ? dlw_region_print(region, "%s (no. %zu)", title, before) : title;
}

static bool is_equal_title(struct dlw_region *region, const struct dlw_doc_thread *a,
                           const struct dlw_doc_thread *b)
{
    return a && b && a != b && (a->id != b->id || a->process != b->process) &&
           strcmp(dlw_thread_title(region, a), dlw_thread_title(region, b)) == 0;
}

/* Processes have no name that tells them apart and is the same in every run: they get letters, in
 * the order of the circle. NULL: all its threads are of one. */
static const char *process_letter(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                  const struct dlw_doc_process *process)
{
    const struct dlw_doc_process *before[26];
    size_t n = 0, at = SIZE_MAX;
    for (size_t i = 0; i < finding->n_cycle && n < sizeof before / sizeof *before; i++) {
        const struct dlw_doc_process *other = finding->cycle[i].thread->process;
        size_t k = 0;
        while (k < n && before[k] != other)
            k++;
        if (k == n)
            before[n++] = other;
        if (other == process)
            at = k;
    }
    return n > 1 && at < n ? dlw_region_print(region, " in process %c", (int)('A' + at)) : NULL;
}

/* " of inv": threads of different programs are told apart by these. NULL: it is all one. */
static const char *program_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_process *process)
{
    for (size_t i = 0; process && process->exe && i < finding->n_cycle; i++) {
        const struct dlw_doc_process *other = finding->cycle[i].thread->process;
        const char *name = dlw_base_name(process->exe);
        if (other && other->exe && strcmp(dlw_base_name(other->exe), name) != 0)
            return dlw_region_print(region, " of %s", name);
    }
    return NULL;
}

/* Its number among those of its title, in the order of the finding: their own numbers are others in
 * every run. */
static size_t number_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                        const struct dlw_doc_thread *thread)
{
    size_t n = 1;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        if (finding->cycle[i].thread->id == thread->id)
            return n;
        n += is_equal_title(region, thread, finding->cycle[i].thread);
    }
    for (size_t i = 0; i < finding->n_threads; i++) {
        if (finding->threads[i].thread->id == thread->id)
            return n;
        n += is_equal_title(region, thread, finding->threads[i].thread);
    }
    return n;
}

const char *dlw_finding_thread_title(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding,
                                     const struct dlw_doc_thread *thread)
{
    bool is_shared = false;
    for (size_t i = 0; i < finding->n_cycle; i++)
        is_shared |= is_equal_title(region, thread, finding->cycle[i].thread);
    for (size_t i = 0; i < finding->n_threads; i++)
        is_shared |= is_equal_title(region, thread, finding->threads[i].thread);
    const char *title = dlw_thread_title(region, thread);
    const char *letter = is_shared ? program_of(region, finding, thread->process) : NULL;
    if (is_shared && !letter && !finding->across_runs)
        letter = process_letter(region, finding, thread->process);
    if (letter)
        return dlw_region_print(region, "%s%s", title, letter);
    return is_shared && !finding->across_runs && (thread->name || thread->start || thread->begins)
               ? dlw_region_print(region, "%s #%zu", title, number_of(region, finding, thread))
               : title;
}
