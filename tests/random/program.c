#include "tests/random/program.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void text_put_list(struct text *text, const char *format, va_list list)
{
    va_list again;
    va_copy(again, list);
    int more = vsnprintf(NULL, 0, format, list);
    char *chars = realloc(text->chars, text->length + (size_t)more + 1);
    if (!chars)
        abort();
    vsnprintf(chars + text->length, (size_t)more + 1, format, again);
    va_end(again);
    text->chars = chars;
    text->length += (size_t)more;
}

void text_put(struct text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_put_list(text, format, list);
    va_end(list);
}

const char *keep(const char *format, ...)
{
    struct text text = {0};
    va_list list;
    va_start(list, format);
    text_put_list(&text, format, list);
    va_end(list);
    return text.chars;
}

/* splitmix64: any seed is a good one. */
static uint64_t next_random(struct program *p)
{
    uint64_t z = p->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

int pick(struct program *p, int n)
{
    return (int)(next_random(p) % (uint64_t)n);
}

bool chance(struct program *p, int percent)
{
    return pick(p, 100) < percent;
}

void shuffle(struct program *p, int *numbers, int n)
{
    for (int i = n - 1; i > 0; i--) {
        int j = pick(p, i + 1), number = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = number;
    }
}

const char *new_name(struct program *p, const char *what)
{
    return keep("p%u_%s%d", p->seed, what, p->n_names++);
}

struct role *new_role(struct program *p)
{
    if (p->n_roles == MOST_ROLES)
        abort();
    struct role *role = &p->roles[p->n_roles];
    *role = (struct role){0};
    snprintf(role->name, sizeof(role->name), "thread%d", p->n_roles);
    snprintf(role->function, sizeof(role->function), "p%u_thread%d", p->seed, p->n_roles);
    snprintf(role->handle, sizeof(role->handle), "p%u_handle%d", p->seed, p->n_roles);
    text_put(&p->globals, "static void %s(void);\nstatic pthread_t %s;\n", role->function,
             role->handle);
    p->n_roles++;
    return role;
}

void say(struct role *role, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    text_put(&role->body, "    ");
    text_put_list(&role->body, format, list);
    text_put(&role->body, "\n");
    va_end(list);
}

void say_spawn(struct role *who, const struct role *whom)
{
    say(who, "%s = spawn(\"%s\", %s);", whom->handle, whom->name, whom->function);
}

void say_join(struct role *who, const struct role *whom)
{
    say(who, "JOIN(%s);", whom->handle);
}

const char *say_in_helper(struct program *p, struct role *role, const char *call)
{
    const char *name = new_name(p, "helper");
    text_put(&p->functions, "static void %s(void)\n{\n    %s\n}\n\n", name, call);
    say(role, "%s();", name);
    return name;
}

void expect(struct program *p, const char *format, ...)
{
    struct text line = {0};
    va_list list;
    if (p->n_expected == MOST_EXPECTED)
        abort();
    va_start(list, format);
    text_put_list(&line, format, list);
    va_end(list);
    p->expected[p->n_expected++] = line.chars;
}

static const char *joined(const char **strings, int n, int first)
{
    struct text text = {0};
    for (int i = 0; i < n; i++)
        text_put(&text, "%s%s", i ? "; " : "", strings[(first + i) % n]);
    return text.chars;
}

const char *cycle_of(const char **entries, int n)
{
    int least = 0;
    for (int i = 1; i < n; i++) {
        if (strcmp(entries[i], entries[least]) < 0)
            least = i;
    }
    return joined(entries, n, least);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char *threads_of(const char **threads, int n)
{
    qsort(threads, (size_t)n, sizeof(*threads), compare);
    return joined(threads, n, 0);
}
