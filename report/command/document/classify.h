/* Between a finding and its place in the report. */
#ifndef DLW_COMMAND_DOCUMENT_CLASSIFY_H
#define DLW_COMMAND_DOCUMENT_CLASSIFY_H

#include "report/command/document/model.h"

/* From kind, function names and source base names: equal in every run and after a rebuild. Writes
 * 16 hex digits. */
void dlw_fingerprint(const struct dlw_doc_finding *finding, char out[17]);
/* The same as 0.1.0 made it, which joins under a lock and exit-holding-lock had other ones in. */
void dlw_former_fingerprint(const struct dlw_doc_finding *finding, char out[17]);
/* "test A and test B", of the steps of a cycle. */
const char *dlw_finding_scopes(struct dlw_region *region, const struct dlw_doc_finding *finding);
/* One line that says what is wrong. */
const char *dlw_finding_message(struct dlw_region *region, const struct dlw_doc_finding *finding);
/* What would break it: paragraphs of plain words, under a title. The first is the remedy that fits
 * best, the others are other ways. */
struct dlw_remedy {
    const char *title;
    const char *paragraphs[6];
    size_t n;
};
struct dlw_remedy dlw_finding_remedy(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding);
/* The same, with the names of the legend (labels.h). */
struct dlw_remedy dlw_finding_remedy_by_labels(struct dlw_region *region,
                                               const struct dlw_doc_finding *finding);
/* What makes a deadlock, and which remedies take which of it away: once for a report. */
const char *dlw_remedy_lecture(void);
/* "file:line: severity: message [kind]", as compilers write, without a newline. `folder` as of
 * dlw_frame_path. */
const char *dlw_finding_line(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             const char *folder);
/* How sure it is, and why. NULL: nothing to say. */
const char *dlw_finding_confidence(struct dlw_region *region,
                                   const struct dlw_doc_finding *finding);
/* The same in a few words where they say it all: "seen as it happened"; else NULL. */
const char *dlw_finding_certainty(struct dlw_region *region, const struct dlw_doc_finding *finding);

/* A thread waits for what an ended thread, or one that a fork left behind, still holds. */
bool dlw_finding_holder_is_gone(const struct dlw_doc_finding *finding);

/* A writer that stands in front of a reader: it holds no more than its place in the line. */
bool dlw_step_is_in_line(const struct dlw_doc_finding *finding, const struct dlw_doc_step *step);

/* Of a stall: who waits for a lock that another sleeper holds, and what that one waits for; NULL:
 * nobody does. */
const char *dlw_finding_half_circles(struct dlw_region *region,
                                     const struct dlw_doc_finding *finding);
/* Of a stall: the sleeper that holds what this one waits for; NULL: none does. */
const struct dlw_doc_state *dlw_finding_holder(const struct dlw_doc_finding *finding,
                                               const struct dlw_doc_state *waiter);
/* "the condition was signalled once, by producer at put queue.c:20, before this wait began"; NULL:
 * nothing is known of what would end the wait. */
const char *dlw_state_facts(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const struct dlw_doc_state *state);

/* Each stack of the finding: those of its cycle and its threads. Stops when visit returns true, and
 * returns that. */
typedef bool dlw_stack_visit(void *context, const struct dlw_stack *stack);
bool dlw_finding_each_stack(const struct dlw_doc_finding *finding, dlw_stack_visit *visit,
                            void *context);

/* The step that the one numbered `i` waits for. */
static inline const struct dlw_doc_step *dlw_next_step(const struct dlw_doc_finding *finding,
                                                       size_t i)
{
    return &finding->cycle[(i + 1) % finding->n_cycle];
}

/* Who holds what step i wants: the next step's thread, or the one that has gone with it. */
static inline const struct dlw_doc_thread *dlw_wanted_from(const struct dlw_doc_finding *finding,
                                                           size_t i)
{
    const struct dlw_doc_step *next = dlw_next_step(finding, i);
    return next->holder ? next->holder : next->thread;
}

#endif
