/* The parts of an advice (classify.h), shared by remedy.c, remedy_order.c and remedy_calls.c. */
#ifndef DLW_COMMAND_ADVICE_REMEDY_H
#define DLW_COMMAND_ADVICE_REMEDY_H

#include "report/command/document/classify.h"

struct advising {
    struct dlw_region *region;
    const struct dlw_doc_finding *finding;
    bool by_labels; /* L1, T1: the reader has the legend */
    struct dlw_remedy remedy;
};

/* One paragraph more; what does not fit is left out. */
void dlw_remedy_say(struct advising *advising, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What the reader calls it. */
const char *dlw_remedy_lock(const struct advising *advising, const struct dlw_doc_lock *lock);
const char *dlw_remedy_thread(const struct advising *advising, const struct dlw_doc_thread *thread);
/* The frame that a reader should look at, or NULL. */
const struct dlw_frame *dlw_remedy_frame(const struct dlw_stack *stack);
/* "transfer (bank.c:31)" */
const char *dlw_remedy_place(const struct advising *advising, const struct dlw_stack *stack);
/* ", taken in transfer (bank.c:30),", or nothing where that is not known. */
const char *dlw_remedy_taken(const struct advising *advising, const struct dlw_stack *stack);
/* Does C++ code ask for one of these locks? */
bool dlw_remedy_is_cplusplus(const struct dlw_doc_finding *finding);
/* Does its first step wait in a line of Python? */
bool dlw_remedy_is_python(const struct dlw_doc_finding *finding);

void dlw_remedy_order(struct advising *advising);
void dlw_remedy_stall(struct advising *advising);
void dlw_remedy_accusation(struct advising *advising);

#endif
