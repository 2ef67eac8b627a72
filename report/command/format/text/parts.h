/*
 * Pieces of the readable report, shared by text.c, block.c, legend.c and stack.c. Colours are marks
 * (bytes below 8) until the last step, which turns them into escapes or drops them, and turns all
 * other control characters, which could only come from a hostile name, into '?'.
 */
#ifndef DLW_COMMAND_FORMAT_TEXT_PARTS_H
#define DLW_COMMAND_FORMAT_TEXT_PARTS_H

#include "report/command/format/format.h"
#include "report/command/symbols/source.h"

#define PLAIN "\001"
#define BOLD "\002"
#define RED "\003"
#define YELLOW "\004"
#define CYAN "\005"
#define FAINT "\006"

struct dlw_readable {
    FILE *out;
    struct dlw_doc *doc;
    const struct dlw_format_options *options;
    unsigned width;  /* columns for a line, without the prefix */
    bool is_in_list; /* a step that took one line was the last */
};

/* Breaks prose at the width; `first` begins the first line, `indent` spaces the others. */
void dlw_readable_prose(struct dlw_readable *text, const char *first, unsigned indent,
                        const char *prose);
/* What was done at a stack's innermost frame, "T1 holds L1, taken", and what comes after the
 * outermost that is shown, or nothing. */
struct dlw_lead {
    const char *line, *end;
};
/* The lead and the stack, innermost first; the innermost place with its source line. */
void dlw_readable_stack(struct dlw_readable *text, const struct dlw_lead *lead,
                        const struct dlw_stack *stack, const struct dlw_doc_process *process);
/* The frame's file as the compiler was called, but for what is not normal. */
const char *dlw_readable_path(const struct dlw_readable *text, const struct dlw_frame *frame);
void dlw_readable_finding(struct dlw_readable *text, const struct dlw_doc_finding *finding);
/* "L1 = accounts[0].lock (mutex, bank.c:9)" for each lock, "T1 = "evening"" for each thread of a
 * cycle. */
void dlw_readable_legend(struct dlw_readable *text, const struct dlw_doc_finding *finding);
bool dlw_readable_is_in_legend(const struct dlw_doc_finding *finding,
                               const struct dlw_doc_thread *thread);
/* "accounts[0].lock (mutex, bank.c:9)"; `finding` NULL: of the document's own lists. */
const char *dlw_readable_lock(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                              const struct dlw_doc_lock *lock);
/* Lists threads, those that stand at the same place together. */
void dlw_readable_states(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                         const struct dlw_doc_state *states, size_t n);
/* What its threads did last; nothing where that is not known. */
void dlw_readable_timeline(struct dlw_readable *text, const struct dlw_doc_finding *finding);
/* "took L1", "asked for L2", "gave back L1"; by their titles where there is no legend. */
const char *dlw_event_words(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const struct dlw_doc_event *event, bool has_legend);
const char *dlw_event_lock(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_event *event, bool has_legend);
/* "1.02 ms before, and waits"; NULL: not known. */
const char *dlw_event_time(struct dlw_region *region, const struct dlw_doc_event *event);
/* "bank.c:22"; NULL: not known. `folder` as of dlw_frame_path. */
const char *dlw_event_place(struct dlw_region *region, const struct dlw_doc_event *event,
                            const char *folder);
/* Copies `size` bytes of finished text to `out`: prefix on each line, marks to colours. */
void dlw_readable_print(FILE *out, const char *bytes, size_t size, const char *prefix, bool color);

#endif
