/* What locks cost (threads/profile.h), as the journal says it. */
#ifndef DLW_TELL_COSTS_H
#define DLW_TELL_COSTS_H

#include "interpose/threads/profile.h"
#include "report/emit/journal/journal.h"

/* Interns the entry's places. Under no lock but the profile's. */
struct dlw_journal_profile dlw_costs_resolve(const struct dlw_profile_entry *entry);

#endif
