/*
 * A made-up process for the journal tests: every id up to a limit means something, made from the
 * number alone. And a reader that checks each line as report/JOURNAL.md has it.
 */
#ifndef EMIT_WORLD_H
#define EMIT_WORLD_H

#include "report/emit/journal/journal.h"
#include "tests/unit/emit_files.h"

#include <jansson.h>

enum { WORLD_MODULES = 3, WORLD_STACKS = 1000, WORLD_THREADS = 100000, WORLD_LOCKS = 100000 };

static struct dlw_arena arena;
static struct dlw_journal *journal;
static int world_warnings;
static char world_warning[600];
static bool world_circular; /* thread parents go round */

static inline void world_warn(const char *line)
{
    world_warnings++;
    snprintf(world_warning, sizeof world_warning, "%s", line);
}

static inline bool world_module(void *context, uint32_t id, struct dlw_journal_module *out)
{
    (void)context;
    *out = (struct dlw_journal_module){
        "/usr/bin/bank", (const unsigned char *)"\x5b\x0c", 2, 0x1000 * id, 0x1000 * id, 0x2000};
    return id >= 1 && id <= WORLD_MODULES;
}

/* Stack n: one frame in a module (or a module that is not known), one nowhere, one unknown. */
static inline uint32_t world_stack(void *context, uint32_t id, struct dlw_journal_frame *out,
                                   uint32_t room, bool *cut)
{
    (void)context;
    if (id < 1 || id > WORLD_STACKS || room < 3)
        return 0;
    out[0] = (struct dlw_journal_frame){0x1000 * (id % 5) + 0x234, id % 5, NULL, NULL};
    out[1] = (struct dlw_journal_frame){0x77, 0, NULL, NULL};
    out[2] = (struct dlw_journal_frame){0, 0, "a helper that has returned", NULL};
    *cut = id % 2;
    return 3;
}

static inline bool world_thread(void *context, uint32_t id, struct dlw_journal_thread *out)
{
    static char name[32];

    (void)context;
    snprintf(name, sizeof name, "worker %u", id);
    *out = (struct dlw_journal_thread){id + 16, id - 1, id % 1000, 0, name};
    if (world_circular && id == 1)
        out->parent = 10;
    return id >= 1 && id <= WORLD_THREADS;
}

static inline bool world_lock(void *context, uint64_t id, struct dlw_journal_lock *out)
{
    (void)context;
    *out = (struct dlw_journal_lock){
        .kind = "mutex",
        .attributes = id % 3 ? "recursive robust" : NULL,
        .name = id % 4 ? NULL : "the \"lock\"",
        .class_name = id == 1 ? "a class" : NULL,
        .address = 0x1040 + id,
        .module = id % 5,
        .created = (uint32_t)(id % 7),
        .first = (uint32_t)(id % 11),
        .thread = (uint32_t)(id % 2),
    };
    return id >= 1 && id <= WORLD_LOCKS;
}

static const struct dlw_journal_source world = {NULL, world_module, world_stack, world_thread,
                                                world_lock};
static const char *const world_argv[] = {"bank", "a \"b\" \x01\n", "\xff\xc3\xa4\xed\xa0\x80",
                                         NULL};
static const struct dlw_journal_process world_process = {
    17, 1, "/usr/bin/bank", "/tmp/\t.", world_argv, 1700000000.125, NULL, false};

static inline void world_start(const char *pattern)
{
    world_warnings = 0;
    world_circular = false;
    journal = dlw_journal_new(&arena, &world, &world_process, world_warn);
    if (pattern)
        dlw_journal_to_path(journal, pattern, folder);
}

static inline struct dlw_journal_edge world_edge(uint64_t from, uint64_t to)
{
    return (struct dlw_journal_edge){.from = from, .to = to, .thread = 1, .hold = 1, .want = 2};
}

static inline void add_edge(uint64_t from, uint64_t to)
{
    struct dlw_journal_edge edge = world_edge(from, to);

    dlw_journal_edge(journal, &edge);
}

/* ---- reading ---- */

static bool *seen_of(const char *type)
{
    static bool seen[4][WORLD_LOCKS + 1];
    static const char *const types[] = {"module", "stack", "thread", "lock"};

    if (strcmp(type, "process") == 0)
        memset(seen, 0, sizeof seen);
    for (int i = 0; i < 4; i++)
        if (strcmp(type, types[i]) == 0)
            return seen[i];
    return NULL;
}

static inline void check_reference(const char *type, const json_t *value)
{
    if (!value)
        return;
    json_int_t id = json_integer_value(value);
    /* Not ck_assert, which takes a note of every time it holds. */
    if (id < 1 || id > WORLD_LOCKS || !seen_of(type)[id])
        ck_abort_msg("%s %lld is not there yet", type, (long long)id);
}

static void check_references(const json_t *value);

static inline void check_field(const char *key, const json_t *value)
{
    static const struct {
        const char *key, *type;
    } references[] = {
        {"module", "module"}, {"stack", "stack"},        {"hold", "stack"},  {"want", "stack"},
        {"created", "stack"}, {"first", "stack"},        {"start", "stack"}, {"thread", "thread"},
        {"parent", "thread"}, {"from", "lock"},          {"to", "lock"},     {"lock", "lock"},
        {"for", "lock"},      {"harmless_lock", "lock"},
    };

    for (size_t i = 0; i < sizeof references / sizeof references[0]; i++)
        if (strcmp(key, references[i].key) == 0 && json_is_integer(value))
            check_reference(references[i].type, value);
    if (strcmp(key, "gates") == 0)
        for (size_t i = 0; i < json_array_size(value); i++)
            check_reference("lock", json_array_get(value, i));
    if (strcmp(key, "frames") == 0)
        for (size_t i = 0; i < json_array_size(value); i++) {
            const json_t *module = json_array_get(json_array_get(value, i), 0);
            if (json_is_integer(module) && json_integer_value(module))
                check_reference("module", module);
        }
    check_references(value);
}

static inline void check_references(const json_t *value)
{
    const char *key;
    const json_t *field;

    if (json_is_array(value))
        for (size_t i = 0; i < json_array_size(value); i++)
            check_references(json_array_get(value, i));
    json_object_foreach((json_t *)(uintptr_t)value, key, field) check_field(key, field);
}

/* Every line of the journal as an array, each whole, valid, and after what it refers to. NULL where
 * there is no file. */
static inline json_t *read_lines(const char *path)
{
    char *text = file_text(path);
    json_t *lines = text ? json_array() : NULL;
    json_error_t error;

    for (char *line = text, *end; line && *line; line = end + 1) {
        end = strchr(line, '\n');
        if (!end)
            ck_abort_msg("cut: %.200s", line);
        json_t *object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
        if (!object)
            ck_abort_msg("%s: %.*s", error.text, (int)(end - line), line);
        const char *type = json_string_value(json_object_get(object, "type"));
        if (json_array_size(lines) == 0 && strcmp(type, "process") != 0)
            ck_abort_msg("begins with %s", type);
        bool *seen = seen_of(type);
        check_references(object);
        if (seen)
            seen[json_integer_value(json_object_get(object, "id"))] = true;
        json_array_append_new(lines, object);
    }
    free(text);
    return lines;
}

/* The `n`th line of this type, or NULL. */
static inline json_t *line_of(const json_t *lines, const char *type, size_t n)
{
    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i);
        if (strcmp(json_string_value(json_object_get(line, "type")), type) == 0 && n-- == 0)
            return line;
    }
    return NULL;
}

static inline void assert_field(const json_t *line, const char *key, const char *expected)
{
    char *text = json_dumps(json_object_get(line, key), JSON_ENCODE_ANY | JSON_COMPACT);

    ck_assert_pstr_eq(text, expected);
    free(text);
}

#endif
