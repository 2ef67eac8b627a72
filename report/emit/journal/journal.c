/*
 * Lines gather in one buffer. When the next does not fit, the whole lines before it go out; only a
 * line that alone is longer than the buffer makes it grow. So a line is never cut, and a burst of
 * edges costs one system call for hundreds.
 */
#include "report/emit/journal/parts.h"

#include "report/emit/line.h"

#include <string.h>

enum { BUFFER_BYTES = 64 * 1024, WARNING_BYTES = 768, SHOWN_BYTES = 512 };

bool dlw_journal_is_mute(const struct dlw_journal *journal)
{
    return !journal || journal->dead || journal->target == DLW_TO_NOTHING;
}

void dlw_journal_end_early(struct dlw_journal *journal, const char *why)
{
    char text[WARNING_BYTES];
    struct dlw_line line = DLW_LINE(text);

    if (journal->dead)
        return;
    journal->dead = true;
    dlw_line_add(&line, "the journal");
    if (journal->target == DLW_TO_PATH) {
        const char *path = journal->path[0] ? journal->path : journal->pattern;
        dlw_line_add(&line, " '");
        dlw_line_add_bytes(&line, path, strnlen(path, SHOWN_BYTES));
        dlw_line_add(&line, "'");
    }
    dlw_line_add(&line, journal->written ? " ends here: " : " can't be written: ");
    dlw_line_add(&line, why);
    dlw_journal_mark_cut(journal, why);
    dlw_arena_free(journal->arena, journal->json.text, journal->json.room);
    memset(&journal->json, 0, sizeof journal->json);
    journal->json.failed = true;
    atomic_store_explicit(&journal->is_ahead, false, memory_order_relaxed);
    if (journal->warn)
        journal->warn(text);
}

/* ---- the buffer ---- */

/* Hands the whole lines to the file and moves the one under construction to the front. */
static bool send_lines(struct dlw_journal *journal)
{
    struct dlw_jsonl *json = &journal->json;

    if (!dlw_journal_put_out(journal, json->text, json->line))
        return false;
    memmove(json->text, json->text + json->line, json->used - json->line);
    json->used -= json->line;
    json->line = 0;
    atomic_store_explicit(&journal->is_ahead, false, memory_order_relaxed);
    return true;
}

static bool grow_buffer(struct dlw_journal *journal, size_t needed)
{
    struct dlw_jsonl *json = &journal->json;
    size_t room = json->room ? json->room : BUFFER_BYTES;

    while (room < needed)
        room *= 2;
    char *text = dlw_arena_resize(journal->arena, json->text, json->room, room);
    if (!text) {
        dlw_journal_end_early(journal, "out of memory");
        return false;
    }
    json->text = text;
    json->room = room;
    return true;
}

static bool make_room(struct dlw_jsonl *json, size_t size)
{
    struct dlw_journal *journal = (struct dlw_journal *)json;

    if (json->line && journal->has_spoken && !send_lines(journal))
        return false;
    return json->room - json->used >= size || grow_buffer(journal, json->used + size);
}

void dlw_journal_line_begin(struct dlw_journal *journal, const char *type)
{
    journal->has_spoken = true;
    dlw_jsonl_line_begin(&journal->json, type);
}

void dlw_journal_line_end(struct dlw_journal *journal)
{
    dlw_jsonl_line_end(&journal->json);
    atomic_store_explicit(&journal->is_ahead, !journal->dead, memory_order_relaxed);
}

void dlw_journal_flush(struct dlw_journal *journal)
{
    if (!dlw_journal_is_mute(journal) && journal->has_spoken && journal->json.line)
        send_lines(journal);
}

void dlw_journal_begin(struct dlw_journal *journal)
{
    if (dlw_journal_is_mute(journal))
        return;
    journal->has_spoken = true;
    dlw_journal_flush(journal);
}

bool dlw_journal_has_pending(const struct dlw_journal *journal)
{
    return journal && atomic_load_explicit(&journal->is_ahead, memory_order_relaxed);
}

/* ---- life ---- */

static void copy_text(char *out, size_t size, const char *text)
{
    struct dlw_line line = {out, 0, size - 1};

    dlw_line_add(&line, text ? text : "");
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path;
}

struct dlw_journal *dlw_journal_new(struct dlw_arena *arena,
                                    const struct dlw_journal_source *source,
                                    const struct dlw_journal_process *process,
                                    void (*warn)(const char *line))
{
    struct dlw_journal *journal = dlw_arena_alloc(arena, sizeof *journal);

    if (!journal)
        return NULL;
    journal->json.more = make_room;
    journal->arena = arena;
    journal->source = *source;
    journal->process = process;
    journal->warn = warn;
    journal->fd = -1;
    return journal;
}

static void start_anew(struct dlw_journal *journal, const struct dlw_journal_process *process)
{
    journal->pid = process->pid;
    copy_text(journal->name, sizeof journal->name, base_name(process->exe));
    dlw_journal_process_line(journal, process);
}

void dlw_journal_to_path(struct dlw_journal *journal, const char *pattern, const char *start_folder)
{
    if (!journal || !pattern)
        return;
    journal->target = DLW_TO_PATH;
    copy_text(journal->pattern, sizeof journal->pattern, pattern);
    copy_text(journal->folder, sizeof journal->folder, pattern[0] == '/' ? "" : start_folder);
    start_anew(journal, journal->process);
}

void dlw_journal_to_descriptor(struct dlw_journal *journal, int descriptor)
{
    if (!journal)
        return;
    journal->target = DLW_TO_DESCRIPTOR;
    journal->fd = descriptor;
    dlw_fd_identify(descriptor, &journal->identity, &journal->written);
    start_anew(journal, journal->process);
}

void dlw_journal_to_memory(struct dlw_journal *journal, struct dlw_kept *kept)
{
    if (!journal)
        return;
    journal->target = DLW_TO_MEMORY;
    journal->kept = kept;
    start_anew(journal, journal->process);
}

void dlw_journal_free(struct dlw_journal *journal)
{
    if (!journal)
        return;
    struct dlw_arena *arena = journal->arena;
    dlw_journal_close_file(journal);
    dlw_arena_free(arena, journal->json.text, journal->json.room);
    dlw_arena_free(arena, journal->ancestors, journal->ancestors_room * sizeof *journal->ancestors);
    dlw_idset_free(&journal->modules, arena);
    dlw_idset_free(&journal->stacks, arena);
    dlw_idset_free(&journal->threads, arena);
    dlw_idset_free(&journal->locks, arena);
    dlw_idset_free(&journal->renamed, arena);
    dlw_repeats_free(&journal->repeats, arena);
    dlw_keyset_free(&journal->told, arena);
    dlw_arena_free(arena, journal, sizeof *journal);
}

/* The lines in the buffer are the parent's, who still has them and will write them. */
void dlw_journal_after_fork(struct dlw_journal *journal, const struct dlw_journal_process *child)
{
    if (!journal || journal->target == DLW_TO_NOTHING)
        return;
    dlw_journal_close_file(journal);
    if (journal->target == DLW_TO_MEMORY)
        dlw_keep_nothing(journal->kept, journal->arena);
    journal->path[0] = '\0';
    journal->written = 0;
    journal->has_spoken = false;
    journal->dead = journal->target == DLW_TO_DESCRIPTOR;
    journal->json.used = 0;
    journal->json.line = 0;
    journal->json.failed = journal->dead;
    journal->json.more = make_room;
    atomic_store_explicit(&journal->is_ahead, false, memory_order_relaxed);
    dlw_idset_clear(&journal->modules);
    dlw_idset_clear(&journal->stacks);
    dlw_idset_clear(&journal->threads);
    dlw_idset_clear(&journal->locks);
    dlw_idset_clear(&journal->renamed);
    dlw_repeats_clear(&journal->repeats);
    dlw_keyset_clear(&journal->told);
    journal->n_edges = 0;
    if (!journal->dead)
        start_anew(journal, child);
}

bool dlw_journal_has_failed(const struct dlw_journal *journal)
{
    return !journal || journal->dead;
}

const char *dlw_journal_path(const struct dlw_journal *journal)
{
    return journal && journal->path[0] ? journal->path : NULL;
}
