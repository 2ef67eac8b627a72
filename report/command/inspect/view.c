#include "report/command/inspect/view.h"

#include "report/command/base/command.h"
#include "report/command/format/format.h"
#include "report/command/format/output.h"
#include "report/command/inspect/build.h"
#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/own/preloaded.h"
#include "report/command/inspect/party.h"
#include "report/command/inspect/target/live.h"
#include "report/command/inspect/verdict.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH = 64 };

static bool set_color(enum dlw_color *color, const char *word)
{
    static const char *const words[] = {"auto", "always", "never"};
    for (int i = 0; i < 3; i++)
        if (!strcmp(words[i], word)) {
            *color = (enum dlw_color)i;
            return true;
        }
    return false;
}

static int refuse(const struct dlw_view_options *options, const char *name, const char *value)
{
    return 1 + dlw_usage_error(options->subcommand, "bad value for --%s: '%s'", name, value);
}

static int set_number(const struct dlw_view_options *options, const char *name, const char *value,
                      long low, long high, long *out)
{
    return dlw_parse_number(value, low, high, out) ? 0 : refuse(options, name, value);
}

bool dlw_view_notes_trouble(const struct dlw_view_options *options)
{
    return options->output || strcmp(options->format, "text") != 0;
}

bool dlw_view_option(struct dlw_view_options *options, int option, const char *value, int *end)
{
    long number = options->exitcode;
    switch (option) {
    case DLW_VIEW_FORMAT:
        options->format = value;
        if (!dlw_format_find(value))
            *end = dlw_format_refuse(options->subcommand, value);
        return true;
    case 'o':
        options->output = value;
        return true;
    case DLW_VIEW_COLOR:
        if (!set_color(&options->color, value))
            *end = refuse(options, "color", value);
        return true;
    case DLW_VIEW_EXITCODE:
        *end = set_number(options, "exitcode", value, 0, 255, &number);
        options->exitcode = (int)number;
        return true;
    case DLW_VIEW_DEPTH:
        *end = set_number(options, "stack_depth", value, 1, 256, &options->depth);
        return true;
    case DLW_VIEW_NATIVE:
        options->native = true;
        return true;
    default:
        return false;
    }
}

static bool find_verdict(struct dlw_target *target, struct dlw_doc *doc, size_t depth,
                         struct dlw_verdict *out)
{
    if (!dlw_party_read_one(target, doc, depth))
        return false;
    dlw_party_read(target, doc, depth);
    dlw_verdict_find(target, out);
    return true;
}

/* `known`: the process is in the document, and so is what the library in it has found. */
static bool add_to_document(struct dlw_target *target, struct dlw_doc *doc, size_t depth,
                            struct dlw_doc_process *known)
{
    struct dlw_verdict verdict;
    if (!find_verdict(target, doc, depth, &verdict))
        return false;
    dlw_runtime_say_unowned(target, doc);
    dlw_outside_document(target, &verdict, doc,
                         known ? known : dlw_preloaded_findings(target, doc));
    return true;
}

static void forget_end(struct dlw_doc *doc, uint32_t pid)
{
    for (size_t i = 0; i < doc->n_processes; i++)
        if (doc->processes[i]->pid == pid && doc->processes[i]->ended &&
            !strcmp(doc->processes[i]->ended, "running"))
            doc->processes[i]->ended = NULL;
}

static bool is_certain(const struct dlw_verdict *verdict)
{
    for (size_t i = 0; i < verdict->n_cycles; i++)
        if (!verdict->cycles[i].doubt)
            return true;
    return verdict->kind == DLW_VERDICT_STALL && verdict->is_certain;
}

bool dlw_outside_is_stuck(uint32_t pid)
{
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_target target = {
        .region = &doc->region, .memory = -1, .is_quiet = true, .is_brief = true};
    struct dlw_verdict verdict;
    bool is_stuck = dlw_live_open(&target, doc, pid);
    if (is_stuck) {
        dlw_live_sample(&target, doc, false);
        is_stuck = find_verdict(&target, doc, DEPTH, &verdict) && is_certain(&verdict);
    }
    dlw_target_close(&target);
    dlw_doc_free(doc);
    return is_stuck;
}

bool dlw_outside_add_process(struct dlw_doc *doc, uint32_t pid)
{
    struct dlw_target target = {.region = &doc->region, .memory = -1, .is_quiet = true};
    struct dlw_doc_process *process = dlw_doc_find_living(doc, pid);
    bool is_added = dlw_live_open(&target, doc, pid);
    if (is_added) {
        dlw_live_sample(&target, doc, false);
        process = process ? process : dlw_doc_add_process(doc);
        is_added = add_to_document(&target, doc, DEPTH, process);
        /* How they end is for their journals to say, or for who started them. */
        process->ended = NULL;
        for (size_t i = 0; i < target.n_peers; i++)
            forget_end(doc, target.peers[i]->pid);
    }
    dlw_target_close(&target);
    return is_added;
}

static void mix(uint64_t *hash, uint64_t value)
{
    *hash = (*hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    *hash ^= *hash >> 32;
}

static void mix_text(uint64_t *hash, const char *text)
{
    mix(hash, 1);
    for (; text && *text; text++)
        mix(hash, (unsigned char)*text);
}

static void mix_state(uint64_t *hash, const struct dlw_doc_state *state)
{
    mix(hash, state->thread->tid);
    mix(hash, (uint64_t)state->waits << 8 | (uint64_t)state->mode);
    mix(hash, state->on ? state->on->address + 1 : 0);
    mix_text(hash, state->syscall);
    for (size_t i = 0; i < state->stack.n; i++)
        mix(hash, state->stack.frames[i].pc);
    for (size_t i = 0; i < state->n_holds; i++)
        mix(hash, state->holds[i].lock->address);
}

/* Where all stand and what that amounts to, but not for how long. Never 0. */
static uint64_t standing(const struct dlw_doc *doc)
{
    uint64_t hash = 1;
    mix_text(&hash, doc->verdict);
    for (size_t i = 0; i < doc->n_findings; i++)
        mix_text(&hash, doc->findings[i]->fingerprint);
    for (size_t i = 0; i < doc->n_threads; i++)
        mix_state(&hash, &doc->threads[i]);
    return hash | 1;
}

static bool is_unchanged(const struct dlw_doc *doc, const struct dlw_view_options *options)
{
    uint64_t now = options->shown ? standing(doc) : 0;
    bool result = options->shown && *options->shown == now;
    if (options->shown)
        *options->shown = now;
    return result;
}

int dlw_view_show(struct dlw_target *target, struct dlw_doc *doc,
                  const struct dlw_view_options *options)
{
    if (!add_to_document(target, doc, (size_t)options->depth, NULL))
        return DLW_STATUS_TROUBLE;
    if (!target->is_core && !dlw_live_is_there(target)) {
        dlw_target_trouble(target, doc, "process %u ended while it was looked at", target->pid);
        return DLW_STATUS_TROUBLE;
    }
    dlw_doc_finish(doc, NULL);
    if (is_unchanged(doc, options))
        puts("unchanged");
    else if (!dlw_output_write(doc, options->format, options->output, options->color, false))
        return DLW_STATUS_TROUBLE;
    if (target->is_partial)
        return DLW_STATUS_TROUBLE;
    return doc->summary.errors ? options->exitcode : DLW_STATUS_OK;
}
