#include "report/command/base/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

/* struct open_how of linux/openat2.h, which older systems lack: links lead no further than the
 * given root. */
struct request {
    uint64_t flags, mode, resolve;
};
enum { IN_ROOT = 0x10 }; /* RESOLVE_IN_ROOT */

const struct dlw_rights dlw_own_rights = {.root = -1};

/* ---- whose they are ---- */

/* "Uid:\treal effective saved filesystem": the last one opens files. */
static bool take_id(const char *line, const char *name, uint32_t *out)
{
    size_t n = strlen(name);
    unsigned ids[4];
    if (strncmp(line, name, n) != 0 ||
        sscanf(line + n, "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) != 4)
        return false;
    *out = ids[3];
    return true;
}

static void take_groups(struct dlw_region *region, struct dlw_rights *rights, const char *line)
{
    static const char name[] = "Groups:";
    gid_t *groups = NULL;
    if (strncmp(line, name, sizeof(name) - 1) != 0)
        return;
    char *end;
    for (const char *at = line + sizeof(name) - 1;; at = end) {
        gid_t group = (gid_t)strtoul(at, &end, 10);
        if (end == at)
            break;
        groups = dlw_region_grow(region, groups, rights->n_groups, sizeof(*groups));
        groups[rights->n_groups++] = group;
    }
    rights->groups = groups;
}

static bool read_ids(struct dlw_region *region, struct dlw_rights *rights, uint32_t pid,
                     uint32_t tid)
{
    FILE *file = fopen(dlw_region_print(region, "/proc/%u/task/%u/status", pid, tid), "re");
    char *line = NULL;
    size_t room = 0;
    bool has_user = false, has_group = false;
    while (file && getline(&line, &room, file) > 0) {
        has_user |= take_id(line, "Uid:", &rights->user);
        has_group |= take_id(line, "Gid:", &rights->group);
        take_groups(region, rights, line);
    }
    free(line);
    if (file)
        fclose(file);
    return has_user && has_group;
}

static bool is_same_link(const char *theirs, const char *ours)
{
    char a[128], b[128];
    ssize_t n = readlink(theirs, a, sizeof(a)), m = readlink(ours, b, sizeof(b));
    return n > 0 && n == m && memcmp(a, b, (size_t)n) == 0;
}

/* The same folder of the same file systems, as far as paths go. */
static bool has_our_root(struct dlw_region *region, const char *folder)
{
    struct stat theirs, ours;
    return stat(dlw_region_print(region, "%s/root/.", folder), &theirs) == 0 &&
           stat("/", &ours) == 0 && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino &&
           is_same_link(dlw_region_print(region, "%s/ns/mnt", folder), "/proc/self/ns/mnt");
}

struct dlw_rights *dlw_rights_of_thread(struct dlw_region *region, uint32_t pid, uint32_t tid)
{
    struct dlw_rights *rights = dlw_region_alloc(region, sizeof(*rights));
    const char *folder = dlw_region_print(region, "/proc/%u/task/%u", pid, tid);
    rights->root = -1;
    if (!read_ids(region, rights, pid, tid))
        return NULL;
    rights->is_limited = rights->user != geteuid();
    if (has_our_root(region, folder))
        return rights;
    rights->root = open(dlw_region_print(region, "%s/root", folder), O_PATH | O_CLOEXEC);
    return rights->root < 0 ? NULL : rights;
}

void dlw_rights_close(const struct dlw_rights *rights)
{
    if (rights && rights->root >= 0)
        close(rights->root);
}

const struct dlw_rights *dlw_rights_of_owner(struct dlw_region *region, const struct stat *file)
{
    if (file->st_uid == geteuid() || file->st_uid == 0)
        return &dlw_own_rights;
    struct dlw_rights *rights = dlw_region_alloc(region, sizeof(*rights));
    *rights = (struct dlw_rights){
        .is_limited = true, .user = file->st_uid, .group = file->st_gid, .root = -1};
    return rights;
}

/* ---- taking them on, for one open ---- */

struct own {
    uid_t user;
    gid_t group, *groups;
    int n_groups;
};

/* The kernel tells what is set when it is asked for what can't be. */
static bool has_become(const struct dlw_rights *rights)
{
    return (uid_t)setfsuid((uid_t)-1) == rights->user &&
           (gid_t)setfsgid((gid_t)-1) == rights->group;
}

static void come_back(struct own *own)
{
    setfsuid(own->user);
    setfsgid(own->group);
    if (own->n_groups >= 0 && setgroups((size_t)own->n_groups, own->groups) != 0)
        abort(); /* going on with another's groups would be worse */
    free(own->groups);
}

static bool become(const struct dlw_rights *rights, struct own *own)
{
    *own = (struct own){.user = geteuid(), .group = getegid(), .n_groups = -1};
    int n = getgroups(0, NULL);
    own->groups = calloc((size_t)(n < 0 ? 0 : n) + 1, sizeof(*own->groups));
    if (n < 0 || !own->groups || (n = getgroups(n, own->groups)) < 0 ||
        setgroups(rights->n_groups, rights->groups) != 0) {
        free(own->groups);
        return false;
    }
    own->n_groups = n;
    setfsgid(rights->group);
    setfsuid(rights->user);
    if (has_become(rights))
        return true;
    come_back(own);
    return false;
}

/* Who can't take on another's rights goes by the file: it is the other's own, or all may read it.
 */
static bool is_theirs(const struct dlw_rights *rights, const struct stat *state)
{
    return state->st_uid == rights->user || (state->st_uid == 0 && state->st_mode & S_IROTH);
}

/* ---- opening ---- */

static int open_in_root(int root, const char *path, int flags)
{
    struct request how = {.flags = (uint64_t)flags, .resolve = IN_ROOT};
    if (root < 0)
        return open(path, flags);
    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int refuse(int descriptor, int error)
{
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return -1;
}

/* First without opening what lies behind the name: a device does something when it is opened. */
static int open_checked(const struct dlw_rights *rights, const char *path, bool by_owner)
{
    enum { FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
    struct stat state;
    char link[64];
    int place = open_in_root(rights->root, path, O_PATH | O_CLOEXEC);
    if (place < 0)
        return -1;
    if (fstat(place, &state) != 0 || !S_ISREG(state.st_mode) || state.st_size == 0)
        return refuse(place, EINVAL);
    if (by_owner && !is_theirs(rights, &state))
        return refuse(place, EACCES);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", place);
    int descriptor = open(link, FLAGS);
    int error = errno;
    close(place);
    errno = error;
    return descriptor;
}

int dlw_rights_open(const struct dlw_rights *rights, const char *path)
{
    struct own own;
    if (!rights)
        return refuse(-1, EACCES);
    if (!rights->is_limited)
        return open_checked(rights, path, false);
    if (geteuid() != 0)
        return open_checked(rights, path, true);
    if (!become(rights, &own))
        return open_checked(rights, path, true);
    int descriptor = open_checked(rights, path, false);
    int error = errno;
    come_back(&own);
    errno = error;
    return descriptor;
}

int dlw_open_regular(const char *path)
{
    return dlw_rights_open(&dlw_own_rights, path);
}
