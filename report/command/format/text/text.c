/* The readable report: blocks of findings, threads, and the summary over all processes. */
#include "report/command/document/classify.h"
#include "report/command/format/text/costs.h"
#include "report/command/format/text/parts.h"

#include <stdlib.h>
#include <string.h>

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

/* What was not looked at, so that the work stayed bounded. */
static void bounds_line(struct dlw_readable *text, const struct dlw_doc_process *process)
{
    struct dlw_region *region = &text->doc->region;
    const char *exe = process->exe ? process->exe : "?";
    const char *searches = "", *dropped = "";
    if (!process->given_up && !process->dropped)
        return;
    if (process->given_up)
        searches = dlw_region_print(region, "; %llu search%s for longer ones gave up",
                                    (unsigned long long)process->given_up,
                                    process->given_up == 1 ? "" : "es");
    if (process->dropped)
        dropped = dlw_region_print(region,
                                   "; %llu order%s on cycles %s not kept, beside those "
                                   "known of the same two locks",
                                   (unsigned long long)process->dropped, plural(process->dropped),
                                   process->dropped == 1 ? "was" : "were");
    dlw_readable_prose(text, "", 0,
                       dlw_region_print(region,
                                        "Process %u (%s): all cycles of two and three locks were "
                                        "looked for%s%s.",
                                        process->pid, exe, searches, dropped));
}

static bool has_lack(const struct dlw_doc_process *process, const struct dlw_doc_lack *lack)
{
    for (size_t i = 0; i < process->n_lacks; i++)
        if (process->lacks[i].reduces && strcmp(process->lacks[i].why, lack->why) == 0 &&
            strcmp(process->lacks[i].effect, lack->effect) == 0)
            return true;
    return false;
}

/* What was not to be had there, where less is found for it; once for all that lack the same. */
static void lacks_lines(struct dlw_readable *text, size_t at)
{
    struct dlw_doc *doc = text->doc;
    const struct dlw_doc_process *process = doc->processes[at];
    for (size_t i = 0; i < process->n_lacks; i++) {
        const struct dlw_doc_lack *lack = &process->lacks[i];
        size_t earlier = 0, later = 0;
        for (size_t k = 0; lack->reduces && k < doc->n_processes; k++)
            *(k < at ? &earlier : &later) += k != at && has_lack(doc->processes[k], lack);
        if (!lack->reduces || earlier)
            continue;
        const char *more = later ? dlw_region_print(&doc->region, " and %zu more", later) : "";
        dlw_readable_prose(
            text, "", 0,
            dlw_region_print(
                &doc->region, "Process %u (%s)%s could not be watched in full: %s; %s.",
                process->pid, process->exe ? process->exe : "?", more, lack->why, lack->effect));
    }
}

static bool is_killed(const struct dlw_doc_process *process)
{
    return process->ended && strcmp(process->ended, "killed") == 0;
}

/* Many of a tree are killed when it is ended: one line, with those that tell most. */
static void killed_lines(struct dlw_readable *text)
{
    enum { NAMED = 3 };
    struct dlw_region *region = &text->doc->region;
    const struct dlw_doc_process *first = NULL;
    const char *names = "";
    size_t n = 0;
    for (size_t i = 0; i < text->doc->n_processes; i++) {
        const struct dlw_doc_process *process = text->doc->processes[i];
        if (!is_killed(process))
            continue;
        first = first ? first : process;
        if (n++ < NAMED)
            names = dlw_region_print(region, "%s%s%u (%s)", names, n > 1 ? ", " : "", process->pid,
                                     process->exe ? process->exe : "?");
    }
    if (n == 1)
        fprintf(text->out, "Process %s did not end in order: it was killed%s.\n", names,
                first->status > 0 ? "" : ", or ended itself past all handlers");
    else if (n)
        dlw_readable_prose(text, "", 0,
                           dlw_region_print(region, "%zu processes did not end in order: %s%s.", n,
                                            names, n > NAMED ? ", ..." : ""));
}

static const char *times(struct dlw_region *region, uint64_t n)
{
    if (n == 1)
        return "once";
    return dlw_region_print(region, "%llu times", (unsigned long long)n);
}

/* Known deadlocks that threads gave way to (the option avoid). */
static void avoided_lines(struct dlw_readable *text, const struct dlw_doc_process *process)
{
    struct dlw_region *region = &text->doc->region;
    for (size_t i = 0; i < process->n_avoided; i++) {
        const struct dlw_doc_avoided *avoided = &process->avoided[i];
        const char *more = "";
        if (avoided->exhausted)
            more = dlw_region_print(region, ", %s as long as avoid_limit allows",
                                    times(region, avoided->exhausted));
        if (avoided->let_go)
            more = dlw_region_print(region, "%s, let go %s since the others waited for the thread",
                                    more, times(region, avoided->let_go));
        dlw_readable_prose(text, "", 0,
                           dlw_region_print(region,
                                            "Process %u (%s): the known deadlock %s was avoided "
                                            "%s%s%s.",
                                            process->pid, process->exe ? process->exe : "?",
                                            avoided->deadlock, times(region, avoided->count), more,
                                            avoided->is_off ? "; it is not avoided any more" : ""));
    }
}

/* How each process ended, where that is worth a line. */
static void process_lines(struct dlw_readable *text)
{
    killed_lines(text);
    for (size_t i = 0; i < text->doc->n_processes; i++) {
        const struct dlw_doc_process *process = text->doc->processes[i];
        const char *exe = process->exe ? process->exe : "?";
        const char *ended = process->ended ? process->ended : "";
        if (strcmp(ended, "running") == 0)
            fprintf(text->out, "Process %u (%s) still runs.\n", process->pid, exe);
        else if (strcmp(ended, "signal") == 0 || strcmp(ended, "abort") == 0)
            fprintf(text->out, "Process %u (%s) was ended by %s.\n", process->pid, exe,
                    strcmp(ended, "abort") == 0 ? "abort" : "a signal");
        if (process->cut)
            fprintf(text->out,
                    YELLOW "The journal of process %u (%s) ends early" PLAIN
                           " (%s): what happened after that is not known.\n",
                    process->pid, exe, process->cut);
        if (process->off)
            fprintf(text->out,
                    YELLOW "dlwatch switched itself off in process %u (%s): %s" PLAIN "\n",
                    process->pid, exe, process->off);
        lacks_lines(text, i);
        bounds_line(text, process);
        avoided_lines(text, process);
    }
}

static void count_words(struct dlw_readable *text, const struct dlw_doc_summary *summary)
{
    FILE *out = text->out;
    if (!summary->errors && !summary->warnings && !summary->notes) {
        fputs("nothing found", out);
    } else {
        fprintf(out, "%s%llu error%s" PLAIN, summary->errors ? RED : "",
                (unsigned long long)summary->errors, plural(summary->errors));
        if (summary->warnings)
            fprintf(out, ", %llu warning%s", (unsigned long long)summary->warnings,
                    plural(summary->warnings));
        if (summary->notes)
            fprintf(out, ", %llu note%s", (unsigned long long)summary->notes,
                    plural(summary->notes));
    }
}

/* The first of them by name: a whole build of a project may have thousands. */
static void unwatched_lines(struct dlw_readable *text)
{
    enum { NAMED = 8 };
    struct dlw_doc *doc = text->doc;
    const char *names = "";
    for (size_t i = 0; i < doc->n_unwatched && i < NAMED; i++)
        names = dlw_region_print(&doc->region, "%s%s%s (%s)", names, i ? ", " : "",
                                 doc->unwatched[i].exe, doc->unwatched[i].why);
    if (doc->n_unwatched > NAMED)
        names = dlw_region_print(&doc->region, "%s and %zu more", names, doc->n_unwatched - NAMED);
    if (doc->n_unwatched)
        dlw_readable_prose(text, "", 0,
                           dlw_region_print(&doc->region, "%zu program%s ran unwatched: %s.",
                                            doc->n_unwatched, plural(doc->n_unwatched), names));
    if (!doc->verdict && doc->n_watched == 0)
        dlw_readable_prose(text, "", 0, "Nothing was watched, so nothing can be said of it.");
}

/* How much the processes did that could be wrong: "nothing found" says more with it. */
static void watched_words(struct dlw_readable *text)
{
    const struct dlw_doc *doc = text->doc;
    unsigned long long locks = 0, edges = 0;
    for (size_t i = 0; i < doc->n_processes; i++) {
        locks += doc->processes[i]->locks;
        edges += doc->processes[i]->edges;
    }
    /* A process that is looked at from outside has no such numbers. */
    if (doc->n_processes && !doc->verdict)
        fprintf(text->out, " (%llu lock%s, %llu order%s)", locks, plural(locks), edges,
                plural(edges));
}

/* What was found at a glance, by lines that tools know how to read: they are not broken. */
static void finding_lines(struct dlw_readable *text)
{
    enum { MOST = 100 };
    struct dlw_doc *doc = text->doc;
    size_t n = 0;
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]) && n++ < MOST)
            fprintf(text->out, "%s\n",
                    dlw_finding_line(&doc->region, doc->findings[i], text->options->folder));
    if (n > MOST)
        fprintf(text->out, "and %zu more (--format=line lists all)\n", n - MOST);
}

/* The lecture, or how to have it: once, however many findings there are. */
static void advice_lines(struct dlw_readable *text)
{
    const struct dlw_doc *doc = text->doc;
    if (text->options->summary_only)
        return;
    if (doc->explains)
        dlw_readable_prose(text, "", 0, dlw_remedy_lecture());
    else if (!doc->verdict && (doc->summary.errors || doc->summary.warnings))
        dlw_readable_prose(text, "", 0,
                           "(--advice tells more ways out of each, and why they work.)");
}

/* Only of a run with --profile. */
static void cost_lines(struct dlw_readable *text)
{
    enum { TOP = 10 };
    struct dlw_doc *doc = text->doc;
    if (!doc->n_costs)
        return;
    fprintf(text->out, BOLD "What the locks cost" PLAIN "\n");
    for (size_t i = 0; i < doc->n_costs && i < TOP; i++)
        dlw_readable_prose(text, "  ", 4, dlw_cost_words(&doc->region, doc->costs[i]));
    if (doc->n_costs > TOP)
        fprintf(text->out, "  and %zu more (json and html list all)\n", doc->n_costs - TOP);
}

static void summary_lines(struct dlw_readable *text)
{
    const struct dlw_doc *doc = text->doc;
    const struct dlw_doc_summary *summary = &doc->summary;
    for (size_t i = 0; i < doc->n_notes; i++)
        dlw_readable_prose(text, "Note: ", 2, doc->notes[i]);
    process_lines(text);
    cost_lines(text);
    finding_lines(text);
    fprintf(text->out, BOLD "Summary:" PLAIN " ");
    count_words(text, summary);
    size_t n = doc->verdict ? doc->n_processes : doc->n_watched;
    if (n)
        fprintf(text->out, " in %zu process%s", n, n == 1 ? "" : "es");
    watched_words(text);
    fputs(".\n", text->out);
    unwatched_lines(text);
    advice_lines(text);
    if (summary->suppressed)
        fprintf(text->out, "%llu suppressed.\n", (unsigned long long)summary->suppressed);
    if (summary->known)
        fprintf(text->out, "%llu known from the baseline.\n", (unsigned long long)summary->known);
    if (summary->hidden)
        dlw_readable_prose(text, "", 0,
                           dlw_region_print(&text->doc->region,
                                            "%llu cycle%s not shown that this run proves harmless "
                                            "(show=all lists them).",
                                            (unsigned long long)summary->hidden,
                                            plural(summary->hidden)));
}

static void render(struct dlw_readable *text)
{
    struct dlw_doc *doc = text->doc;
    const struct dlw_format_options *options = text->options;
    for (size_t i = 0; i < doc->n_findings && !options->summary_only; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            dlw_readable_finding(text, doc->findings[i]);
    if (options->live)
        return;
    if (doc->n_answers)
        fprintf(text->out, BOLD "In short" PLAIN "\n");
    for (size_t i = 0; i < doc->n_answers; i++)
        dlw_readable_prose(text, "  ", 4, doc->answers[i]);
    if (doc->n_threads) {
        fprintf(text->out, "%s", doc->n_answers ? "\n" : "");
        fprintf(text->out, BOLD "Threads" PLAIN "\n");
        dlw_readable_states(text, NULL, doc->threads, doc->n_threads);
        fputc('\n', text->out);
    }
    summary_lines(text);
}

/* "dlwatch[123]: ", by which lines of parallel processes stay apart. */
static const char *prefix_of(struct dlw_doc *doc, const struct dlw_format_options *options)
{
    if (options->prefix || !options->live || !doc->n_processes)
        return options->prefix ? options->prefix : "";
    return dlw_region_print(&doc->region, "dlwatch[%u]: ", doc->processes[0]->pid);
}

/* Of a terminal the prefix takes its part; a log is as wide as need be. */
static unsigned width_of(const struct dlw_format_options *options, unsigned prefix)
{
    if (!options->width)
        return 80;
    return options->width > prefix + 40 ? options->width - prefix : 40;
}

int dlw_format_text(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    char *bytes = NULL;
    size_t size = 0;
    const char *prefix = prefix_of(doc, options);
    FILE *memory = open_memstream(&bytes, &size);
    if (!memory)
        return 2;
    struct dlw_readable text = {.out = memory,
                                .doc = doc,
                                .options = options,
                                .width = width_of(options, (unsigned)strlen(prefix))};
    render(&text);
    fclose(memory);
    dlw_readable_print(out, bytes, size, prefix, options->color);
    free(bytes);
    return 0;
}
