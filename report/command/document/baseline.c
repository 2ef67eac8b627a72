#include "report/command/document/baseline.h"

#include "report/command/base/arena.h"
#include "report/command/base/clean.h"

#include <string.h>
#include <uthash.h>

enum { LONGEST = 128 };

struct entry {
    struct dlw_known known; /* first: one is the other */
    UT_hash_handle hh;
};

struct dlw_baseline {
    struct dlw_region region;
    struct entry *table;
};

struct dlw_baseline *dlw_baseline_new(void)
{
    struct dlw_region region = {0};
    struct dlw_baseline *baseline = dlw_region_alloc(&region, sizeof(*baseline));
    baseline->region = region;
    return baseline;
}

void dlw_baseline_free(struct dlw_baseline *baseline)
{
    if (!baseline)
        return;
    HASH_CLEAR(hh, baseline->table);
    struct dlw_region region = baseline->region;
    dlw_region_free(&region);
}

static struct entry *find(const struct dlw_baseline *baseline, const char *fingerprint)
{
    struct entry *entry;
    HASH_FIND_STR(baseline->table, fingerprint, entry);
    return entry;
}

/* A report is a file that others may have written. */
static const char *copy(struct dlw_baseline *baseline, const char *text)
{
    return dlw_clean(&baseline->region, text);
}

void dlw_baseline_add(struct dlw_baseline *baseline, const struct dlw_known *known)
{
    if (strlen(known->fingerprint) > LONGEST)
        return;
    struct entry *entry = find(baseline, known->fingerprint);
    if (entry) {
        entry->known.is_listed |= known->is_listed;
        return;
    }
    entry = dlw_region_alloc(&baseline->region, sizeof(*entry));
    entry->known = *known;
    entry->known.fingerprint = dlw_region_copy(&baseline->region, known->fingerprint);
    entry->known.kind = copy(baseline, known->kind);
    entry->known.severity = copy(baseline, known->severity);
    entry->known.message = copy(baseline, known->message);
    entry->known.file = copy(baseline, known->file);
    HASH_ADD_KEYPTR(hh, baseline->table, entry->known.fingerprint, strlen(entry->known.fingerprint),
                    entry);
}

const struct dlw_known *dlw_baseline_find(const struct dlw_baseline *baseline,
                                          const char *fingerprint)
{
    struct entry *entry = find(baseline, fingerprint);
    return entry ? &entry->known : NULL;
}

const struct dlw_known *dlw_baseline_next(const struct dlw_baseline *baseline,
                                          const struct dlw_known *before)
{
    const struct entry *entry = before ? ((const struct entry *)before)->hh.next : baseline->table;
    return entry ? &entry->known : NULL;
}
