/* What reports say of each kind of finding and wait: the sentences of graph/kinds.def. */
#ifndef DLW_COMMAND_DOCUMENT_WORDS_H
#define DLW_COMMAND_DOCUMENT_WORDS_H

#include "graph/finding.h"
#include "report/command/base/arena.h"
#include "report/command/document/model.h"

/* See graph/kinds.def. Of a kind that accuses no single call `verb` and `message` are NULL. */
struct dlw_kind_words {
    const char *verb, *message, *summary, *description, *advice;
};
const struct dlw_kind_words *dlw_kind_words(enum dlw_kind kind);

struct dlw_wait_words {
    const char *phrase, *one, *many;
};
const struct dlw_wait_words *dlw_wait_words(enum dlw_wait_kind kind);

/* The phrase in front of that title. Not "the semaphore the semaphore at 0x…": what a lock without
 * a name is called says its kind. */
const char *dlw_wait_phrase_for(struct dlw_region *region, const char *phrase, const char *title);

/* The same of a thread that waits for what is called so. */
const char *dlw_wait_phrase_of(struct dlw_region *region, const struct dlw_doc_state *state,
                               const char *title);

/* The text with {lock} and {place} filled in. */
const char *dlw_words_fill(struct dlw_region *region, const char *text, const char *lock,
                           const char *place);

#endif
