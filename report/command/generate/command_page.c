/* dlwatch(1) */
#include "report/command/generate/generate.h"

#include "report/command/base/command.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

struct item {
    const char *tag, *value, *text;
};

static void items(FILE *out, const struct item *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dlw_troff_item(out, rows[i].tag, rows[i].value, rows[i].text);
}

static const struct {
    const char *name, *arguments, *help;
    int (*main)(int, char **);
} subcommand_rows[] = {
#define DLW_SUBCOMMAND(name, arguments, help) {#name, arguments, help, dlw_##name##_main},
#include "report/command/base/subcommand.def"
#undef DLW_SUBCOMMAND
};

static void synopsis(FILE *out)
{
    const char *separator = "";

    dlw_troff_section(out, "SYNOPSIS", NULL);
    for (size_t i = 0; i < N(subcommand_rows); i++) {
        if (!subcommand_rows[i].main)
            continue;
        fprintf(out, "%s\\fBdlwatch %s\\fR ", separator, subcommand_rows[i].name);
        dlw_troff_text(out, subcommand_rows[i].arguments);
        fputc('\n', out);
        separator = ".br\n";
    }
}

static void subcommands(FILE *out)
{
    dlw_troff_section(out, "SUBCOMMANDS", NULL);
    for (size_t i = 0; i < N(subcommand_rows); i++)
        if (subcommand_rows[i].main)
            dlw_troff_item(out, subcommand_rows[i].name, NULL, subcommand_rows[i].help);
    dlw_troff_paragraph(out, "Each tells about its own options with --help; --version says which "
                             "release this is.");
}

static void run_options(FILE *out)
{
    static const struct item rows[] = {
        {"-o, --output=", "F:PATH",
         "write a report in format F as well, or in that which the end of PATH names (html, json, "
         "sarif, svg, dot); repeatable"},
        {"--timeout=", "S",
         "end the command and its children after S seconds (5m, 2h), and report what each waited "
         "for"},
        {"--baseline=", "OLD", "findings that OLD has are known and don't count"},
        {"--confirm", "[=N]",
         "then run the command again, N (20) times for each possible inversion, and steer its "
         "threads into the deadlock, see confirm"},
        {"--unconfirmed=", "warning", "what --confirm did not reach is a warning"},
    };
    dlw_troff_section(out, "OPTIONS OF RUN",
                      "Signals are passed on, the terminal stays the command's, and all its "
                      "children are watched. Values come from these defaults, then from "
                      "DLWATCH_OPTIONS in the environment, then from the command line.");
    dlw_troff_options(out, "--", 1);
    items(out, rows, N(rows));
}

static void report_options(FILE *out)
{
    static const struct item rows[] = {
        {"--format=", "F",
         "one of the formats below; else the one that OUT's suffix says (html json sarif svg dot), "
         "else text"},
        {"-o, --output=", "OUT", "write there instead of standard output"},
        {"--baseline=", "OLD",
         "leave out what OLD knows: a file written by --format=json, or journals"},
        {"--suppressions=", "FILE", "findings not to report, see below"},
        {"--show=", "feasible|all|strict|unused-suppressions",
         "all: also cycles that a run proves harmless or the program says it means, as notes; "
         "strict: those that a run proves harmless are errors; unused-suppressions: list the "
         "suppressions that matched nothing"},
        {"--advice", "",
         "all ways out of each finding, once why they work, and in stacks also the functions of "
         "libraries whose names are not known; without a file just why they work"},
        {"--timeline", "", "what the threads of each finding did last, in the text as well"},
        {"--color=", "auto|always|never", "NO_COLOR is honoured"},
        {"--exitcode=", "N", "status when errors were found (66)"},
        {"--fail_on=", "error|warning",
         "warning: the same status for warnings, and where there is no process"},
        {"--live", "", "blocks of findings alone, each line with the prefix of its process"},
    };
    dlw_troff_section(out, "OPTIONS OF REPORT",
                      "Reads journals, histories, and the folders that hold them; - is standard "
                      "input.");
    items(out, rows, N(rows));
}

static void confirm_options(FILE *out)
{
    static const struct item rows[] = {
        {"--tries=", "N", "how often each finding is tried (20)"},
        {"--pause=", "MS",
         "how long a thread is kept waiting at most; chosen from how far apart the steps were "
         "seen, and varied from try to try"},
        {"--finding=", "FINGERPRINT", "only this one; repeatable"},
        {"--timeout=", "S", "end a try after S seconds (60, and four pauses)"},
        {"--unconfirmed=", "warning", "what was not reached is a warning"},
        {"--replay=", "FILE",
         "play one try again, from the file that its report names; no journals are given then"},
        {"--suppressions=", "FILE", "findings not to try"},
        {"--format=", "F", "one of the formats below; text is the default"},
        {"-o, --output=", "OUT", "write there instead of standard output"},
    };
    dlw_troff_section(
        out, "OPTIONS OF CONFIRM",
        "For each lock-order inversion in the journals, runs the command that stands behind -- "
        "again and steers its threads: one that has the first lock of a step and comes to ask for "
        "the second is kept there until other threads stand so in all other steps. Then all go "
        "on, and deadlock. Nothing but delay is done to the command. What was reached is certain, "
        "with the stacks of the deadlock; else it is said how far it came. What the command "
        "prints is not shown; it reads its standard input again in each try where that is a file, "
        "else it reads nothing. Of a program that was built anew the places are found by function "
        "and line: run keeps these in its journals.");
    items(out, rows, N(rows));
}

static void merge_options(FILE *out)
{
    static const struct item rows[] = {
        {"-o, --output=", "OUT", "the history to write; it may be among the inputs"},
    };
    dlw_troff_section(out, "OPTIONS OF MERGE",
                      "Unites the journals of many runs, and what was merged before. The same "
                      "journals give the same history, in any order or grouping.");
    items(out, rows, N(rows));
}

static void diff_options(FILE *out)
{
    static const struct item rows[] = {
        {"--format=", "text|json", "text is the default"},
        {"-o, --output=", "OUT", "write there instead of standard output"},
        {"--exitcode=", "N", "status when there are new ones (66)"},
    };
    dlw_troff_section(out, "OPTIONS OF DIFF",
                      "OLD and NEW are each a file written by --format=json, a journal, a folder "
                      "of journals, or a history. Findings are the same when their fingerprints "
                      "are; what a run proved harmless is none.");
    items(out, rows, N(rows));
}

static void outside_options(FILE *out)
{
    static const struct item rows[] = {
        {"--watch", "[=S]",
         "attach: look again every S seconds (2) until the process ends; in text \"unchanged\" "
         "where every thread stands where it stood"},
        {"--stop-all", NULL,
         "attach: stop every thread for exact stacks; a system call like epoll_wait may then "
         "return EINTR to the program"},
        {"--sysroot=", "DIR", "core: look for the program and its libraries below DIR first"},
        {"--format=", "F", "text (default), json, dot, svg, html or perfetto"},
        {"-o, --output=", "OUT", "write there instead of standard output"},
        {"--native", NULL, "show the frames of Python's interpreter beside those of Python"},
        {"--stack_depth=", "N", "frames shown of a stack, 1 to 256 (64)"},
        {"--color=", "auto|always|never", "colour in the text"},
        {"--exitcode=", "N", "status when a deadlock or stall was found (66)"},
    };
    dlw_troff_section(
        out, "OPTIONS OF ATTACH AND CORE",
        "attach takes the number or the name of a process; core takes core and program in any "
        "order. The process or core need not have been watched before. What a process waits for "
        "may be held by another: attach looks at that one as well, where it sleeps "
        "without limit too. A core may be the kernel's, gcore's, or compressed.");
    items(out, rows, N(rows));
}

static void formats(FILE *out)
{
    dlw_troff_section(out, "FORMATS", NULL);
#define DLW_FORMAT(name, edges, help) dlw_troff_item(out, #name, NULL, help);
#include "report/command/format/format.def"
#undef DLW_FORMAT
}

static void suppressions(FILE *out)
{
    static const char *const lines[] = {"# the old library, until it goes", "deadlock:transfer",
                                        "lock-order-inversion:*/libold.so", "*:legacy_lock*"};
    dlw_troff_section(
        out, "SUPPRESSIONS",
        "A file of lines fingerprint:HEX, each for one mistake by the fingerprint that "
        "reports name, or kind:pattern. The kind is one of those that reports name, "
        "or *; the pattern is a shell glob that is held against the functions, "
        "source files, modules and lock names of the finding. A # begins a comment. "
        "'dlwatch report --format=suppressions' prints lines that are ready to use.");
    fputs(".PP\n", out);
    dlw_troff_lines(out, lines, N(lines));
}

static void statuses(FILE *out)
{
    static const struct item rows[] = {
        {"0", NULL, "nothing found"},
        {"66", NULL,
         "errors found (--exitcode=N for another); confirm: one was confirmed; diff: "
         "something is new; attach and core: a deadlock or stall"},
        {"2", NULL,
         "wrong usage, or input that can't be read whole; run: instead of 0, a journal "
         "ends early; attach and core: not allowed, or only a part could be told"},
        {"127, 126, 128+N", NULL,
         "run: the command can't be found, can't be started, was ended by signal N; else the "
         "command's own status"},
    };
    dlw_troff_section(out, "EXIT STATUS", NULL);
    items(out, rows, N(rows));
}

static void environment(FILE *out)
{
    static const struct item rows[] = {
        {"DLWATCH_OPTIONS", NULL, "options of the library, see libdlwatch(7)"},
        {"DLWATCH_DEBUG_PATH", NULL, "more folders with separate debug files, separated by colons"},
        {"NO_COLOR, COLUMNS, TMPDIR", NULL,
         "no colour; width of text; where run keeps its journals"},
    };
    dlw_troff_section(out, "ENVIRONMENT", NULL);
    items(out, rows, N(rows));
}

static void files(FILE *out)
{
    static const struct item rows[] = {
        {"../lib/libdlwatch.so", NULL,
         "what run preloads: beside the command or in ../lib, ../lib64 or their folder for this "
         "architecture"},
        {"$TMPDIR/dlwatch-XXXXXX/", NULL,
         "journals of a run, one for each process that had something to say; named in the last "
         "line and kept when there were findings"},
        {"/run/dlwatch, $XDG_RUNTIME_DIR/dlwatch", NULL,
         "attach: how long threads have waited, from look to look"},
    };
    dlw_troff_section(out, "FILES", NULL);
    items(out, rows, N(rows));
}

static void examples(FILE *out)
{
    static const char *const lines[] = {
        "dlwatch run -- ./server --test",
        "dlwatch run --output=junit:dlwatch.xml --timeout=600 -- ctest -j8",
        "dlwatch run --report='ci/%e.%p.jsonl' --output=sarif:dlwatch.sarif -- make check",
        "dlwatch report --format=html -o report.html /tmp/dlwatch-x7Ab2c",
        "dlwatch report --format=json -o known.json ci/; dlwatch report --baseline=known.json ci/",
        "dlwatch diff last-week.json ci/",
        "dlwatch merge -o history.jsonl history.jsonl ci/ && dlwatch report history.jsonl",
        "dlwatch confirm /tmp/dlwatch-x7Ab2c -- ./server --test",
        "dlwatch attach 4711",
        "dlwatch attach server",
        "dlwatch core core.4711 ./server",
    };
    dlw_troff_section(out, "EXAMPLES", NULL);
    dlw_troff_lines(out, lines, N(lines));
}

void dlw_generate_command_page(FILE *out)
{
    dlw_troff_heading(out, "DLWATCH", "1");
    fputs(".SH NAME\ndlwatch \\- find deadlocks of pthread programs while they run\n", out);
    synopsis(out);
    dlw_troff_section(out, "DESCRIPTION",
                      "dlwatch watches programs that use POSIX threads, without recompiling them. "
                      "It reports a deadlock when it happens, and locks that are taken in "
                      "different orders before they deadlock: which threads, which locks, where "
                      "each was taken and asked for, and what would break it.");
    subcommands(out);
    run_options(out);
    report_options(out);
    confirm_options(out);
    merge_options(out);
    diff_options(out);
    outside_options(out);
    formats(out);
    suppressions(out);
    statuses(out);
    environment(out);
    files(out);
    examples(out);
    fputs(".SH SEE ALSO\n.BR libdlwatch (7)\n", out);
}
