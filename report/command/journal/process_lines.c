/* The lines of a journal that tell of the process: its beginning and end, and what it lacked. */
#include "report/command/journal/raw.h"

#include "report/command/base/clean.h"
#include "report/command/journal/json_get.h"

#include <string.h>

enum { JOURNAL_VERSION = 1 };

static void copy_argv(struct dlw_reader *reader, struct dlw_doc_process *process,
                      const json_t *argv)
{
    size_t n = json_array_size(argv);
    process->argv = dlw_region_alloc(reader->region, (n + 1) * sizeof(*process->argv));
    process->argc = n;
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(argv, i));
        process->argv[i] = dlw_clean(reader->region, text ? text : "");
    }
}

static void check_release(struct dlw_reader *reader, const json_t *line)
{
    const char *release = dlw_json_text(line, "dlwatch");
    if (release && strcmp(release, DLW_VERSION) != 0)
        dlw_doc_note(reader->reading->doc,
                     "%s was written by libdlwatch.so %s, this is dlwatch " DLW_VERSION,
                     reader->path, release);
}

static void fill_process(struct dlw_reader *reader, struct dlw_doc_process *process,
                         const json_t *line)
{
    process->journal = reader->path;
    process->pid = (uint32_t)dlw_json_number(line, "pid");
    process->ppid = (uint32_t)dlw_json_number(line, "ppid");
    process->exe = dlw_clean(reader->region, dlw_json_text(line, "exe"));
    process->folder = dlw_clean(reader->region, dlw_json_text(line, "cwd"));
    process->start = dlw_json_real(line, "start", 0);
    process->cut = dlw_clean(reader->region, dlw_json_text(line, "cut"));
    process->status = -1;
    const char *by = dlw_json_text(line, "by");
    process->forked = by && strcmp(by, "fork") == 0;
    copy_argv(reader, process, json_object_get(line, "argv"));
}

static void fill_end(struct dlw_doc_process *process, const json_t *line)
{
    static const char *const known[] = {"exit",   "deadlock", "abort",  "exec",
                                        "signal", "killed",   "running"};
    const char *ended = dlw_json_text(line, "ended");
    for (size_t i = 0; ended && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i], ended) == 0)
            process->ended = known[i];
    const json_t *status = json_object_get(line, "status");
    if (json_is_integer(status) && json_integer_value(status) >= 0 &&
        json_integer_value(status) < 65536)
        process->status = (int)json_integer_value(status);
    process->edges = dlw_json_number(line, "edges");
    process->locks = dlw_json_number(line, "locks");
    process->threads = dlw_json_number(line, "threads");
    process->calls = dlw_json_number(line, "calls");
}

static void fill_bounds(struct dlw_doc_process *process, const json_t *line)
{
    process->dropped = dlw_json_number(line, "dropped");
    process->given_up = dlw_json_number(line, "given_up");
    process->untold = dlw_json_number(line, "untold");
}

/* Of this very run, or of one that it contains: "outer.inner". One without an id may be ours, of a
 * program that was started with an environment made anew: better one too many. */
static bool is_of_run(const char *wanted, const char *run)
{
    size_t n = wanted ? strlen(wanted) : 0;
    return !wanted || !run || (strncmp(run, wanted, n) == 0 && (!run[n] || run[n] == '.'));
}

static void read_process(struct dlw_reader *reader, const json_t *line)
{
    if (reader->process) {
        dlw_reader_complain(reader, "a second process line");
        return;
    }
    const json_t *version = json_object_get(line, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1) {
        dlw_reader_complain(reader, "the journal does not name its version");
        reader->refused = true;
        return;
    }
    if (json_integer_value(version) > JOURNAL_VERSION) {
        dlw_reader_complain(reader,
                            "written by a newer dlwatch (journal version %lld, this one reads %d)",
                            (long long)json_integer_value(version), JOURNAL_VERSION);
        reader->refused = true;
        return;
    }
    if (!is_of_run(reader->reading->run, dlw_json_text(line, "run"))) {
        reader->refused = true;
        return;
    }
    check_release(reader, line);
    reader->is_merged = dlw_json_flag(line, "merged");
    struct dlw_doc_process *process = reader->is_merged
                                          ? dlw_region_alloc(reader->region, sizeof(*process))
                                          : dlw_doc_add_process(reader->reading->doc);
    reader->process = process;
    fill_process(reader, process, line);
}

static void read_journal(struct dlw_reader *reader, const json_t *line)
{
    uint64_t id = dlw_reader_new_id(reader, line, "journal");
    struct dlw_raw_journal *raw;
    DLW_BY_ID_FIND(reader->journals, id, raw);
    if (!id || raw || !reader->is_merged)
        return;
    raw = dlw_region_alloc(&reader->own, sizeof(*raw));
    raw->id = id;
    raw->process = dlw_doc_add_process(reader->reading->doc);
    fill_process(reader, raw->process, line);
    fill_end(raw->process, line);
    fill_bounds(raw->process, line);
    DLW_BY_ID_ADD(reader->journals, raw);
}

static void read_off(struct dlw_reader *reader, const json_t *line)
{
    const char *reason = dlw_json_text(line, "reason");
    reader->process->off = dlw_clean(reader->region, reason ? reason : "no reason given");
}

static const char *clean_text(struct dlw_reader *reader, const json_t *line, const char *name)
{
    const char *text = dlw_json_text(line, name);
    return dlw_clean(reader->region, text ? text : "?");
}

static void read_lacks(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_doc_process *process = reader->process;
    struct dlw_doc_lack lack = {clean_text(reader, line, "what"), clean_text(reader, line, "why"),
                                clean_text(reader, line, "effect"),
                                json_is_true(json_object_get(line, "reduces"))};
    process->lacks =
        dlw_region_grow(reader->region, process->lacks, process->n_lacks, sizeof(lack));
    process->lacks[process->n_lacks++] = lack;
}

static void read_note(struct dlw_reader *reader, const json_t *line)
{
    if (reader->reading->doc)
        dlw_doc_note(reader->reading->doc, "%s", clean_text(reader, line, "text"));
}

/* The last line of a deadlock counts. */
static void read_avoided(struct dlw_reader *reader, const json_t *line)
{
    struct dlw_doc_process *process = reader->process;
    struct dlw_doc_avoided avoided = {clean_text(reader, line, "deadlock"),
                                      dlw_json_number(line, "count"),
                                      dlw_json_number(line, "exhausted"),
                                      dlw_json_number(line, "let_go"), dlw_json_flag(line, "off")};
    for (size_t i = 0; i < process->n_avoided; i++)
        if (strcmp(process->avoided[i].deadlock, avoided.deadlock) == 0) {
            process->avoided[i] = avoided;
            return;
        }
    process->avoided =
        dlw_region_grow(reader->region, process->avoided, process->n_avoided, sizeof(avoided));
    process->avoided[process->n_avoided++] = avoided;
}

/* A relative path is mostly taken from the folder that the process began in. */
static void read_unwatched(struct dlw_reader *reader, const json_t *line)
{
    const char *exe = dlw_json_text(line, "exe"), *why = dlw_json_text(line, "why");
    if (!reader->reading->doc)
        return;
    if (!exe || !why) {
        dlw_reader_complain(reader, "an unwatched program without its name");
        return;
    }
    dlw_doc_add_unwatched(reader->reading->doc, exe, why);
    if (strcmp(why, "exe") != 0 && strcmp(why, "no libpthread at start") != 0)
        return;
    reader->process->is_left_alone = true;
    reader->process->ended = "exit"; /* nobody will say */
}

static void read_bounds(struct dlw_reader *reader, const json_t *line)
{
    fill_bounds(reader->process, line);
}

static void read_exec(struct dlw_reader *reader, const json_t *line)
{
    (void)line;
    reader->replaced = true;
}

static void read_end(struct dlw_reader *reader, const json_t *line)
{
    fill_end(reader->process, line);
    if (!reader->process->ended)
        reader->process->ended = "exit";
    reader->ended = true;
}

static const struct {
    const char *type;
    void (*read)(struct dlw_reader *reader, const json_t *line);
} line_types[] = {
    {"process", read_process},
    {"journal", read_journal},
    {"off", read_off},
    {"lacks", read_lacks},
    {"avoided", read_avoided},
    {"note", read_note},
    {"unwatched", read_unwatched},
    {"bounds", read_bounds},
    {"exec", read_exec},
    {"end", read_end},
};

bool dlw_reader_take_of_process(struct dlw_reader *reader, const char *type, const json_t *line)
{
    for (size_t i = 0; i < sizeof(line_types) / sizeof(line_types[0]); i++)
        if (strcmp(line_types[i].type, type) == 0) {
            line_types[i].read(reader, line);
            return true;
        }
    return false;
}
