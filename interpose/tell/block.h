/*
 * The readable block of one finding: by the command, which knows names, where it can be started,
 * else by report/emit/text.h.
 */
#ifndef DLW_TELL_BLOCK_H
#define DLW_TELL_BLOCK_H

#include "graph/base/arena.h"
#include "graph/finding.h"
#include "report/emit/journal/journal.h"

/* Whether the option `show` wants it at all. */
bool dlw_block_is_shown(const struct dlw_finding *finding);
/* Under the emit lock. `arena` is for the moment. */
void dlw_block_print_locked(struct dlw_arena *arena, const struct dlw_journal_process *process,
                            uint32_t id, const struct dlw_finding *finding, double time);
/* Of a forked child: the blocks were its parent's. */
void dlw_block_forget(void);
/* At the process's end: how many blocks max_reports has kept from being printed. */
void dlw_block_say_rest(void);

#endif
