/* libdlwatch(7) */
#include "report/command/generate/generate.h"

#include "report/command/document/model.h"
#include "report/command/document/words.h"

#include <ctype.h>

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* "Error. Threads that wait …" */
static const char *meaning(struct dlw_region *region, enum dlw_kind kind)
{
    const char *severity = dlw_severity_word(dlw_kind_severity(kind));
    return dlw_region_print(region, "%c%s. %s", toupper(*severity), severity + 1,
                            dlw_kind_words(kind)->description);
}

static void findings(FILE *out)
{
    struct dlw_region region = {0};
    dlw_troff_section(out, "FINDINGS", NULL);
    for (int kind = 0; kind < DLW_N_KINDS; kind++)
        dlw_troff_item(out, dlw_kind_word((enum dlw_kind)kind), NULL,
                       meaning(&region, (enum dlw_kind)kind));
    dlw_region_free(&region);
    dlw_troff_paragraph(out, "A deadlock or stall that is certain is followed by what on_deadlock "
                             "says. With exitcode=N the program's status becomes N when it ends "
                             "and an error was found; by default it keeps its own.");
}

/* dlwatch.h in short; its own comments say the rest. */
static void annotations(FILE *out)
{
    static const struct {
        const char *calls, *text;
    } rows[] = {
        {"dlwatch_wants(lock, how), dlwatch_gave_up(lock)",
         "the thread is about to wait for the lock; it waits no longer and did not get it"},
        {"dlwatch_acquired(lock, how), dlwatch_released(lock)",
         "it has the lock now; it is about to let go. how: DLWATCH_EXCLUSIVE or DLWATCH_SHARED, "
         "with DLWATCH_TRY where it did not wait, DLWATCH_TIMED where the wait has a limit"},
        {"dlwatch_handed_over(lock), dlwatch_taken_over(lock, how)",
         "the lock stays locked and becomes another thread's"},
        {"dlwatch_created(lock), dlwatch_destroyed(lock)",
         "a lock begins or ends to live at this address"},
        {"dlwatch_name(lock, name)", "what reports call it, and what merge knows it by"},
        {"dlwatch_class(lock, class, level)",
         "one of many alike; two of a class asked for at rising levels are in the order that is "
         "meant"},
        {"dlwatch_intended(outer, inner), dlwatch_intended_classes(outer, inner)",
         "asking for inner while outer is held is meant: cycles that go this way are notes"},
        {"dlwatch_happens_before(object), dlwatch_happens_after(object)",
         "what came before the one always comes before what follows the other: a message, a "
         "queue"},
        {"dlwatch_scope(name)",
         "a test of that name begins in this thread and the threads it makes, NULL: it ends; two "
         "tests in which lock orders disagree are a warning although they never meet"},
        {"dlwatch_forget(object)", "what was said of this address is void"},
        {"dlwatch_is_watching()", "1 while the library is there"},
    };
    static const char *const build[] = {"#include <dlwatch.h>",
                                        "cc $(pkg-config --cflags dlwatch) -c lock.c"};

    dlw_troff_section(out, "ANNOTATIONS",
                      "The header dlwatch.h lets a program, in C or C++, tell of locks that are "
                      "not pthread's, name locks, and say which orders it means. There is nothing "
                      "to link; without the library a call is one load and a branch not taken, "
                      "and -DDLWATCH_DISABLE leaves nothing of it.");
    fputs(".PP\n", out);
    dlw_troff_lines(out, build, N(build));
    for (size_t i = 0; i < N(rows); i++)
        dlw_troff_item(out, rows[i].calls, NULL, rows[i].text);
}

static void files(FILE *out)
{
    dlw_troff_section(out, "FILES", NULL);
    dlw_troff_item(out, "report=PATH", NULL,
                   "The journal: a JSON object a line, written as things happen and whole after a "
                   "crash. %p is the pid, %e the program's name; a relative path starts where the "
                   "program was started, a name that is taken gets a number, nothing is "
                   "overwritten. Without it no file is written.");
    dlw_troff_item(out, "suppressions=FILE", NULL,
                   "lines fingerprint:HEX or kind:pattern, see dlwatch(1)");
    dlw_troff_item(out, "avoid=FILE", NULL,
                   "The deadlocks to stay clear of, one a line, each that is met added to them "
                   "before the process ends. They hold for this build of the program and its "
                   "libraries. It must belong to the user or root and be writable by nobody "
                   "else.");
}

static void limits(FILE *out)
{
    dlw_troff_section(
        out, "LIMITS",
        "Watched are the locks of pthread and C11, and what GLib, OpenMP and CPython "
        "make of their own. Who holds another lock is not seen unless it is "
        "annotated: one made of a raw futex (Rust's and Go's among them), a "
        "spinning word, one inside libc. Static programs ignore a preload, set-user-ID programs "
        "drop it, and programs for musl can't load this one.");
}

static void examples(FILE *out)
{
    static const char *const lines[] = {
        "LD_PRELOAD=libdlwatch.so ./server",
        "LD_PRELOAD=libdlwatch.so DLWATCH_OPTIONS='report=/var/log/server.%p' ./server",
        ("LD_PRELOAD=$(pkg-config --variable=preload dlwatch) "
         "DLWATCH_OPTIONS='on_deadlock=abort:log=none' ./server"),
    };

    dlw_troff_section(out, "EXAMPLES", NULL);
    dlw_troff_lines(out, lines, N(lines));
}

void dlw_generate_library_page(FILE *out)
{
    dlw_troff_heading(out, "LIBDLWATCH", "7");
    fputs(".SH NAME\nlibdlwatch \\- watch the locks of a program by preloading\n"
          ".SH SYNOPSIS\n.nf\nLD_PRELOAD=libdlwatch.so DLWATCH_OPTIONS=\"key=value:key=value\" "
          "\\fIprogram\\fR\n.fi\n",
          out);
    dlw_troff_section(out, "DESCRIPTION",
                      "The library observes: it does not change what the program returns, prints "
                      "on standard output, or exits with, unless an option asks for it. For a "
                      "readable report it starts dlwatch(1), which it finds beside itself or in "
                      "../bin; without it places are given as module and offset.");
    dlw_troff_paragraph(out,
                        "Pairs are separated by colons or spaces; a value that holds either is "
                        "quoted 'like this'. What is wrong is warned about in one line, and the "
                        "default stands.");
    dlw_troff_section(out, "OPTIONS", NULL);
    dlw_troff_options(out, "", 0);
    findings(out);
    annotations(out);
    files(out);
    limits(out);
    examples(out);
    fputs(".SH SEE ALSO\n.BR dlwatch (1)\n", out);
}
