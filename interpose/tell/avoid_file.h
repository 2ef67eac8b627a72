/*
 * The file of the option `avoid`: certain deadlocks of earlier runs, one a line
 * (report/emit/signature.h). Read once at start; what this process meets is appended, each deadlock
 * once, and on the disk before the process ends by it.
 *
 * Whoever can write it can delay the program, so it must belong to the user or to root, and nobody
 * else may write it. It is opened without following a link and without waiting.
 */
#ifndef DLW_TELL_AVOID_FILE_H
#define DLW_TELL_AVOID_FILE_H

#include "interpose/tell/pending.h"

/* From the constructor: the text, mapped for good and terminated, which the caller may write over;
 * it is made when it is missing. NULL: there is no such option, or it was refused with a line. */
char *dlw_avoid_file_start(const char *folder);
/* As the option says, absolute; NULL: none is in use. */
const char *dlw_avoid_file_path(void);

/* Keeps the deadlock, unless it is there already. The finding has serial numbers, the facts tags
 * (pending.h). Called with no internal lock held. */
void dlw_avoid_file_add(const struct dlw_finding *finding, const struct dlw_pending *pending);

/* Why a deadlock that is known was met all the same, in words; NULL: that is not known. Filled by
 * who avoids (steer/avoid.c). */
extern const char *(*dlw_avoid_why_met)(uint64_t number);

#endif
