#include "interpose/tell/block.h"

#include "graph/base/sys.h"
#include "interpose/base/state.h"
#include "interpose/tell/source.h"
#include "report/emit/helper.h"
#include "report/emit/say.h"
#include "report/emit/text.h"

#include <linux/memfd.h>
#include <string.h>
#include <unistd.h>

/* So far; guarded by the emit lock. */
static uint32_t n_blocks;
static uint32_t n_left_out; /* for max_reports */

bool dlw_block_is_shown(const struct dlw_finding *finding)
{
    return !finding->harmless || dlw_options.show != DLW_SHOW_FEASIBLE;
}

static const char *color_argument(void)
{
    static const char *const arguments[] = {"--color=auto", "--color=always", "--color=never"};

    return arguments[dlw_options.color];
}

static const char *show_argument(void)
{
    static const char *const arguments[] = {"--show=feasible", "--show=all", "--show=strict"};

    return arguments[dlw_options.show];
}

static bool print_by_helper_locked(struct dlw_arena *arena,
                                   const struct dlw_journal_process *process, uint32_t id,
                                   const struct dlw_finding *finding, double time, int output)
{
    static char suppressions[4096 + 32] = "--suppressions="; /* guarded by the emit lock */
    const char *extra[] = {color_argument(), show_argument(), NULL, NULL};
    long memory = dlw_syscall(SYS_memfd_create, "dlwatch-finding", MFD_CLOEXEC);

    if (memory < 0)
        return false;
    if (dlw_options.suppressions &&
        dlw_options.suppressions[0]) { /* absolute, and fits (start.c) */
        strncpy(suppressions + sizeof("--suppressions=") - 1, dlw_options.suppressions, 4096);
        extra[2] = suppressions;
    }
    struct dlw_journal *fragment = dlw_journal_new(arena, &dlw_source, process, NULL);
    dlw_journal_to_descriptor(fragment, (int)memory);
    dlw_journal_finding(fragment, id, time, finding);
    dlw_journal_free(fragment);
    dlw_syscall(SYS_lseek, memory, 0, SEEK_SET);
    bool started = dlw_helper_print((int)memory, output, extra);
    dlw_syscall(SYS_close, memory);
    return started;
}

enum { TURN_MS = 1000 };

void dlw_block_print_locked(struct dlw_arena *arena, const struct dlw_journal_process *process,
                            uint32_t id, const struct dlw_finding *finding, double time)
{
    if (!dlw_block_is_shown(finding) || !dlw_say_wants_blocks())
        return;
    if (n_blocks >= (uint64_t)dlw_options.max_reports) {
        n_left_out++;
        return;
    }
    int output = dlw_say_descriptor();
    if (output < 0)
        return;
    n_blocks++;
    if (dlw_helper_is_possible() &&
        print_by_helper_locked(arena, process, id, finding, time, output))
        return;
    dlw_helper_wait(TURN_MS); /* until a helper that still prints an earlier block is done */
    dlw_text_finding(&dlw_source, finding);
}

void dlw_block_forget(void)
{
    n_blocks = 0;
    n_left_out = 0;
}

void dlw_block_say_rest(void)
{
    char number[24];

    if (n_left_out)
        dlw_say(dlw_say_number(number, n_left_out),
                n_left_out == 1 ? " more finding was" : " more findings were",
                " not printed (max_reports)", NULL);
}
