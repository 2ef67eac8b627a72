#include "report/command/document/baseline.h"

#include "report/command/base/arena.h"

#include <string.h>
#include <uthash.h>

struct known {
    char fingerprint[129];
    UT_hash_handle hh;
};

struct dlw_baseline {
    struct dlw_region region;
    struct known *table;
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

void dlw_baseline_add(struct dlw_baseline *baseline, const char *fingerprint)
{
    struct known *known;
    if (strlen(fingerprint) >= sizeof(known->fingerprint))
        return;
    HASH_FIND_STR(baseline->table, fingerprint, known);
    if (known)
        return;
    known = dlw_region_alloc(&baseline->region, sizeof(*known));
    memcpy(known->fingerprint, fingerprint, strlen(fingerprint) + 1);
    HASH_ADD_STR(baseline->table, fingerprint, known);
}

bool dlw_baseline_has(const struct dlw_baseline *baseline, const char *fingerprint)
{
    struct known *known;
    HASH_FIND_STR(baseline->table, fingerprint, known);
    return known != NULL;
}
