/* dlwatch core: who waited for whom in a process that left a core. */
#include "report/command/inspect/target/core.h"

#include "report/command/base/command.h"
#include "report/command/base/options.h"
#include "report/command/base/rights.h"
#include "report/command/inspect/view.h"

#include <elf.h>
#include <stdio.h>
#include <unistd.h>

enum { OPT_SYSROOT = DLW_VIEW_OWN };

static void print_help(void)
{
    puts(
        "Usage: dlwatch core [options] CORE [EXECUTABLE]   (in any order)\n\n"
        "Says what every thread of a core waited for, who held it, and what that amounts to. The "
        "core may\nbe the kernel's, gcore's, or compressed (.zst .lz4 .xz .gz). The program and "
        "its "
        "libraries are found\nunder the names they had, by build id; one that was rebuilt since is "
        "not used.\n\n"
        "  --sysroot=DIR   look for them below DIR first: a core from another "
        "machine\n" DLW_VIEW_HELP_TEXT
        "\nStatus: 0 nothing found, 66 a deadlock or stall, 2 no core, or only a partial answer.");
}

static int take_option(struct dlw_view_options *options, int option)
{
    int end = 0;
    if (dlw_view_option(options, option, optarg, &end))
        return end;
    switch (option) {
    case OPT_SYSROOT:
        options->sysroot = optarg;
        return 0;
    default:
        return dlw_option_common(option, print_help);
    }
}

static int parse(struct dlw_view_options *options, int argc, char **argv)
{
    static const struct option table[] = {
        DLW_VIEW_OPTIONS,
        {"sysroot", required_argument, NULL, OPT_SYSROOT},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = dlw_option("core", argc, argv, "o:", table)) != -1) {
        int end = take_option(options, option);
        if (end)
            return end;
    }
    if (optind == argc)
        return 1 + dlw_usage_error("core", "no core is given");
    if (optind + 2 < argc)
        return 1 + dlw_usage_error("core", "'%s' is one argument too many", argv[optind + 2]);
    return 0;
}

/* An ELF file that is no core; a core may be compressed, so what is no ELF file may be one. */
static bool is_program(const char *path)
{
    int in = path ? dlw_open_regular(path) : -1;
    int type = in >= 0 ? dlw_elf_type(in) : -1;
    if (in >= 0)
        close(in);
    return type >= 0 && type != ET_CORE;
}

int dlw_core_main(int argc, char **argv)
{
    struct dlw_view_options options = {
        .subcommand = "core", .format = "text", .exitcode = DLW_STATUS_FOUND, .depth = 64};
    int end = parse(&options, argc, argv);
    if (end)
        return end - 1;
    /* As gdb wants them: the program first. */
    bool is_turned = argv[optind + 1] && is_program(argv[optind]) && !is_program(argv[optind + 1]);
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_target target = {
        .region = &doc->region,
        .memory = -1,
        .sysroot = options.sysroot,
        .given_exe = is_turned ? argv[optind] : argv[optind + 1],
        .notes_trouble = dlw_view_notes_trouble(&options),
        .shows_native = options.native,
    };
    int status = DLW_STATUS_TROUBLE;
    if (dlw_core_open(&target, doc, argv[optind + is_turned]))
        status = dlw_view_show(&target, doc, &options);
    dlw_target_close(&target);
    dlw_doc_free(doc);
    return status;
}
