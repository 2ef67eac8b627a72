/* The legend at the top of a block: each lock and thread once, with what tells which it is. */
#include "report/command/document/classify.h"
#include "report/command/document/labels.h"
#include "report/command/format/text/parts.h"

#include <string.h>

enum { MAX_LOCKS = 24 };

/* The contract's word, or plainer ones. */
static const char *kind_of(struct dlw_region *region, const struct dlw_doc_lock *which)
{
    const char *sort = dlw_lock_sort(region, which);
    static const char *const plain[][2] = {
        {"spin", "spin lock"},    {"rwlock", "read-write lock"},           {"once", "once-routine"},
        {"file", "stdio's lock"}, {"guard", "initialisation of a static"}, {"custom", "lock"}};
    if (dlw_doc_is_file(which))
        return "lock of a file";
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(which->kind, plain[i][0]) == 0)
            return plain[i][1];
    return sort ? sort : which->kind;
}

const char *dlw_readable_lock(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_lock *lock)
{
    struct dlw_region *region = &text->doc->region;
    const char *title =
        finding ? dlw_finding_lock_title(region, finding, lock) : dlw_lock_title(region, lock);
    if (dlw_doc_is_thread(lock) || strcmp(lock->kind, "gil") == 0)
        return title;
    bool names_kind = strncmp(title, "the ", 4) == 0;
    /* "L1 = the mutex L1" */
    if (names_kind && lock->id && strcmp(strrchr(title, ' ') + 1, lock->id) == 0) {
        title = dlw_region_print(region, "a %s", kind_of(region, lock));
        names_kind = true;
    }
    const char *origin = dlw_lock_origin(region, lock);
    if (names_kind && !origin)
        return title;
    return dlw_region_print(region, "%s (%s%s%s)", title, names_kind ? "" : kind_of(region, lock),
                            origin && !names_kind ? ", " : "", origin ? origin : "");
}

bool dlw_readable_is_in_legend(const struct dlw_doc_finding *finding,
                               const struct dlw_doc_thread *thread)
{
    const struct dlw_doc_thread *threads[DLW_MAX_LABELS];
    size_t n = finding ? dlw_label_threads(finding, threads) : 0;
    for (size_t i = 0; i < n; i++)
        if (threads[i] == thread)
            return true;
    return false;
}

/* `"evening"`, `main`, `the thread of serve (server.c:40)` */
static const char *thread_words(struct dlw_region *region, const struct dlw_doc_finding *finding,
                                const struct dlw_doc_thread *thread)
{
    const char *title = dlw_finding_thread_title(region, finding, thread);
    const char *origin = dlw_thread_origin(region, thread);
    bool is_name = dlw_thread_is_named(thread) && !strchr(title, '#');
    const char *words =
        dlw_region_print(region, "%s%s%s%s%s%s", is_name ? "\"" : "", title, is_name ? "\"" : "",
                         origin ? " (" : "", origin ? origin : "", origin ? ")" : "");
    if (!thread->process || thread->process == finding->process)
        return words;
    return dlw_region_print(region, "%s of process %u, %s", words, thread->process->pid,
                            thread->process->exe ? thread->process->exe : "?");
}

static void thread_lines(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    const struct dlw_doc_thread *threads[DLW_MAX_LABELS];
    size_t n = dlw_label_threads(finding, threads);
    const char *line = NULL;
    for (size_t i = 0; i < n; i++) {
        const char *words =
            dlw_region_print(region, "T%zu = %s", i + 1, thread_words(region, finding, threads[i]));
        /* Short ones share a line. */
        if (line && strlen(line) + strlen(words) + 4 > text->width) {
            dlw_readable_prose(text, "  ", 4, dlw_region_print(region, "%s,", line));
            line = NULL;
        }
        line = line ? dlw_region_print(region, "%s, %s", line, words) : words;
    }
    if (line)
        dlw_readable_prose(text, "  ", 4, line);
}

void dlw_readable_legend(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    size_t shown = 0, left = 0;
    fputc('\n', text->out);
    for (size_t i = 0; i < finding->n_locks; i++) {
        const struct dlw_doc_lock *lock = finding->locks[i];
        if (dlw_doc_is_thread(lock))
            continue;
        if (shown++ >= MAX_LOCKS) {
            left++;
            continue;
        }
        dlw_readable_prose(text, "  ", 4,
                           dlw_region_print(&text->doc->region, "%s = %s", lock->id,
                                            dlw_readable_lock(text, finding, lock)));
    }
    if (left)
        fprintf(text->out, "  and %zu locks more, which --format=json names\n", left);
    thread_lines(text, finding);
}
