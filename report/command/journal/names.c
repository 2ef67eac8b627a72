#include "report/command/journal/names.h"

#include "report/command/base/clean.h"
#include "report/command/base/rights.h"
#include "report/command/journal/json_get.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

enum { MOST_FRAMES = 64 };
static const char line_begin[] = "{\"type\":\"place\",";

struct place {
    char key[160]; /* build id and offset */
    struct dlw_frame *frames;
    size_t n;
    UT_hash_handle hh;
};

struct places {
    struct place *table;
    struct dlw_region region;
    struct dlw_doc *doc;
    FILE *out;
    bool any_nameless;
};

static bool make_key(char *key, size_t room, const char *build_id, uint64_t offset)
{
    int n = snprintf(key, room, "%s+%llx", build_id, (unsigned long long)offset);
    return n > 0 && (size_t)n < room;
}

/* NULL: it is there already, or can't be told. */
static struct place *add_place(struct places *places, const char *build_id, uint64_t offset)
{
    char key[sizeof(((struct place *)0)->key)];
    struct place *place;
    if (!build_id || !make_key(key, sizeof(key), build_id, offset))
        return NULL;
    HASH_FIND_STR(places->table, key, place);
    if (place)
        return NULL;
    place = dlw_region_alloc(&places->region, sizeof(*place));
    memcpy(place->key, key, sizeof(key));
    HASH_ADD_STR(places->table, key, place);
    return place;
}

static void each_stack(struct dlw_doc_finding *finding, struct places *places,
                       void (*visit)(struct places *places, struct dlw_stack *stack))
{
    for (size_t i = 0; i < finding->n_cycle; i++) {
        visit(places, &finding->cycle[i].holds.stack);
        visit(places, &finding->cycle[i].wants.stack);
    }
}

static void drop(struct places *places)
{
    HASH_CLEAR(hh, places->table);
    dlw_region_free(&places->region);
}

/* ---- writing ---- */

static json_t *frame_json(const struct dlw_frame *frame)
{
    json_t *json = json_object();
    json_object_set_new(json, "function", json_string(frame->function));
    if (frame->file)
        json_object_set_new(json, "file", json_string(frame->file));
    if (frame->folder)
        json_object_set_new(json, "folder", json_string(frame->folder));
    if (frame->line)
        json_object_set_new(json, "line", json_integer(frame->line));
    return json;
}

/* The frames of one address: all but the last are inlined. */
static void write_place(struct places *places, const struct dlw_frame *frames, size_t n)
{
    if (!frames->function || !add_place(places, frames->build_id, frames->offset))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < n && frames[i].function; i++)
        json_array_append_new(list, frame_json(&frames[i]));
    char *text = json_dumps(list, JSON_COMPACT);
    if (text)
        fprintf(places->out, "%s\"build_id\":\"%s\",\"offset\":\"0x%llx\",\"frames\":%s}\n",
                line_begin, frames->build_id, (unsigned long long)frames->offset, text);
    free(text);
    json_decref(list);
}

static void write_stack(struct places *places, struct dlw_stack *stack)
{
    for (size_t i = 0, n; i < stack->n; i += n) {
        n = 1;
        while (stack->frames[i + n - 1].inlined && i + n < stack->n)
            n++;
        write_place(places, &stack->frames[i], n);
    }
}

static int open_journal(const char *path)
{
    struct stat state;
    int descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor >= 0 && (fstat(descriptor, &state) != 0 || !S_ISREG(state.st_mode))) {
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static void keep_of(const struct dlw_doc *doc, const struct dlw_doc_process *process)
{
    struct places places = {0};
    char *text = NULL;
    size_t size = 0;
    places.out = open_memstream(&text, &size);
    if (!places.out)
        return;
    for (size_t i = 0; i < doc->n_findings; i++)
        if (doc->findings[i]->process == process)
            each_stack(doc->findings[i], &places, write_stack);
    fclose(places.out);
    int descriptor = size ? open_journal(process->journal) : -1;
    /* One write, as every line of a journal. */
    if (descriptor >= 0 && write(descriptor, text, size) < 0)
        size = 0;
    if (descriptor >= 0)
        close(descriptor);
    free(text);
    drop(&places);
}

void dlw_names_keep(const struct dlw_doc *doc)
{
    for (size_t i = 0; i < doc->n_processes; i++) {
        const struct dlw_doc_process *process = doc->processes[i];
        if (process->journal && process->ended && strcmp(process->ended, "running") != 0)
            keep_of(doc, process);
    }
}

/* ---- reading ---- */

static void read_frames(struct places *places, struct place *place, const json_t *list)
{
    struct dlw_region *region = &places->doc->region;
    size_t n = json_array_size(list), i;
    json_t *json;
    place->frames = dlw_region_alloc(region, (n + 1) * sizeof(*place->frames));
    json_array_foreach(list, i, json)
    {
        struct dlw_frame *frame = &place->frames[place->n];
        frame->function = dlw_clean(region, dlw_json_text(json, "function"));
        frame->file = dlw_clean(region, dlw_json_text(json, "file"));
        frame->folder = dlw_clean(region, dlw_json_text(json, "folder"));
        frame->line = (unsigned)dlw_json_number(json, "line");
        frame->inlined = i + 1 < n;
        place->n += frame->function != NULL && place->n < MOST_FRAMES;
    }
}

static void read_line(struct places *places, const char *text, size_t size)
{
    json_t *line = json_loadb(text, size, 0, NULL);
    struct place *place =
        line ? add_place(places, dlw_json_text(line, "build_id"), dlw_json_address(line, "offset"))
             : NULL;
    if (place)
        read_frames(places, place, json_object_get(line, "frames"));
    json_decref(line);
}

static void read_journal(struct places *places, const char *path)
{
    int descriptor = dlw_open_regular(path);
    FILE *in = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while (in && (n = getline(&line, &room, in)) > 0)
        if (strncmp(line, line_begin, sizeof(line_begin) - 1) == 0)
            read_line(places, line, (size_t)n);
    free(line);
    if (in)
        fclose(in);
}

static const struct place *place_of(const struct places *places, const struct dlw_frame *frame)
{
    char key[sizeof(((struct place *)0)->key)];
    struct place *place = NULL;
    if (!frame->unknown && !frame->function && frame->module && frame->build_id &&
        make_key(key, sizeof(key), frame->build_id, frame->offset))
        HASH_FIND_STR(places->table, key, place);
    return place;
}

static void append(struct places *places, struct dlw_stack *stack, const struct dlw_frame *frame)
{
    stack->frames =
        dlw_region_grow(&places->doc->region, stack->frames, stack->n, sizeof(*stack->frames));
    stack->frames[stack->n++] = *frame;
}

static void restore_stack(struct places *places, struct dlw_stack *stack)
{
    struct dlw_stack named = {.cut = stack->cut};
    for (size_t i = 0; i < stack->n; i++) {
        const struct place *place = place_of(places, &stack->frames[i]);
        if (!place || !place->n) {
            append(places, &named, &stack->frames[i]);
            continue;
        }
        for (size_t k = 0; k < place->n; k++) {
            struct dlw_frame frame = place->frames[k];
            frame.pc = stack->frames[i].pc;
            frame.offset = stack->frames[i].offset;
            frame.module = stack->frames[i].module;
            frame.build_id = stack->frames[i].build_id;
            append(places, &named, &frame);
        }
    }
    *stack = named;
}

static void look_for_nameless(struct places *places, struct dlw_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++)
        if (!stack->frames[i].unknown && !stack->frames[i].function && stack->frames[i].build_id)
            places->any_nameless = true;
}

void dlw_names_restore(struct dlw_doc *doc)
{
    struct places places = {.doc = doc};
    for (size_t i = 0; i < doc->n_findings; i++)
        each_stack(doc->findings[i], &places, look_for_nameless);
    if (!places.any_nameless)
        return;
    for (size_t i = 0; i < doc->n_processes; i++)
        if (doc->processes[i]->journal)
            read_journal(&places, doc->processes[i]->journal);
    for (size_t i = 0; i < doc->n_findings && places.table; i++)
        each_stack(doc->findings[i], &places, restore_stack);
    drop(&places);
}
