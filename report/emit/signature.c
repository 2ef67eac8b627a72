#include "report/emit/signature.h"

#include "graph/finding.h"
#include "graph/kinds.h"

#include <string.h>

#define VERSION "1"

/* ---- the number ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 29;
}

static uint64_t hash_of_place(const struct dlw_signature *s,
                              const struct dlw_signature_place *place)
{
    uint64_t hash = mix(place->mode, place->n);

    for (uint32_t i = 0; i < place->n; i++) {
        const struct dlw_signature_module *module = &s->modules[place->frames[i].module];
        for (uint32_t k = 0; k < module->build_id_size; k++)
            hash = mix(hash, module->build_id[k]);
        hash = mix(hash, place->frames[i].offset);
    }
    return hash;
}

static uint64_t hash_of_step(const struct dlw_signature *s, uint32_t i)
{
    const struct dlw_signature_step *step = &s->steps[i];

    return mix(mix(hash_of_place(s, &step->hold), hash_of_place(s, &step->want)), step->kind);
}

uint64_t dlw_signature_number(const struct dlw_signature *signature)
{
    uint32_t n = signature->n_steps;
    uint64_t least = UINT64_MAX, steps[DLW_SIGNATURE_STEPS];

    for (uint32_t i = 0; i < n; i++)
        steps[i] = hash_of_step(signature, i);
    for (uint32_t from = 0; from < n; from++) {
        uint64_t hash = n;
        for (uint32_t i = 0; i < n; i++)
            hash = mix(hash, steps[(from + i) % n]);
        if (hash < least)
            least = hash;
    }
    return least;
}

/* ---- writing ---- */

static void add_hex(struct dlw_line *line, uint64_t number, unsigned digits)
{
    char text[20];
    char *end = text + sizeof(text), *start = dlw_line_digits(end, number, 16);

    while ((unsigned)(end - start) < digits)
        *--start = '0';
    dlw_line_add_bytes(line, start, (size_t)(end - start));
}

static void add_path(struct dlw_line *line, const char *path)
{
    for (; *path; path++) {
        unsigned char byte = (unsigned char)*path;
        if (byte > ' ' && byte != '%' && byte != '#' && byte != 0x7F) {
            dlw_line_add_bytes(line, path, 1);
        } else {
            dlw_line_add(line, "%");
            add_hex(line, byte, 2);
        }
    }
}

static void add_place(struct dlw_line *line, const struct dlw_signature_place *place)
{
    dlw_line_add(line, " ");
    dlw_line_add(line, dlw_mode_word(place->mode));
    for (uint32_t i = 0; i < place->n; i++) {
        dlw_line_add(line, i ? "," : " ");
        dlw_line_add_number(line, place->frames[i].module);
        dlw_line_add(line, "+");
        add_hex(line, place->frames[i].offset, 1);
    }
}

bool dlw_signature_write(const struct dlw_signature *signature, struct dlw_line *line)
{
    dlw_line_add(line, "avoid " VERSION " ");
    add_hex(line, signature->number, 16);
    for (uint32_t i = 0; i < signature->n_modules; i++) {
        const struct dlw_signature_module *module = &signature->modules[i];
        if (module->build_id_size == 0)
            return false;
        dlw_line_add(line, " module ");
        add_path(line, module->path);
        dlw_line_add(line, " ");
        for (uint32_t k = 0; k < module->build_id_size; k++)
            add_hex(line, module->build_id[k], 2);
    }
    for (uint32_t i = 0; i < signature->n_steps; i++) {
        const struct dlw_signature_step *step = &signature->steps[i];
        dlw_line_add(line, " step ");
        dlw_line_add(line, dlw_lock_kind_word(step->kind));
        dlw_line_add(line, " ");
        dlw_line_add_number(line, step->lock);
        add_place(line, &step->hold);
        add_place(line, &step->want);
    }
    return line->used < line->room;
}

/* ---- reading ---- */

/* The next word, terminated in place; NULL at the end. */
static char *next_word(char **at)
{
    char *start = *at;

    if (*start == 0)
        return NULL;
    char *end = start;
    while (*end && *end != ' ')
        end++;
    *at = *end ? end + 1 : end;
    *end = 0;
    return start;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits up to a byte that is none; false where there are none or too many. */
static bool read_number(const char **at, unsigned base, uint64_t *out)
{
    const char *start = *at;

    *out = 0;
    for (; digit_of(**at) >= 0 && digit_of(**at) < (int)base; ++*at) {
        if (*out > (UINT64_MAX - base) / base)
            return false;
        *out = *out * base + (unsigned)digit_of(**at);
    }
    return *at > start;
}

static bool is_number(const char *word, unsigned base, uint64_t *out)
{
    return word && read_number(&word, base, out) && *word == 0;
}

static bool read_build_id(const char *word, struct dlw_signature_module *module)
{
    uint32_t n = 0;

    for (; word && word[0] && n < DLW_SIGNATURE_BUILD_ID; word += 2) {
        int high = digit_of(word[0]), low = word[1] ? digit_of(word[1]) : -1;
        if (high < 0 || low < 0)
            return false;
        module->build_id[n++] = (unsigned char)(high * 16 + low);
    }
    module->build_id_size = n;
    return n > 0 && *word == 0;
}

static bool read_path(char *word, struct dlw_signature_module *module)
{
    char *to = word;

    module->path = word;
    if (!word)
        return false;
    for (; *word; word++) {
        *to = *word;
        if (*word == '%') {
            int high = digit_of(word[1]), low = high < 0 ? -1 : digit_of(word[2]);
            if (low < 0 || high + low == 0)
                return false;
            *to = (char)(high * 16 + low);
            word += 2;
        }
        to++;
    }
    *to = 0;
    return true;
}

static bool read_mode(const char *word, uint8_t *out)
{
    for (unsigned mode = 0; word && mode < DLW_N_MODES; mode++)
        if (strcmp(word, dlw_mode_word(mode)) == 0) {
            *out = (uint8_t)mode;
            return true;
        }
    return false;
}

static bool read_kind(const char *word, uint8_t *out)
{
    for (unsigned kind = 0; word && kind < DLW_N_LOCK_KINDS; kind++)
        if (strcmp(word, dlw_lock_kind_word(kind)) == 0) {
            *out = (uint8_t)kind;
            return true;
        }
    return false;
}

static bool read_frames(const char *word, uint32_t n_modules, struct dlw_signature_place *place)
{
    uint64_t module;

    place->n = 0;
    while (word && place->n < DLW_SIGNATURE_FRAMES) {
        struct dlw_signature_frame *frame = &place->frames[place->n++];
        if (!read_number(&word, 10, &module) || module >= n_modules || *word++ != '+' ||
            !read_number(&word, 16, &frame->offset))
            return false;
        frame->module = (uint32_t)module;
        if (*word != ',')
            return *word == 0;
        word++;
    }
    return false;
}

static bool read_place(char **at, uint32_t n_modules, struct dlw_signature_place *place)
{
    return read_mode(next_word(at), &place->mode) && read_frames(next_word(at), n_modules, place);
}

static bool read_step(char **at, struct dlw_signature *out)
{
    struct dlw_signature_step *step = &out->steps[out->n_steps++];
    uint64_t lock;

    if (!read_kind(next_word(at), &step->kind) || !is_number(next_word(at), 10, &lock) ||
        lock >= DLW_SIGNATURE_STEPS)
        return false;
    step->lock = (uint32_t)lock;
    return read_place(at, out->n_modules, &step->hold) &&
           read_place(at, out->n_modules, &step->want);
}

static uint32_t count_words(const char *line, const char *wanted)
{
    uint32_t n = 0;
    size_t length = strlen(wanted);

    for (const char *at = line; (at = strstr(at, wanted)); at += length)
        n++;
    return n;
}

static const char *read_parts(char *at, struct dlw_signature *out, uint32_t modules, uint32_t steps)
{
    for (char *word; (word = next_word(&at));) {
        if (strcmp(word, "module") == 0 && out->n_modules < modules && out->n_steps == 0) {
            struct dlw_signature_module *module = &out->modules[out->n_modules++];
            if (!read_path(next_word(&at), module) || !read_build_id(next_word(&at), module))
                return "a module that can't be read";
        } else if (strcmp(word, "step") == 0 && out->n_steps < steps) {
            if (!read_step(&at, out))
                return "a step that can't be read";
        } else {
            return "a word that is not known";
        }
    }
    return out->n_steps < 2 ? "less than two steps" : NULL;
}

const char *dlw_signature_read(char *line, struct dlw_arena *arena, struct dlw_signature *out)
{
    char *comment = strchr(line, '#');

    memset(out, 0, sizeof(*out));
    if (comment)
        *comment = 0;
    for (size_t n = strlen(line); n && (line[n - 1] == ' ' || line[n - 1] == '\r');)
        line[--n] = 0;
    if (!*line)
        return NULL;
    const char *word = next_word(&line);
    if (strcmp(word, "avoid") != 0)
        return "it does not begin with 'avoid'";
    word = next_word(&line);
    if (!word || strcmp(word, VERSION) != 0)
        return "of a version that this dlwatch does not know";
    if (!is_number(next_word(&line), 16, &out->number))
        return "its number can't be read";
    uint32_t modules = count_words(line, "module "), steps = count_words(line, "step ");
    if (steps > DLW_SIGNATURE_STEPS)
        return "too many steps";
    out->modules = dlw_arena_alloc(arena, (modules + 1) * sizeof(*out->modules));
    out->steps = dlw_arena_alloc(arena, (steps + 1) * sizeof(*out->steps));
    if (!out->modules || !out->steps)
        return "out of memory";
    const char *wrong = read_parts(line, out, modules, steps);
    if (!wrong && dlw_signature_number(out) != out->number)
        wrong = "it does not fit its number";
    if (wrong)
        out->n_steps = 0;
    return wrong;
}
