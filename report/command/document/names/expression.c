/*
 * What a line of source calls the lock that it takes: `from->lock` of
 * "pthread_mutex_lock(&from->lock);". Not a parser: a call is known by its name, and what is not
 * understood has no name.
 */
#include "report/command/document/names/expression.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 60 };

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static char closing(char open)
{
    return open == '(' ? ')' : open == '{' ? '}' : open == '[' ? ']' : '\0';
}

/* The bracket that closes the one at `open`; NULL: it is not in the line. */
static const char *close_of(const char *open)
{
    char stack[32];
    size_t n = 0;
    for (const char *at = open; *at; at++) {
        if (closing(*at)) {
            if (n == sizeof(stack))
                return NULL;
            stack[n++] = closing(*at);
        } else if (n && *at == stack[n - 1] && --n == 0) {
            return at;
        }
    }
    return NULL;
}

static const char *trimmed(struct dlw_region *region, const char *from, const char *to)
{
    while (from < to && (isspace((unsigned char)*from) || *from == '&'))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    size_t n = (size_t)(to - from);
    bool is_name = n && n <= LONGEST && (is_word(*from) || *from == '*' || *from == '(');
    return is_name ? dlw_region_cut(region, from, n) : NULL;
}

/* The first argument behind the bracket. */
static const char *argument(struct dlw_region *region, const char *open)
{
    const char *close = close_of(open), *at = open + 1;
    if (!close)
        return NULL;
    while (at < close && *at != ',') {
        const char *inner = closing(*at) ? close_of(at) : NULL;
        at = inner ? inner + 1 : at + 1;
    }
    return trimmed(region, open + 1, at < close ? at : close);
}

/* "block", "clock" and "flock" are no takings; "clocklock" is. */
static bool is_taking(const char *word, size_t at)
{
    if (at && strchr("bBcCfF", word[at - 1]))
        return false;
    return at < 2 || strncasecmp(word + at - 2, "un", 2) != 0;
}

static bool names_taking(const char *word, size_t n)
{
    static const char *const parts[] = {"lock",     "acquire",       "enter",
                                        "sem_wait", "sem_timedwait", "sem_clockwait"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        for (size_t k = 0; k + strlen(parts[i]) <= n; k++)
            if (strncasecmp(word + k, parts[i], strlen(parts[i])) == 0 && is_taking(word, k))
                return true;
    return false;
}

static bool is_upper(const char *word, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (islower((unsigned char)word[i]))
            return false;
    return true;
}

/* The C++ library's guards: "std::lock_guard<std::mutex> held(state->lock);" */
static const char *of_guard(struct dlw_region *region, const char *line)
{
    static const char *const guards[] = {"lock_guard", "unique_lock", "shared_lock", "scoped_lock",
                                         "lock_guard"};
    for (size_t i = 0; i < sizeof(guards) / sizeof(guards[0]); i++) {
        const char *at = strstr(line, guards[i]);
        size_t open = at ? strcspn(at, "({") : 0;
        if (at && at[open])
            return argument(region, at + open);
    }
    return NULL;
}

/* "state->mutex.lock()": what stands before the last dot or arrow. */
static const char *receiver(struct dlw_region *region, const char *line, const char *word)
{
    const char *end = word - (word[-1] == '.' ? 1 : 2), *from = end;
    while (from > line) {
        char c = from[-1];
        bool is_arrow = c == '>' && from - 1 > line && from[-2] == '-';
        if (!is_word(c) && c != '.' && c != ':' && c != ']' && c != '[' && !is_arrow)
            break;
        from -= is_arrow ? 2 : 1;
    }
    return trimmed(region, from, end);
}

/* "with self.lock:", "with a as b:"; of several on one line it is not known which. */
static const char *of_with(struct dlw_region *region, const char *line)
{
    static const char with[] = "with ";
    line += strspn(line, " \t");
    if (strncmp(line, with, sizeof(with) - 1) != 0)
        return NULL;
    line += sizeof(with) - 1;
    const char *end = line;
    while (is_word(*end) || *end == '.' || *end == '[') {
        const char *close = *end == '[' ? close_of(end) : end;
        if (!close)
            return NULL;
        end = close + 1;
    }
    bool is_all = *end == ':' || strncmp(end, " as ", 4) == 0;
    return is_all ? trimmed(region, line, end) : NULL;
}

const char *dlw_python_expression(struct dlw_region *region, const char *line)
{
    static const char *const methods[] = {".acquire(", ".get(",      ".put(",
                                          ".wait(",    ".wait_for(", ".join("};
    const char *with = of_with(region, line), *found = NULL;
    size_t n = 0;
    for (size_t i = 0; !with && i < sizeof(methods) / sizeof(methods[0]); i++)
        for (const char *at = line; (at = strstr(at, methods[i])) != NULL; at++, n++)
            found = at;
    if (with || n != 1)
        return with;
    return receiver(region, line, found + 1);
}

const char *dlw_lock_expression(struct dlw_region *region, const char *line)
{
    const char *guard = of_guard(region, line);
    for (const char *at = line; !guard && *at;) {
        size_t n = 0;
        while (is_word(at[n]))
            n++;
        if (!n) {
            at++;
            continue;
        }
        const char *open = at + n + strspn(at + n, " ");
        if (*open != '(' || !names_taking(at, n)) {
            at += n;
            continue;
        }
        bool is_method =
            at > line && (at[-1] == '.' || (at - line > 1 && at[-1] == '>' && at[-2] == '-'));
        if (is_method)
            return receiver(region, line, at);
        const char *first = argument(region, open), *close = close_of(open);
        if (first && is_upper(at, n) && close)
            return trimmed(region, at, close + 1);
        return first;
    }
    return guard;
}
