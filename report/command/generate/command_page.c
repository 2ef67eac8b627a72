/* dlwatch(1) */
#include "report/command/generate/generate.h"

#include "report/command/command.h"

static void synopsis(FILE *out)
{
    static const struct {
        const char *name, *arguments, *help;
        int (*main)(int, char **);
    } rows[] = {
#define DLW_SUBCOMMAND(name, arguments, help) {#name, arguments, help, dlw_##name##_main},
#include "report/command/subcommand.def"
#undef DLW_SUBCOMMAND
    };
    fputs(".SH SYNOPSIS\n", out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].main)
            continue;
        fprintf(out, ".br\n\\fBdlwatch %s\\fR ", rows[i].name);
        dlw_troff_text(out, rows[i].arguments);
        fputc('\n', out);
    }
    fputs(".SH SUBCOMMANDS\n", out);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].main)
            dlw_troff_item(out, rows[i].name, NULL, rows[i].help);
    dlw_troff_paragraph(out, "Each tells about its own options with --help.");
}

static void formats(FILE *out)
{
    fputs(".SH FORMATS\n", out);
#define DLW_FORMAT(name, help) dlw_troff_item(out, #name, NULL, help);
#include "report/command/format.def"
#undef DLW_FORMAT
}

static void run_options(FILE *out)
{
    fputs(".SH OPTIONS OF RUN\n", out);
    dlw_troff_options(out, "--", 1);
    dlw_troff_item(out, "--output=", "F:PATH", "write a report in format F as well; repeatable");
    dlw_troff_item(out, "--timeout=", "S",
                   "end the command and its children after S seconds, and report what each waited "
                   "for");
    dlw_troff_item(out, "--baseline=", "OLD", "findings that OLD has are known and don't count");
    dlw_troff_paragraph(out, "Values come from these defaults, then from DLWATCH_OPTIONS in the "
                             "environment, then from the command line.");
}

static void report_options(FILE *out)
{
    fputs(".SH OPTIONS OF REPORT\n", out);
    dlw_troff_item(out, "--format=", "F", "one of the formats above; text is the default");
    dlw_troff_item(out, "-o, --output=", "OUT", "write there instead of standard output");
    dlw_troff_item(out, "--baseline=", "OLD",
                   "leave out what OLD knows: a file written by --format=json, or journals");
    dlw_troff_item(out, "--suppressions=", "FILE", "findings not to report, see below");
    dlw_troff_item(out, "--show=", "feasible|all|strict|unused-suppressions",
                   "all: also cycles that a run proves harmless, as notes; strict: as errors; "
                   "unused-suppressions: list the suppressions that matched nothing");
    dlw_troff_item(out, "--color=", "auto|always|never", "NO_COLOR is honoured");
    dlw_troff_item(out, "--exitcode=", "N", "status when errors were found (66)");
}

static void suppressions(FILE *out)
{
    fputs(".SH SUPPRESSIONS\n", out);
    dlw_troff_paragraph(out,
                        "A file of lines kind:pattern. The kind is one of those that reports name, "
                        "or *; the pattern is a shell glob that is held against the functions, "
                        "source files, modules and lock names of the finding. A # begins a "
                        "comment. 'dlwatch report --format=suppressions' prints lines that are "
                        "ready to use.");
    fputs(
        ".PP\n.nf\ndeadlock:transfer\nlock\\-order\\-inversion:*/libold.so\n*:legacy_lock*\n.fi\n",
        out);
}

void dlw_generate_command_page(FILE *out)
{
    dlw_troff_heading(out, "DLWATCH", "1");
    fputs(".SH NAME\ndlwatch \\- find deadlocks of pthread programs while they run\n", out);
    synopsis(out);
    fputs(".SH DESCRIPTION\n", out);
    dlw_troff_paragraph(out,
                        "dlwatch watches programs that use POSIX threads, without recompiling "
                        "them. It reports a deadlock when it happens, and locks that are taken in "
                        "different orders before they deadlock: which threads, which locks, where "
                        "each was taken and asked for, and what would break it.");
    run_options(out);
    formats(out);
    report_options(out);
    suppressions(out);
    fputs(".SH EXIT STATUS\n", out);
    dlw_troff_item(out, "0", NULL, "nothing found");
    dlw_troff_item(out, "66", NULL, "errors found (--exitcode=N for another)");
    dlw_troff_item(out, "2", NULL, "wrong usage, or input that can't be read whole");
    dlw_troff_item(out, "127, 126, 128+N", NULL,
                   "run: the command can't be found, can't be started, was ended by signal N; "
                   "else the command's own status");
    fputs(".SH ENVIRONMENT\n", out);
    dlw_troff_item(out, "DLWATCH_OPTIONS", NULL, "options of the library, see libdlwatch(7)");
    dlw_troff_item(out, "DLWATCH_DEBUG_PATH", NULL,
                   "more folders with separate debug files, separated by colons");
    dlw_troff_item(out, "NO_COLOR, COLUMNS, TMPDIR", NULL,
                   "no colour; width of text; where run keeps its journals");
    fputs(".SH EXAMPLES\n.PP\n.nf\ndlwatch run \\-\\- ./server \\-\\-test\n"
          "dlwatch run \\-\\-output=junit:dlwatch.xml \\-\\-timeout=600 \\-\\- ctest \\-j8\n"
          "dlwatch report \\-\\-format=html \\-o report.html /tmp/dlwatch\\-x7Ab2c\n"
          "dlwatch merge \\-o history.json history.json new/\n.fi\n"
          ".SH SEE ALSO\n.BR libdlwatch (7)\n",
          out);
}
