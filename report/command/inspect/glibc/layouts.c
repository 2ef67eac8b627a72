/*
 * The layouts stand in glibc's public headers as padded unions, so they are part of its ABI and
 * change seldom: rwlocks and conditions were rewritten in 2.25, and conditions lost a field in
 * 2.41. That last change was also taken back into older releases by distributions, so the version
 * alone does not tell; waits.c looks for the condition's address on the stack as well. Since 2.43
 * the kernel no longer clears a thread's tid at its end but a state of its own, farther on in its
 * descriptor, and joiners sleep on that.
 */
#include "report/command/inspect/glibc/layouts.h"

#include <elf.h>
#include <stdlib.h>

#define LP64(from, to, machine, cond, tid, join)                                                   \
    {                                                                                              \
        from, to, machine, 8, 12, 16, 8, 12, 24, 48, cond, 4, 8, 8, tid, join, 0, true             \
    }

static const struct dlw_layout layouts[] = {
    LP64(2025, 2040, EM_X86_64, 40, 720, 0),
    LP64(2041, 2042, EM_X86_64, 32, 720, 0),
    LP64(2043, 2043, EM_X86_64, 32, 720, 856),
    /* The thread descriptor ends where the thread pointer points: its size differs by version, and
     * only the library's own record (see runtime.c) tells. */
    LP64(2025, 2040, EM_AARCH64, 40, 0, 0),
    LP64(2041, 2042, EM_AARCH64, 32, 0, 0),
    LP64(2043, 2043, EM_AARCH64, 32, 0, 856),
};

enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

static bool is_nearer(const struct dlw_layout *a, const struct dlw_layout *b, int version)
{
    if (!b)
        return true;
    return version > b->to ? a->from > b->from : a->from < b->from;
}

bool dlw_layout_find(int version, int machine, struct dlw_layout *out)
{
    const struct dlw_layout *near = NULL;
    for (int i = 0; i < N_LAYOUTS; i++) {
        const struct dlw_layout *row = &layouts[i];
        if (row->machine != machine)
            continue;
        if (row->from <= version && version <= row->to) {
            *out = *row;
            return true;
        }
        if (is_nearer(row, near, version))
            near = row;
    }
    if (!near)
        return false;
    *out = *near;
    out->is_certain = false;
    return true;
}

int dlw_layout_version(const char *text)
{
    char *end;
    long major = strtol(text, &end, 10);
    if (end == text || *end != '.' || major < 1 || major > 99)
        return 0;
    const char *rest = end + 1;
    long minor = strtol(rest, &end, 10);
    if (end == rest || minor < 0 || minor > 999)
        return 0;
    return (int)(major * 1000 + minor);
}
