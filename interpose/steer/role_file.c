#include "interpose/steer/role_file.h"

#include "graph/kinds.h"

#include <string.h>

struct reader {
    struct dlw_role_file *file;
    struct dlw_arena *arena;
    struct dlw_role_cycle **next_cycle;
    struct dlw_role_setting **next_setting;
    struct dlw_role_cycle *cycle;
    struct dlw_role *role;
    const char *why;
};

static bool fails(struct reader *reader, const char *why)
{
    reader->why = why;
    return false;
}

/* The word at *at, ended by a NUL; *at goes behind it. NULL: there is none. */
static char *next_word(char **at)
{
    while (**at == ' ')
        ++*at;
    if (!**at)
        return NULL;
    char *word = *at;
    while (**at && **at != ' ')
        ++*at;
    if (**at)
        *(*at)++ = 0;
    return word;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Stops at what is no digit; false where none is or it is too large. */
static bool read_number(const char **at, unsigned base, uint64_t *out)
{
    const char *start = *at;
    uint64_t number = 0;

    for (int digit; (digit = digit_of(**at)) >= 0 && (unsigned)digit < base; ++*at) {
        if (number > (UINT64_MAX - base) / base)
            return false;
        number = number * base + (unsigned)digit;
    }
    *out = number;
    return *at != start;
}

static bool read_build_id(struct dlw_role_module *module, const char *hex)
{
    if (strcmp(hex, "-") == 0)
        return true;
    for (; hex[0]; hex += 2) {
        int high = digit_of(hex[0]), low = high < 0 ? -1 : digit_of(hex[1]);
        if (low < 0 || module->build_id_size == DLW_ROLE_BUILD_ID)
            return false;
        module->build_id[module->build_id_size++] = (unsigned char)(high << 4 | low);
    }
    return true;
}

static bool add_module(struct reader *reader, struct dlw_role_module *module)
{
    struct dlw_role_file *file = reader->file;

    if (file->n_modules == file->room) {
        uint32_t room = file->room ? file->room * 2 : 8;
        void *larger =
            dlw_arena_resize(reader->arena, file->modules, file->room * sizeof(*file->modules),
                             room * sizeof(*file->modules));
        if (!larger)
            return fails(reader, "out of memory");
        file->modules = larger;
        file->room = room;
    }
    file->modules[file->n_modules++] = module;
    return true;
}

static bool read_module(struct reader *reader, char *rest)
{
    const char *number = next_word(&rest), *build_id = next_word(&rest);
    struct dlw_role_module *module = dlw_arena_alloc(reader->arena, sizeof(*module));
    uint64_t n;

    if (!module)
        return fails(reader, "out of memory");
    if (!number || !build_id || !*rest || !read_number(&number, 10, &n) || *number ||
        n != reader->file->n_modules + 1U || !read_build_id(module, build_id))
        return fails(reader, "no module, or not the next one");
    module->path = rest;
    return add_module(reader, module);
}

static bool read_setting(struct reader *reader, char *rest)
{
    struct dlw_role_setting *setting = dlw_arena_alloc(reader->arena, sizeof(*setting));

    if (!setting)
        return fails(reader, "out of memory");
    setting->key = next_word(&rest);
    setting->value = rest;
    if (!setting->key)
        return fails(reader, "nothing is set");
    *reader->next_setting = setting;
    reader->next_setting = &setting->next;
    return true;
}

/* The cycle that was being read is whole, or forgotten. */
static bool end_cycle(struct reader *reader)
{
    struct dlw_role_cycle *cycle = reader->cycle;

    reader->cycle = NULL;
    reader->role = NULL;
    if (!cycle)
        return true;
    for (uint32_t i = 0; i < cycle->n; i++)
        if (!cycle->roles[i]->second.n ||
            (!cycle->roles[i]->first.n && !dlw_role_has_no_first(cycle->roles[i]->held_kind)))
            return fails(reader, "a role before this line lacks a place");
    if (cycle->n < 2)
        return fails(reader, "a cycle before this line has no two roles");
    *reader->next_cycle = cycle;
    reader->next_cycle = &cycle->next;
    return true;
}

static bool read_cycle(struct reader *reader, char *rest)
{
    if (!end_cycle(reader))
        return false;
    reader->cycle = dlw_arena_alloc(reader->arena, sizeof(*reader->cycle));
    if (!reader->cycle)
        return fails(reader, "out of memory");
    reader->cycle->fingerprint = next_word(&rest);
    return reader->cycle->fingerprint || fails(reader, "a cycle without its fingerprint");
}

static int find_word(const char *(*word_of)(unsigned), unsigned n, const char *word)
{
    for (unsigned i = 0; word && i < n; i++)
        if (strcmp(word_of(i), word) == 0)
            return (int)i;
    return -1;
}

static bool read_role(struct reader *reader, char *rest)
{
    struct dlw_role_cycle *cycle = reader->cycle;
    int held_kind = find_word(dlw_lock_kind_word, DLW_N_LOCK_KINDS, next_word(&rest));
    int held_mode = find_word(dlw_mode_word, DLW_N_MODES, next_word(&rest));
    int wanted_kind = find_word(dlw_lock_kind_word, DLW_N_LOCK_KINDS, next_word(&rest));
    int wanted_mode = find_word(dlw_mode_word, DLW_N_MODES, next_word(&rest));

    if (held_kind < 0 || held_mode < 0 || wanted_kind < 0 || wanted_mode < 0)
        return fails(reader, "not the kinds and modes of two locks");
    if (!cycle || cycle->n == DLW_ROLE_STEPS)
        return fails(reader, "a role of no cycle, or one too many");
    struct dlw_role *role = dlw_arena_alloc(reader->arena, sizeof(*role));
    if (!role)
        return fails(reader, "out of memory");
    role->cycle = cycle;
    role->step = cycle->n;
    role->held_kind = (uint8_t)held_kind;
    role->held_mode = (uint8_t)held_mode;
    role->wanted_kind = (uint8_t)wanted_kind;
    role->wanted_mode = (uint8_t)wanted_mode;
    cycle->roles[cycle->n++] = reader->role = role;
    return true;
}

/* N+FROM-TO */
static bool read_range(struct reader *reader, const char **at, struct dlw_role_range **list)
{
    uint64_t module, from, to;

    if (!read_number(at, 10, &module) || *(*at)++ != '+' || !read_number(at, 16, &from) ||
        *(*at)++ != '-' || !read_number(at, 16, &to))
        return fails(reader, "no range of addresses");
    if (module == 0 || module > reader->file->n_modules || from >= to)
        return fails(reader, "a range of no module, or an empty one");
    struct dlw_role_range *range = dlw_arena_alloc(reader->arena, sizeof(*range));
    if (!range)
        return fails(reader, "out of memory");
    *range = (struct dlw_role_range){(uint32_t)module - 1, from, to, *list};
    *list = range;
    return true;
}

/* N+OFFSET */
static bool read_variable(struct reader *reader, char *rest, bool is_held)
{
    const char *at = next_word(&rest);
    uint64_t module, offset;

    if (!reader->role)
        return fails(reader, "a lock of no role");
    if (!at || !read_number(&at, 10, &module) || *at++ != '+' || !read_number(&at, 16, &offset) ||
        *at || module == 0 || module > reader->file->n_modules)
        return fails(reader, "no variable of a module");
    *(is_held ? &reader->role->held : &reader->role->wanted) =
        (struct dlw_role_variable){true, (uint32_t)module - 1, offset};
    return true;
}

static bool read_frame(struct reader *reader, char *rest, bool is_first)
{
    if (!reader->role)
        return fails(reader, "a place of no role");
    struct dlw_role_place *place = is_first ? &reader->role->first : &reader->role->second;
    const char *at = next_word(&rest);
    if (!at || place->n == DLW_ROLE_FRAMES)
        return fails(reader, "no place, or too many frames");
    for (;; at++) {
        if (!read_range(reader, &at, &place->frames[place->n]))
            return false;
        if (*at != ',')
            break;
    }
    place->n++;
    return !*at || fails(reader, "no range of addresses");
}

static bool read_line(struct reader *reader, char *line)
{
    const char *word = next_word(&line);

    if (!word || word[0] == '#')
        return true;
    while (*line == ' ')
        line++;
    if (strcmp(word, "set") == 0)
        return read_setting(reader, line);
    if (strcmp(word, "module") == 0)
        return read_module(reader, line);
    if (strcmp(word, "cycle") == 0)
        return read_cycle(reader, line);
    if (strcmp(word, "role") == 0)
        return read_role(reader, line);
    if (strcmp(word, "holds") == 0 || strcmp(word, "wants") == 0)
        return read_variable(reader, line, word[0] == 'h');
    if (strcmp(word, "first") == 0 || strcmp(word, "second") == 0)
        return read_frame(reader, line, word[0] == 'f');
    return fails(reader, "an unknown word");
}

bool dlw_role_file_parse(struct dlw_role_file *out, struct dlw_arena *arena, char *text,
                         unsigned *line, const char **why)
{
    static const char header[] = "dlwatch-roles 1";
    struct reader reader = {.file = out, .arena = arena};

    memset(out, 0, sizeof(*out));
    reader.next_cycle = &out->cycles;
    reader.next_setting = &out->settings;
    *line = 1;
    *why = "not a file of roles that this version reads";
    for (char *next; text; text = next, ++*line) {
        next = strchr(text, '\n');
        if (next)
            *next++ = 0;
        bool is_good = *line == 1 ? strcmp(text, header) == 0 : read_line(&reader, text);
        *why = reader.why ? reader.why : *why;
        if (!is_good)
            return false;
    }
    bool is_whole = end_cycle(&reader);
    *why = reader.why;
    return is_whole;
}

const char *dlw_role_file_setting(const struct dlw_role_file *file, const char *key)
{
    for (const struct dlw_role_setting *s = file->settings; s; s = s->next)
        if (strcmp(s->key, key) == 0)
            return s->value;
    return NULL;
}

uint64_t dlw_role_file_number(const struct dlw_role_file *file, const char *key, uint64_t otherwise)
{
    const char *at = dlw_role_file_setting(file, key);
    uint64_t number;

    return at && read_number(&at, 10, &number) && !*at ? number : otherwise;
}
