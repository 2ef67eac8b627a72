/*
 * Stacks and modules as the journal names them: interned, numbered from 1, never
 * forgotten (their number is bounded by the program's code paths).
 *
 * Reading by id takes no lock. Making one takes RANK_STACKS for some ns after the walk; called with
 * no internal lock held and the caller's guard up. 0 is "not known".
 */
#ifndef DLW_STACKS_INTERN_H
#define DLW_STACKS_INTERN_H

#include "interpose/base/state.h"
#include "interpose/stacks/walk.h"
#include "report/emit/journal/journal.h"

bool dlw_module_get(uint32_t id, struct dlw_journal_module *out);
uint32_t dlw_module_of(uintptr_t address); /* 0: in none */
uint32_t dlw_stack_get(uint32_t id, struct dlw_journal_frame *out, uint32_t room, bool *cut);

void dlw_stacks_start(const char *exe, const char *folder);
/* From the constructor: why no outer frame will be known (lasts). */
void dlw_stacks_lack_rules(const char *why);
bool dlw_stacks_before_fork(void);
void dlw_stacks_after_fork(bool child);

/* ---- putting one together ---- */

/* Why a frame is not known. */
enum dlw_why {
    DLW_KNOWN,
    DLW_WHY_RETURNED,
    DLW_WHY_NO_TABLES,
    DLW_WHY_LOST,
    DLW_WHY_MOVED,
    DLW_WHY_RUNNING,
    DLW_WHY_ENDED,
    DLW_WHY_UNREADABLE,
    DLW_LINE, /* it is known: a line of Python, and `pc` its number (lines.h) */
};

struct dlw_draft_frame {
    uint64_t pc;
    uint32_t module;
    uint32_t why; /* enum dlw_why; set: pc and module mean nothing */
};

/* A stack being put together, on the caller's own stack: no larger than the frames that are kept.
 */
struct dlw_draft {
    unsigned n, room;
    bool cut;
    struct dlw_draft_frame *frames;
};

#define DLW_DRAFT_ON_STACK(name)                                                                   \
    struct dlw_draft_frame name##_frames[dlw_options.stack_depth];                                 \
    struct dlw_draft name = {0, (unsigned)dlw_options.stack_depth, false, name##_frames}

void dlw_draft_add(struct dlw_draft *draft, uintptr_t pc, enum dlw_why why);
/* By its number; 0: it could not be read. */
void dlw_draft_add_line(struct dlw_draft *draft, uint32_t line);
void dlw_draft_add_end(struct dlw_draft *draft, enum dlw_walk_end end);
uint32_t dlw_intern(struct dlw_draft *draft);
uint32_t dlw_intern_walked(const struct dlw_walked *frames, unsigned n, enum dlw_walk_end end);

#endif
