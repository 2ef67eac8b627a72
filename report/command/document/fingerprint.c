/*
 * A finding's name over runs and rebuilds. Lines and addresses move; functions and files seldom do.
 *
 * Of each stack as many frames count as it takes to tell the taking of a lock from the asking for
 * the next: one, unless both happen in the same helper. What calls that code is another way to the
 * same mistake, and so is another length of the same circle: places count once each.
 */
#include "report/command/document/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ACCUSED_FRAMES = 2, MAX_FRAMES = 8 };

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_same_place(const struct dlw_frame *a, const struct dlw_frame *b)
{
    if (!a->function || !b->function || !a->file || !b->file)
        return a->module && b->module && strcmp(a->module, b->module) == 0 &&
               a->offset == b->offset;
    return a->line == b->line && strcmp(a->function, b->function) == 0 &&
           strcmp(a->file, b->file) == 0;
}

static size_t frames_to_tell_apart(const struct dlw_stack *hold, const struct dlw_stack *want)
{
    size_t h = dlw_stack_innermost(hold), w = dlw_stack_innermost(want), n = 1;
    while (n < MAX_FRAMES && h + n < hold->n && w + n < want->n &&
           is_same_place(&hold->frames[h + n - 1], &want->frames[w + n - 1]))
        n++;
    return n;
}

/* A function inlined here and called there has its parameters in one place only. */
static size_t without_parameters(const char *function)
{
    static const char nameless[] = "(anonymous namespace)";
    const char *at = strchr(function, '(');
    while (at && strncmp(at, nameless, sizeof(nameless) - 1) == 0)
        at = strchr(at + 1, '(');
    return at && at > function ? (size_t)(at - function) : strlen(function);
}

static void write_frame(FILE *out, const struct dlw_frame *frame)
{
    if (frame->unknown)
        return;
    if (frame->function)
        fprintf(out, "%.*s@%s ", (int)without_parameters(frame->function), frame->function,
                frame->file ? base_name(frame->file) : "");
    else if (frame->module)
        fprintf(out, "%s+%llx ", base_name(frame->module), (unsigned long long)frame->offset);
}

static void write_stack(FILE *out, const struct dlw_stack *stack, size_t n)
{
    size_t place = dlw_stack_innermost(stack);
    for (size_t i = place; i < stack->n && i < place + n; i++)
        write_frame(out, &stack->frames[i]);
}

/* One line that joins is one mistake, whichever thread it joins and whatever that takes. */
static bool is_circumstance(const struct dlw_doc_finding *finding, const struct dlw_doc_step *step)
{
    return (finding->doubt == DLW_DOUBT_JOIN || finding->doubt == DLW_DOUBT_CONDITION) &&
           !dlw_doc_is_thread(step->wants.lock);
}

/* As this release makes it, or as 0.1.0 did: a baseline made then still knows its findings. */
enum rules { RULES_NOW, RULES_OF_0_1 };

static char *step_text(const struct dlw_doc_step *step, enum rules rules)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    size_t n = frames_to_tell_apart(&step->holds.stack, &step->wants.stack);
    if (rules == RULES_OF_0_1 || !dlw_doc_is_thread(step->wants.lock))
        write_stack(out, &step->holds.stack, n);
    fputs("> ", out);
    write_stack(out, &step->wants.stack, n);
    fclose(out);
    return text;
}

/* Where a thread that has ended by returning was created says little: where it took the lock counts
 * as well. */
static char *state_text(const struct dlw_doc_state *state, bool with_holds)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "%s ", dlw_wait_word(state->waits));
    write_stack(out, &state->stack, ACCUSED_FRAMES);
    for (size_t i = 0; with_holds && i < state->n_holds; i++)
        write_stack(out, &state->holds[i].stack, ACCUSED_FRAMES);
    fclose(out);
    return text;
}

static uint64_t mix(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u; /* FNV-1a */
    return (hash ^ '\n') * 0x100000001b3u;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static uint64_t mix_set(uint64_t hash, char **texts, size_t n)
{
    if (n)
        qsort(texts, n, sizeof(*texts), compare_texts);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || strcmp(texts[i], texts[i - 1]) != 0)
            hash = mix(hash, texts[i]);
    return hash;
}

static void make(const struct dlw_doc_finding *finding, enum rules rules, char out[17])
{
    /* An accusation concerns one call; who else held the lock is circumstance. */
    bool is_accusation = !finding->n_cycle && dlw_kind_form(finding->kind) != DLW_FORM_STALL;
    bool with_holds = rules == RULES_NOW && finding->kind == DLW_EXIT_HOLDING_LOCK;
    size_t n_threads = finding->n_cycle ? 0 : finding->n_threads;
    if (is_accusation && n_threads > 1)
        n_threads = 1;
    size_t n = finding->n_cycle + n_threads, filled = 0;
    char **texts = calloc(n + 1, sizeof(*texts));
    for (size_t i = 0; texts && i < finding->n_cycle; i++)
        if ((rules == RULES_OF_0_1 || !is_circumstance(finding, &finding->cycle[i])) &&
            (texts[filled] = step_text(&finding->cycle[i], rules)))
            filled++;
    for (size_t i = 0; texts && i < n_threads; i++)
        if ((texts[filled] = state_text(&finding->threads[i], with_holds)))
            filled++;
    uint64_t hash = mix(0xcbf29ce484222325u, dlw_kind_word(finding->kind));
    if (finding->harmless != DLW_FEASIBLE)
        hash = mix(hash, "harmless");
    hash = mix_set(hash, texts, filled);
    for (size_t i = 0; i < filled; i++)
        free(texts[i]);
    free(texts);
    snprintf(out, 17, "%016llx", (unsigned long long)hash);
}

void dlw_fingerprint(const struct dlw_doc_finding *finding, char out[17])
{
    make(finding, RULES_NOW, out);
}

void dlw_former_fingerprint(const struct dlw_doc_finding *finding, char out[17])
{
    make(finding, RULES_OF_0_1, out);
}
