/* What attach and core share once the target is open: from modules to the written report. */
#ifndef DLW_COMMAND_INSPECT_VIEW_H
#define DLW_COMMAND_INSPECT_VIEW_H

#include "report/command/base/options.h"
#include "report/command/inspect/target/target.h"

struct dlw_view_options {
    const char *subcommand;
    const char *format; /* of the table in format.def */
    const char *output; /* NULL: standard output */
    enum dlw_color color;
    int exitcode;
    long depth;   /* frames a stack */
    bool all;     /* attach: stop every thread */
    bool native;  /* an interpreter's own frames as well */
    double watch; /* attach: seconds between looks, 0: once */
    const char *sysroot;
    uint64_t *shown; /* attach: what was shown last, by a number that changes with it; NULL: show */
};

/* Options that both have: true when `option` (of getopt_long) was one. *end becomes the status to
 * end with plus 1, or stays 0. */
bool dlw_view_option(struct dlw_view_options *options, int option, const char *value, int *end);

/* Does what goes wrong have to be repeated in the report, since it is read elsewhere? */
bool dlw_view_notes_trouble(const struct dlw_view_options *options);

/* For others who look at processes (the runner): adds what is seen of a live process to a document
 * that they finish. Says nothing; false where nothing could be had. */
bool dlw_outside_add_process(struct dlw_doc *doc, uint32_t pid);
/* Would that add a finding that is certain, as a shorter look has it? No place gets its name, which
 * is what costs most. */
bool dlw_outside_is_stuck(uint32_t pid);

/* Modules, stacks, waits, verdict, report. The target is open and has its threads. The status. */
int dlw_view_show(struct dlw_target *target, struct dlw_doc *doc,
                  const struct dlw_view_options *options);

enum {
    DLW_VIEW_FORMAT = 256,
    DLW_VIEW_COLOR,
    DLW_VIEW_EXITCODE,
    DLW_VIEW_DEPTH,
    DLW_VIEW_NATIVE,
    DLW_VIEW_OWN, /* first of the subcommand's own */
};

#define DLW_VIEW_OPTIONS                                                                           \
    {"format", required_argument, NULL, DLW_VIEW_FORMAT},                                          \
        {"output", required_argument, NULL, 'o'},                                                  \
        {"color", required_argument, NULL, DLW_VIEW_COLOR},                                        \
        {"exitcode", required_argument, NULL, DLW_VIEW_EXITCODE},                                  \
        {"stack_depth", required_argument, NULL, DLW_VIEW_DEPTH},                                  \
        {"native", no_argument, NULL, DLW_VIEW_NATIVE}, DLW_HELP_OPTIONS

#define DLW_VIEW_HELP_TEXT                                                                         \
    "  --format=F      text (default) json dot svg html perfetto\n"                                \
    "  -o OUT          write there instead of standard output (--output=OUT is the same)\n"        \
    "  --stack_depth=N frames shown of a stack, 1 to 256 (default 64)\n"                           \
    "  --native        show the frames of Python's interpreter as well\n"                          \
    "  --color=WHEN    auto, always, never\n"                                                      \
    "  --exitcode=N    status when a deadlock or stall is found (default 66)\n"

#endif
