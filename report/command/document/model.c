/* Building a document. */
#include "report/command/document/model.h"

#include "report/command/base/clean.h"
#include "report/command/base/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct dlw_doc *dlw_doc_new(void)
{
    struct dlw_region region = {0};
    struct dlw_doc *doc = dlw_region_alloc(&region, sizeof(*doc));
    doc->region = region;
    return doc;
}

void dlw_doc_free(struct dlw_doc *doc)
{
    if (!doc)
        return;
    dlw_doc_free(doc->kept);
    struct dlw_region region = doc->region; /* the document itself lies in it */
    dlw_region_free(&region);
}

void dlw_doc_keep(struct dlw_doc *doc, struct dlw_doc *other)
{
    struct dlw_doc **last = &doc->kept;
    while (*last)
        last = &(*last)->kept;
    *last = other;
}

#define APPEND(doc, array, n, value)                                                               \
    do {                                                                                           \
        (array) = dlw_region_grow(&(doc)->region, (array), (n), sizeof(*(array)));                 \
        (array)[(n)++] = (value);                                                                  \
    } while (0)

struct dlw_doc_process *dlw_doc_add_process(struct dlw_doc *doc)
{
    struct dlw_doc_process *process = dlw_region_alloc(&doc->region, sizeof(*process));
    process->status = -1;
    APPEND(doc, doc->processes, doc->n_processes, process);
    return process;
}

struct dlw_doc_process *dlw_doc_find_living(const struct dlw_doc *doc, uint32_t pid)
{
    /* Of several with one number the last one lives. */
    for (size_t i = doc->n_processes; i-- > 0;)
        if (doc->processes[i]->pid == pid)
            return doc->processes[i]->ended ? NULL : doc->processes[i];
    return NULL;
}

struct dlw_doc_finding *dlw_doc_add_finding(struct dlw_doc *doc, enum dlw_kind kind)
{
    struct dlw_doc_finding *finding = dlw_region_alloc(&doc->region, sizeof(*finding));
    finding->kind = kind;
    finding->count = 1;
    APPEND(doc, doc->findings, doc->n_findings, finding);
    return finding;
}

struct dlw_doc_state *dlw_doc_add_thread(struct dlw_doc *doc)
{
    struct dlw_doc_state fresh = {.since = -1};
    APPEND(doc, doc->threads, doc->n_threads, fresh);
    return &doc->threads[doc->n_threads - 1];
}

struct dlw_doc_cost *dlw_doc_add_cost(struct dlw_doc *doc)
{
    struct dlw_doc_cost *cost = dlw_region_alloc(&doc->region, sizeof(*cost));
    APPEND(doc, doc->costs, doc->n_costs, cost);
    return cost;
}

struct dlw_doc_edge *dlw_doc_add_edge(struct dlw_doc *doc)
{
    struct dlw_doc_edge *edge = dlw_region_alloc(&doc->region, sizeof(*edge));
    APPEND(doc, doc->edges, doc->n_edges, edge);
    return edge;
}

static const char *print_clean(struct dlw_doc *doc, const char *format, va_list arguments)
{
    char line[1024];
    vsnprintf(line, sizeof(line), format, arguments);
    return dlw_clean(&doc->region, line);
}

void dlw_doc_answer(struct dlw_doc *doc, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *answer = print_clean(doc, format, arguments);
    va_end(arguments);
    APPEND(doc, doc->answers, doc->n_answers, answer);
}

void dlw_doc_add_unwatched(struct dlw_doc *doc, const char *exe, const char *why)
{
    for (size_t i = 0; i < doc->n_unwatched; i++)
        if (strcmp(doc->unwatched[i].exe, exe) == 0 && strcmp(doc->unwatched[i].why, why) == 0)
            return;
    struct dlw_doc_unwatched unwatched = {dlw_region_copy(&doc->region, exe),
                                          dlw_region_copy(&doc->region, why)};
    APPEND(doc, doc->unwatched, doc->n_unwatched, unwatched);
}

void dlw_doc_note(struct dlw_doc *doc, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *note = print_clean(doc, format, arguments);
    va_end(arguments);
    for (size_t i = 0; i < doc->n_notes; i++)
        if (strcmp(doc->notes[i], note) == 0)
            return;
    APPEND(doc, doc->notes, doc->n_notes, note);
}

void dlw_doc_name_lock(struct dlw_doc *doc, struct dlw_doc_finding *finding,
                       struct dlw_doc_lock *lock)
{
    for (size_t i = 0; i < finding->n_locks; i++)
        if (finding->locks[i] == lock)
            return;
    APPEND(doc, finding->locks, finding->n_locks, lock);
    lock->id = dlw_region_print(&doc->region, "L%zu", finding->n_locks);
}

void dlw_doc_name_document_lock(struct dlw_doc *doc, struct dlw_doc_lock *lock)
{
    if (lock->id)
        return;
    APPEND(doc, doc->locks, doc->n_locks, lock);
    lock->id = dlw_region_print(&doc->region, "L%zu", doc->n_locks);
}

bool dlw_doc_is_listed(const struct dlw_doc_finding *finding)
{
    return !finding->suppressed && !finding->hidden && !finding->in_baseline;
}
