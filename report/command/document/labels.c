/* T1, T2, L1, L2: the short names that a report's legend gives to what a finding speaks of. */
#include "report/command/document/labels.h"

#include "report/command/document/classify.h"

static bool is_same(const struct dlw_doc_thread *a, const struct dlw_doc_thread *b)
{
    return a == b || (a->id == b->id && a->process == b->process && a->tid == b->tid);
}

static bool is_among(const struct dlw_doc_thread *const *threads, size_t n,
                     const struct dlw_doc_thread *thread)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(threads[i], thread))
            return true;
    return false;
}

size_t dlw_label_threads(const struct dlw_doc_finding *finding,
                         const struct dlw_doc_thread *threads[DLW_MAX_LABELS])
{
    size_t n = 0;
    for (size_t i = 0; i < finding->n_cycle; i++) {
        const struct dlw_doc_thread *both[] = {finding->cycle[i].thread, finding->cycle[i].holder};
        for (size_t k = 0; k < 2; k++)
            if (both[k] && n < DLW_MAX_LABELS && !is_among(threads, n, both[k]))
                threads[n++] = both[k];
    }
    return n;
}

const char *dlw_thread_label(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             const struct dlw_doc_thread *thread)
{
    const struct dlw_doc_thread *threads[DLW_MAX_LABELS];
    size_t n = dlw_label_threads(finding, threads);
    for (size_t i = 0; i < n; i++)
        if (is_same(threads[i], thread))
            return dlw_region_print(region, "T%zu", i + 1);
    return dlw_finding_thread_title(region, finding, thread);
}

const char *dlw_lock_label(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_lock *lock)
{
    if (!dlw_doc_is_thread(lock))
        return lock->id ? lock->id : dlw_finding_lock_title(region, finding, lock);
    return lock->thread ? dlw_region_print(region, "the end of %s",
                                           dlw_thread_label(region, finding, lock->thread))
                        : dlw_finding_lock_title(region, finding, lock);
}
