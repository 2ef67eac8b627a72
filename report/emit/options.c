/*
 * The parser walks the text once; every key is looked up in the one table. Nothing here calls the
 * system: the same object is linked into the library and into the command.
 */
#include "report/emit/options.h"

#include "report/emit/line.h"

#include <stdbool.h>
#include <string.h>

enum option_type { OPTION_TEXT, OPTION_NUMBER, OPTION_WORD };

struct option {
    const char *key;
    enum option_type type;
    size_t offset; /* of its field in struct dlw_options */
    const char *preload, *run, *values, *help;
};

static const struct option table[] = {
#define DLW_OPTION(key, type, preload, run, values, help_text)                                     \
    {#key, OPTION_##type, offsetof(struct dlw_options, key), preload, run, values, help_text},
#include "report/emit/options.def"
#undef DLW_OPTION
};

enum { N_OPTIONS = sizeof table / sizeof table[0], LINE_BYTES = 512, SHOWN_BYTES = 100 };

/* A part of the text; `quoted` ones may hold doubled quotes that stand for one. */
struct slice {
    const char *start;
    size_t size;
    bool quoted;
};

struct parser {
    struct dlw_options *out;
    char *storage;
    size_t storage_left;
    dlw_options_warn *warn;
    void *context;
};

static bool is_separator(char c)
{
    return c == ':' || c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool slice_is(const struct slice *slice, const char *text)
{
    return strlen(text) == slice->size && memcmp(text, slice->start, slice->size) == 0;
}

/* What the user wrote, fit for one line of a terminal. */
static void add_slice(struct dlw_line *line, const struct slice *slice)
{
    size_t shown = slice->size < SHOWN_BYTES ? slice->size : SHOWN_BYTES;

    for (size_t i = 0; i < shown; i++) {
        char c = slice->start[i];
        dlw_line_add_bytes(line, (unsigned char)c < ' ' || c == 0x7f ? "?" : &c, 1);
    }
    if (shown < slice->size)
        dlw_line_add(line, "...");
}

/* ---- near misses ---- */

enum { NEAR_MAX = 24 };

/* Levenshtein's distance, one row at a time. */
static unsigned distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    unsigned row[NEAR_MAX + 1];

    for (unsigned j = 0; j <= b_size; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a_size; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned best = diagonal + (a[i - 1] != b[j - 1]);
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[b_size];
}

/* The key that was probably meant, or NULL: at most two slips, and fewer than half the letters. */
static const char *nearest_key(const struct slice *key)
{
    const char *found = NULL;
    unsigned best = 3;

    if (key->size > NEAR_MAX)
        return NULL;
    for (size_t i = 0; i < N_OPTIONS; i++) {
        size_t size = strlen(table[i].key);
        unsigned slips = size <= NEAR_MAX ? distance(key->start, key->size, table[i].key, size) : 3;
        if (slips < best && 2 * slips < size) {
            best = slips;
            found = table[i].key;
        }
    }
    return found;
}

/* ---- warnings ---- */

static void warn_unknown(struct parser *parser, const struct slice *key)
{
    char text[LINE_BYTES];
    struct dlw_line line = DLW_LINE(text);
    const char *near = nearest_key(key);

    dlw_line_add(&line, "unknown option '");
    add_slice(&line, key);
    dlw_line_add(&line, "'");
    if (near) {
        dlw_line_add(&line, " (did you mean '");
        dlw_line_add(&line, near);
        dlw_line_add(&line, "'?)");
    }
    parser->warn(parser->context, text);
}

/* "option 'key' " and what is wrong, with the value where there is one. */
static void warn_bad(struct parser *parser, const struct option *option, const char *problem,
                     const struct slice *value)
{
    char text[LINE_BYTES];
    struct dlw_line line = DLW_LINE(text);

    dlw_line_add(&line, "option '");
    dlw_line_add(&line, option->key);
    dlw_line_add(&line, "' ");
    dlw_line_add(&line, problem);
    if (value) {
        dlw_line_add(&line, " '");
        add_slice(&line, value);
        dlw_line_add(&line, "' (allowed: ");
        dlw_line_add(&line, option->values);
        dlw_line_add(&line, ")");
    }
    dlw_line_add(&line, option->preload[0] ? "; using " : "; ignored");
    dlw_line_add(&line, option->preload);
    parser->warn(parser->context, text);
}

/* ---- values ---- */

static bool number_read(const char **text, const char *end, long *out)
{
    const char *start = *text;
    long number = 0;

    for (; *text < end && **text >= '0' && **text <= '9'; ++*text) {
        if (number > 100000000000000)
            return false;
        number = number * 10 + (**text - '0');
    }
    *out = number;
    return *text > start;
}

static bool number_in_range(const char *range, const struct slice *value, long *out)
{
    const char *range_end = range + strlen(range);
    const char *at = value->start;
    long low = 0;
    long high = 0;

    number_read(&range, range_end, &low);
    range++; /* the dash */
    number_read(&range, range_end, &high);
    return number_read(&at, value->start + value->size, out) && at == value->start + value->size &&
           *out >= low && *out <= high;
}

/* The place of `value` in "a|b|c", or -1. */
static int word_index(const char *words, const struct slice *value)
{
    for (int index = 0;; index++) {
        size_t size = strcspn(words, "|");
        if (size == value->size && memcmp(words, value->start, size) == 0)
            return index;
        if (!words[size])
            return -1;
        words += size + 1;
    }
}

/* Copies into the storage, undoing doubled quotes. NULL: no room. */
static const char *store_text(struct parser *parser, const struct slice *value)
{
    char *copy = parser->storage;
    size_t used = 0;

    if (value->size >= parser->storage_left)
        return NULL;
    for (size_t i = 0; i < value->size; i++) {
        copy[used++] = value->start[i];
        if (value->quoted && value->start[i] == '\'')
            i++;
    }
    copy[used++] = '\0';
    parser->storage += used;
    parser->storage_left -= used;
    return copy;
}

/* False: the value is not one of this option's. A NULL text means unset. */
static bool set_field(struct dlw_options *out, const struct option *option,
                      const struct slice *value, const char *text)
{
    char *field = (char *)out + option->offset;
    long number = 0;
    int word;

    switch (option->type) {
    case OPTION_TEXT:
        memcpy(field, &text, sizeof text);
        return true;
    case OPTION_NUMBER:
        if (!number_in_range(option->values, value, &number))
            return false;
        memcpy(field, &number, sizeof number);
        return true;
    case OPTION_WORD:
        word = word_index(option->values, value);
        if (word < 0)
            return false;
        memcpy(field, &word, sizeof word);
        return true;
    }
    return false;
}

static void set_default(struct dlw_options *out, const struct option *option)
{
    struct slice value = {option->preload, strlen(option->preload), false};

    set_field(out, option, &value, value.size ? option->preload : NULL);
}

static void take_value(struct parser *parser, const struct option *option,
                       const struct slice *value)
{
    const char *text = NULL;

    set_default(parser->out, option);
    if (option->type == OPTION_TEXT) {
        if (value->size == 0)
            return; /* "report=" unsets what came before */
        text = store_text(parser, value);
        if (!text) {
            warn_bad(parser, option, "is too long", NULL);
            return;
        }
    }
    if (!set_field(parser->out, option, value, text))
        warn_bad(parser, option, "can't be", value);
}

/* ---- the text ---- */

static const struct option *find_option(const struct slice *key)
{
    for (size_t i = 0; i < N_OPTIONS; i++)
        if (slice_is(key, table[i].key))
            return &table[i];
    return NULL;
}

/* Reads up to the closing quote; `at` stands on the opening one. False: there is none, or
 * something sticks to it. */
static bool read_quoted(const char **at, struct slice *value)
{
    const char *c = *at + 1;

    value->start = c;
    value->quoted = true;
    while (*c && (*c != '\'' || c[1] == '\''))
        c += *c == '\'' ? 2 : 1;
    value->size = (size_t)(c - value->start);
    *at = *c ? c + 1 : c;
    return *c && (!c[1] || is_separator(c[1]));
}

static bool read_value(const char **at, struct slice *value)
{
    if (**at == '\'')
        return read_quoted(at, value);
    value->start = *at;
    while (**at && !is_separator(**at))
        ++*at;
    value->size = (size_t)(*at - value->start);
    value->quoted = false;
    return true;
}

static void take_pair(struct parser *parser, const char **at)
{
    struct slice key = {*at, 0, false};
    struct slice value = {NULL, 0, false};

    while (**at && **at != '=' && !is_separator(**at))
        ++*at;
    key.size = (size_t)(*at - key.start);
    bool has_value = **at == '=';
    bool is_whole = true;
    if (has_value) {
        ++*at;
        is_whole = read_value(at, &value);
    }
    const struct option *option = find_option(&key);
    if (!option)
        warn_unknown(parser, &key);
    else if (!has_value)
        warn_bad(parser, option, "has no value", NULL);
    else if (!is_whole)
        warn_bad(parser, option, "has a quote that is not closed at its end", NULL);
    else
        take_value(parser, option, &value);
    /* The rest of a pair whose quoting is broken belongs to it, not to a pair of its own. */
    while (**at && !is_separator(**at))
        ++*at;
}

static void ignore_warning(void *context, const char *line)
{
    (void)context;
    (void)line;
}

void dlw_options_parse(struct dlw_options *out, const char *text, char *storage,
                       size_t storage_size, dlw_options_warn *warn, void *context)
{
    struct parser parser = {out, storage, storage_size, warn ? warn : ignore_warning, context};

    for (size_t i = 0; i < N_OPTIONS; i++)
        set_default(out, &table[i]);
    if (!text)
        return;
    for (;;) {
        while (is_separator(*text))
            text++;
        if (!*text)
            return;
        take_pair(&parser, &text);
    }
}

/* ---- help ---- */

static void help_line(const struct option *option, dlw_options_warn *line_out, void *context)
{
    char text[LINE_BYTES];
    struct dlw_line line = DLW_LINE(text);
    bool same = strcmp(option->preload, option->run) == 0;

    dlw_line_add(&line, "  ");
    dlw_line_add(&line, option->key);
    dlw_line_add(&line, "=");
    dlw_line_add(&line, option->values);
    do
        dlw_line_add(&line, " ");
    while (line.used < 36);
    dlw_line_add(&line, option->help);
    if (option->preload[0] || !same) {
        dlw_line_add(&line, " [");
        dlw_line_add(&line, option->preload);
        if (!same) {
            dlw_line_add(&line, "; run: ");
            dlw_line_add(&line, option->run);
        }
        dlw_line_add(&line, "]");
    }
    line_out(context, text);
}

void dlw_options_help(dlw_options_warn *line, void *context)
{
    line(context, "DLWATCH_OPTIONS=\"key=value:key=value\"  a value with a colon or a space is "
                  "'quoted'; [default]");
    for (size_t i = 0; i < N_OPTIONS; i++)
        help_line(&table[i], line, context);
}

/* ---- paths and names ---- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Where a number goes in: the last dot of the last component, if it does not begin it. Looked for
 * in the pattern, not in what came of it: a program's own name may have a dot. */
static size_t suffix_offset(const char *pattern)
{
    const char *name = base_name(pattern);
    const char *dot = strrchr(name, '.');

    return dot && dot != name ? (size_t)(dot - pattern) : strlen(pattern);
}

static void expand(struct dlw_line *out, const char *pattern, size_t size, long pid,
                   const char *exe)
{
    for (size_t i = 0; i < size; i++) {
        char mark = pattern[i] == '%' && i + 1 < size ? pattern[i + 1] : '\0';
        if (mark == 'p')
            dlw_line_add_number(out, (uint64_t)pid);
        else if (mark == 'e')
            dlw_line_add(out, exe ? base_name(exe) : "");
        else
            dlw_line_add_bytes(out, &pattern[i], 1);
        if (mark == 'p' || mark == 'e' || mark == '%')
            i++;
    }
}

size_t dlw_options_path(char *out, size_t size, const char *pattern, long pid, const char *exe,
                        unsigned attempt)
{
    struct dlw_line line = {out, 0, size ? size - 1 : 0};
    size_t suffix = suffix_offset(pattern);

    if (size < 2)
        return 0;
    expand(&line, pattern, suffix, pid, exe);
    if (attempt) {
        dlw_line_add(&line, "-");
        dlw_line_add_number(&line, attempt);
    }
    expand(&line, pattern + suffix, strlen(pattern + suffix), pid, exe);
    return line.used < line.room ? line.used : 0;
}

int dlw_options_watches(const char *names, const char *exe)
{
    const char *wanted = base_name(exe);

    if (!names || !*names)
        return 1;
    while (*names) {
        size_t size = strcspn(names, ",");
        struct slice entry = {names, size, false};
        for (size_t i = 0; i < size; i++)
            if (names[i] == '/')
                entry.start = names + i + 1;
        entry.size = size - (size_t)(entry.start - names);
        if (slice_is(&entry, wanted))
            return 1;
        names += names[size] ? size + 1 : size;
    }
    return 0;
}
