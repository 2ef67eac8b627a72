/* The findings that the library has made so far: lines of its journal, kept in the process. */
#include "report/command/inspect/own/preloaded.h"
#include "report/command/journal/reader.h"
#include "report/emit/records.h"

#include <stddef.h>
#include <string.h>

enum { MOST_CHUNKS = 1 << 20, MOST_BYTES = 1 << 30 };

static uint64_t first_chunk(struct dlw_target *target)
{
    uint64_t chunk;
    return dlw_target_u64(target, (uintptr_t)target->records->findings->lines, &chunk) ? chunk : 0;
}

static void feed_bytes(struct dlw_target *target, struct dlw_reader *reader, uint64_t at,
                       uint64_t left)
{
    char piece[4096];
    for (size_t n; left; at += n, left -= n) {
        n = left < sizeof piece ? left : sizeof piece;
        if (!dlw_target_read(target, at, piece, n))
            return;
        dlw_reader_feed(reader, piece, n);
    }
}

/* Its next one; 0: it is the last, or can't be read. That is read first: a chunk with another
 * behind it grows no more. */
static uint64_t feed_chunk(struct dlw_target *target, struct dlw_reader *reader, uint64_t chunk)
{
    uint64_t used, next;
    if (!dlw_target_u64(target, chunk + offsetof(struct dlw_records_chunk, next), &next) ||
        !dlw_target_u64(target, chunk + offsetof(struct dlw_records_chunk, used), &used) ||
        used > MOST_BYTES)
        return 0;
    feed_bytes(target, reader, chunk + offsetof(struct dlw_records_chunk, bytes), used);
    return next;
}

/* The library numbers threads as the process does; we as we see them. */
static void renumber(const struct dlw_target *target, struct dlw_doc_thread *thread)
{
    const struct dlw_seen_thread *seen =
        thread && thread->tid ? dlw_target_inner(target, thread->tid) : NULL;
    if (seen && seen->record_id == thread->id)
        thread->tid = seen->tid;
}

static void renumber_all(const struct dlw_target *target, struct dlw_doc *doc, size_t first)
{
    for (size_t i = first; i < doc->n_findings; i++) {
        struct dlw_doc_finding *finding = doc->findings[i];
        for (size_t k = 0; k < finding->n_cycle; k++)
            renumber(target, finding->cycle[k].thread);
        for (size_t k = 0; k < finding->n_threads; k++)
            renumber(target, finding->threads[k].thread);
    }
}

struct dlw_doc_process *dlw_preloaded_findings(struct dlw_target *target, struct dlw_doc *doc)
{
    uint64_t chunk = target->records ? first_chunk(target) : 0;
    size_t n = 0, before = doc->n_findings;
    if (!chunk)
        return NULL;
    if (!target->symbols) {
        target->symbols = dlw_symbols_new(target->sysroot, NULL);
        dlw_symbols_set_rights(target->symbols, target->rights);
    }
    const struct dlw_reading reading = {.doc = doc, .symbols = target->symbols, .growing = true};
    const char *name = dlw_region_print(target->region, "findings of process %u", target->pid);
    struct dlw_reader *reader = dlw_reader_new(&reading, name);
    while (chunk && n++ < MOST_CHUNKS)
        chunk = feed_chunk(target, reader, chunk);
    struct dlw_doc_process *process = dlw_reader_process(reader);
    dlw_reader_close(reader);
    renumber_all(target, doc, before);
    return process;
}
