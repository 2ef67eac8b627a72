/* A journal as bytes: cut into lines, each parsed alone; how its process ended. */
#include "report/command/journal/raw.h"

#include "report/command/base/clean.h"
#include "report/command/base/command.h"
#include "report/command/journal/json_get.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINE = 64 * 1024 * 1024 };

struct dlw_reader *dlw_reader_new(const struct dlw_reading *reading, const char *path)
{
    struct dlw_reader *reader = calloc(1, sizeof(*reader));
    if (!reader) {
        dlw_message("out of memory");
        exit(DLW_STATUS_TROUBLE);
    }
    reader->reading = reading;
    reader->region = &reading->doc->region;
    reader->path = dlw_clean(reader->region, path);
    return reader;
}

struct dlw_doc_process *dlw_reader_process(struct dlw_reader *reader)
{
    return reader->process;
}

static void complain_of_text(struct dlw_reader *reader, const char *text, const json_error_t *error,
                             bool whole)
{
    if (!reader->process && reader->line == 1 && text[0] == '<') {
        dlw_reader_complain(reader, "not a dlwatch journal but a page, as report --format=html "
                                    "writes it from the journals");
        reader->refused = true;
    } else if (!reader->process && reader->line == 1 && strcmp(text, "{") == 0) {
        dlw_reader_complain(reader, "not a dlwatch journal, maybe a report of --format=json: "
                                    "--baseline and dlwatch diff read those");
        reader->refused = true;
    } else if (!reader->process) {
        dlw_reader_complain(reader, "not a dlwatch journal: %s", error->text);
        reader->refused = true;
    } else if (!whole) {
        dlw_reader_complain(reader, "the journal is cut off in this line; what stands before it "
                                    "was read");
    } else {
        dlw_reader_complain(reader, "damaged line: %s", error->text);
    }
}

static void read_line(struct dlw_reader *reader, const char *text, size_t n, bool whole)
{
    reader->line++;
    if (reader->refused || strspn(text, " \t\r") >= n)
        return;
    json_error_t error;
    json_t *line = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!line)
        complain_of_text(reader, text, &error, whole);
    else if (!json_is_object(line))
        dlw_reader_complain(reader, "damaged line: not an object");
    else
        dlw_reader_take(reader, line);
    json_decref(line);
}

static bool keep_partial(struct dlw_reader *reader, const char *bytes, size_t n)
{
    if (reader->n_partial + n > MAX_LINE) {
        reader->line++;
        dlw_reader_complain(reader, "a line longer than %d bytes", MAX_LINE);
        reader->refused = true;
        reader->n_partial = 0;
        return false;
    }
    if (reader->n_partial + n + 1 > reader->room) {
        size_t room = 2 * (reader->n_partial + n + 1);
        char *grown = realloc(reader->partial, room);
        if (!grown) {
            dlw_message("out of memory");
            exit(DLW_STATUS_TROUBLE);
        }
        reader->partial = grown;
        reader->room = room;
    }
    memcpy(reader->partial + reader->n_partial, bytes, n);
    reader->n_partial += n;
    reader->partial[reader->n_partial] = '\0';
    return true;
}

void dlw_reader_feed(struct dlw_reader *reader, const char *bytes, size_t n)
{
    while (n && !reader->refused) {
        const char *end = memchr(bytes, '\n', n);
        size_t length = end ? (size_t)(end - bytes) : n;
        if (!keep_partial(reader, bytes, length) || !end)
            return;
        read_line(reader, reader->partial, reader->n_partial, true);
        if (reader->reading->attend)
            reader->reading->attend(reader->reading->attend_context);
        reader->n_partial = 0;
        bytes += length + 1;
        n -= length + 1;
    }
}

bool dlw_reader_has_refused(const struct dlw_reader *reader)
{
    return reader->refused;
}

/* Did the process that has this pid now begin after the journal's own did? Tests run one program
 * again and again, and pids come round. */
static bool is_younger(const struct dlw_doc_process *process)
{
    enum { SLACK = 2 }; /* seconds: clocks are set now and then */
    struct timespec boot, now;
    char path[64], text[2048];
    snprintf(path, sizeof(path), "/proc/%u/stat", process->pid);
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file)
        fclose(file);
    text[n] = '\0';
    const char *at = strrchr(text, ')');
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || process->start <= 0)
        return false;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &now);
    double booted = (double)(now.tv_sec - boot.tv_sec);
    return booted + strtod(at, NULL) / (double)sysconf(_SC_CLK_TCK) > process->start + SLACK;
}

/* Does the process still run? Its pid may have been given to another since. */
static bool is_running(const struct dlw_doc_process *process)
{
    char link[64], exe[4096];
    if (!process->pid || !process->exe || kill((pid_t)process->pid, 0) != 0 || is_younger(process))
        return false;
    snprintf(link, sizeof(link), "/proc/%u/exe", process->pid);
    ssize_t n = readlink(link, exe, sizeof(exe) - 1);
    return n > 0 && strlen(process->exe) == (size_t)n && memcmp(exe, process->exe, (size_t)n) == 0;
}

void dlw_reader_look_again(struct dlw_reader *reader, const char *line, size_t n)
{
    json_error_t error;
    json_t *json = reader->process ? json_loadb(line, n, 0, &error) : NULL;
    if (json)
        reader->process->cut = dlw_clean(reader->region, dlw_json_text(json, "cut"));
    json_decref(json);
}

static void settle_end(struct dlw_reader *reader)
{
    struct dlw_doc_process *process = reader->process;
    if (!process || process->ended || reader->is_merged)
        return;
    if (reader->replaced)
        process->ended = "exec";
    else if (is_running(process))
        process->ended = "running";
    else if (!process->cut && !process->off)
        /* one that was cut says why; after switching itself off the library may be silent */
        process->ended = "killed";
    if (reader->waits)
        dlw_reader_build_waits(reader, reader->waits);
}

static void count_what_was_seen(struct dlw_reader *reader)
{
    if (!reader->process || reader->ended)
        return;
    reader->process->edges = reader->edges;
    reader->process->locks = HASH_COUNT(reader->locks);
    reader->process->threads = HASH_COUNT(reader->threads);
}

bool dlw_reader_close(struct dlw_reader *reader)
{
    if (reader->n_partial && !reader->refused) {
        if (!reader->reading->growing)
            read_line(reader, reader->partial, reader->n_partial, false);
        else
            dlw_doc_note(reader->reading->doc, "%s ends in the middle of a line", reader->path);
    } else if (!reader->process && !reader->refused && !reader->reading->growing) {
        reader->line = 1;
        dlw_reader_complain(reader, "not a dlwatch journal: it is empty");
    }
    settle_end(reader);
    if (reader->process && reader->process->cut && !reader->reading->growing)
        dlw_reader_complain(reader,
                            "the journal ends early: %s; what happened after that is not known",
                            reader->process->cut);
    count_what_was_seen(reader);
    dlw_reader_promote(reader);
    bool whole = reader->complaints == 0;
    const struct dlw_line_sink *sink = reader->reading->sink;
    if (sink && reader->process)
        sink->closing(sink->context, reader);
    HASH_CLEAR(hh, reader->modules);
    HASH_CLEAR(hh, reader->stacks);
    HASH_CLEAR(hh, reader->threads);
    HASH_CLEAR(hh, reader->locks);
    HASH_CLEAR(hh, reader->findings);
    HASH_CLEAR(hh, reader->journals);
    json_decref(reader->waits);
    json_decref(reader->withheld);
    dlw_region_free(&reader->own);
    free(reader->partial);
    free(reader);
    return whole;
}
