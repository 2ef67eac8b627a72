#include "report/command/document/suppressions.h"

#include "report/command/base/clean.h"
#include "report/command/base/command.h"
#include "report/command/document/classify.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct suppression {
    const char *file;
    unsigned long line;
    int kind; /* -1: any */
    const char *kind_text, *pattern;
    bool is_fingerprint; /* the pattern is one: it suppresses a single mistake */
    bool used;
};

struct dlw_suppressions {
    struct dlw_region region;
    struct suppression *list;
    size_t n;
};

enum { MAX_PATTERN = 4096 };

struct dlw_suppressions *dlw_suppressions_new(void)
{
    struct dlw_region region = {0};
    struct dlw_suppressions *suppressions = dlw_region_alloc(&region, sizeof(*suppressions));
    suppressions->region = region;
    return suppressions;
}

void dlw_suppressions_free(struct dlw_suppressions *suppressions)
{
    if (!suppressions)
        return;
    struct dlw_region region = suppressions->region;
    dlw_region_free(&region);
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

static const char *take_fingerprint(struct dlw_suppressions *suppressions, const char *digits,
                                    struct suppression *out)
{
    size_t n = strlen(digits);
    if (n < 16 || strspn(digits, "0123456789abcdefABCDEF") != n)
        return "a fingerprint has 16 or more hexadecimal digits";
    out->kind = -1;
    out->kind_text = "fingerprint";
    out->pattern = dlw_region_copy(&suppressions->region, digits);
    return NULL;
}

/* What is wrong with the line, or NULL. */
static const char *parse_line(struct dlw_suppressions *suppressions, char *text,
                              struct suppression *out)
{
    /* C++ names are full of colons; the first one ends the kind. */
    char *colon = strchr(text, ':');
    if (!colon)
        return "not a suppression: 'kind:pattern' or 'fingerprint:HEX' is what one looks like";
    *colon = '\0';
    const char *kind = trim(text), *pattern = trim(colon + 1);
    out->is_fingerprint = strcmp(kind, "fingerprint") == 0;
    if (out->is_fingerprint)
        return take_fingerprint(suppressions, pattern, out);
    out->kind = strcmp(kind, "*") == 0 ? -1 : dlw_kind_find(kind);
    if (out->kind < 0 && strcmp(kind, "*") != 0)
        return "no such kind of finding before the colon";
    if (*pattern == '\0')
        return "nothing stands after the colon";
    if (strlen(pattern) > MAX_PATTERN)
        return "the pattern is too long";
    out->kind_text = dlw_region_copy(&suppressions->region, kind);
    out->pattern = dlw_region_copy(&suppressions->region, pattern);
    return NULL;
}

bool dlw_suppressions_parse(struct dlw_suppressions *suppressions, FILE *in, const char *path)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    unsigned long number = 0;
    bool sound = true;
    path = dlw_region_copy(&suppressions->region, path);
    while ((length = getline(&line, &room, in)) >= 0) {
        struct suppression entry = {.file = path, .line = ++number};
        const char *trouble = NULL;
        if (memchr(line, '\0', (size_t)length)) {
            trouble = "not text";
        } else {
            line[strcspn(line, "#")] = '\0';
            char *text = trim(line);
            if (*text == '\0')
                continue;
            trouble = parse_line(suppressions, text, &entry);
        }
        if (trouble) {
            dlw_message("%s:%lu: %s", path, number, trouble);
            sound = false;
            continue;
        }
        suppressions->list = dlw_region_grow(&suppressions->region, suppressions->list,
                                             suppressions->n, sizeof(*suppressions->list));
        suppressions->list[suppressions->n++] = entry;
    }
    free(line);
    return sound;
}

bool dlw_suppressions_read(struct dlw_suppressions *suppressions, const char *path)
{
    FILE *in = dlw_open_file(path);
    if (!in)
        return false;
    bool sound = dlw_suppressions_parse(suppressions, in, path);
    fclose(in);
    return sound;
}

static bool fits(const char *pattern, const char *text)
{
    if (!text)
        return false;
    const char *slash = strrchr(text, '/');
    return fnmatch(pattern, text, 0) == 0 || (slash && fnmatch(pattern, slash + 1, 0) == 0);
}

/* `transfer` means `transfer(int, int)` as well. */
static bool fits_function(const char *pattern, const char *function)
{
    if (!function)
        return false;
    if (fnmatch(pattern, function, 0) == 0)
        return true;
    const char *parenthesis = strchr(function, '(');
    if (!parenthesis)
        return false;
    struct dlw_region region = {0};
    bool result =
        fnmatch(pattern, dlw_region_cut(&region, function, (size_t)(parenthesis - function)), 0) ==
        0;
    dlw_region_free(&region);
    return result;
}

static bool fits_stack(void *context, const struct dlw_stack *stack)
{
    const char *pattern = context;
    for (size_t i = 0; i < stack->n; i++) {
        const struct dlw_frame *frame = &stack->frames[i];
        if (fits_function(pattern, frame->function) || fits(pattern, frame->file) ||
            fits(pattern, frame->module))
            return true;
    }
    return false;
}

static bool fits_lock(const char *pattern, const struct dlw_doc_lock *lock)
{
    return fits(pattern, lock->name) || fits(pattern, lock->expression) ||
           fits(pattern, lock->taken_as) || fits(pattern, lock->class_name);
}

static bool fits_finding(const char *pattern, const struct dlw_doc_finding *finding)
{
    for (size_t i = 0; i < finding->n_locks; i++)
        if (fits_lock(pattern, finding->locks[i]))
            return true;
    return dlw_finding_each_stack(finding, fits_stack, (void *)pattern);
}

static bool fits_entry(const struct suppression *entry, const struct dlw_doc_finding *finding)
{
    return entry->is_fingerprint ? strcasecmp(entry->pattern, finding->fingerprint) == 0
                                 : fits_finding(entry->pattern, finding);
}

/* All that match are marked: a list of unused ones must not depend on their order. */
bool dlw_suppressions_match(struct dlw_suppressions *suppressions,
                            const struct dlw_doc_finding *finding)
{
    bool result = false;
    for (size_t i = 0; i < suppressions->n; i++) {
        struct suppression *entry = &suppressions->list[i];
        if ((entry->kind >= 0 && entry->kind != (int)finding->kind) || !fits_entry(entry, finding))
            continue;
        entry->used = true;
        result = true;
    }
    return result;
}

size_t dlw_suppressions_unused(const struct dlw_suppressions *suppressions, FILE *out)
{
    size_t n = 0;
    for (size_t i = 0; i < suppressions->n; i++) {
        const struct suppression *entry = &suppressions->list[i];
        if (entry->used)
            continue;
        char pattern[1024];
        dlw_clean_into(pattern, sizeof(pattern), entry->pattern, false);
        fprintf(out, "%s:%lu: %s:%s\n", entry->file, entry->line, entry->kind_text, pattern);
        n++;
    }
    return n;
}
