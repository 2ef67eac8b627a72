#include "report/command/inspect/across/kin.h"

#include "report/command/base/proc_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct kin {
    uint32_t parent;
    bool is_copy; /* it has not started another program since it was forked */
    uint64_t start;
};

void dlw_pids_add(struct dlw_region *region, struct dlw_pids *pids, uint32_t pid)
{
    pids->list = dlw_region_grow(region, pids->list, pids->n, sizeof *pids->list);
    pids->list[pids->n++] = pid;
}

/* Everyone may read that of everyone. */
static bool read_kin(uint32_t pid, struct kin *out)
{
    enum { FORKED_NO_EXEC = 0x40 };
    char text[1024];
    unsigned flags;
    dlw_proc_text(text, sizeof text, "/proc/%u/stat", pid);
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %*c %" SCNu32 " %*d %*d %*d %*d %u", &out->parent, &flags) != 2)
        return false;
    out->is_copy = flags & FORKED_NO_EXEC;
    for (int i = 2; at && i < 22; i++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, "%" SCNu64, &out->start) == 1;
}

uint32_t dlw_kin_parent(uint32_t pid)
{
    struct kin kin;
    return read_kin(pid, &kin) ? kin.parent : 0;
}

uint32_t dlw_kin_original(uint32_t pid)
{
    struct kin kin;
    return read_kin(pid, &kin) && kin.is_copy ? kin.parent : 0;
}

static bool has(const struct dlw_pids *pids, uint32_t pid)
{
    for (size_t i = 0; i < pids->n; i++)
        if (pids->list[i] == pid)
            return true;
    return false;
}

/* The line of parents, as far as they are copies of each other: is all of it open to us? */
static bool is_line_open(const struct dlw_pids *closed, uint32_t pid)
{
    struct kin kin = {.is_copy = true};
    for (; kin.is_copy; pid = kin.parent)
        if (!pid || has(closed, pid) || !read_kin(pid, &kin))
            return false;
    return true;
}

size_t dlw_kin_count(const struct dlw_pids *closed, const struct dlw_pids *owners,
                     bool outlives_exec)
{
    uint64_t first = UINT64_MAX;
    size_t n = 0;
    struct kin kin;
    for (size_t i = 0; i < owners->n; i++) {
        if (!is_line_open(closed, owners->list[i]) || !read_kin(owners->list[i], &kin))
            return closed->n;
        first = kin.start < first ? kin.start : first;
    }
    for (size_t i = 0; i < closed->n; i++)
        n += !read_kin(closed->list[i], &kin) || kin.is_copy ||
             (outlives_exec && kin.start >= first);
    return owners->n ? n : closed->n;
}
