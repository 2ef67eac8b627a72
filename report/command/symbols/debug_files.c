#include "report/command/symbols/debug_files.h"

#include <elfutils/libdwelf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct dlw_module_files *dlw_module_files(Dwfl_Module *module)
{
    void **user_data = NULL;
    if (module)
        dwfl_module_info(module, &user_data, NULL, NULL, NULL, NULL, NULL, NULL);
    return user_data ? *user_data : NULL;
}

void dlw_module_set_files(Dwfl_Module *module, struct dlw_region *region,
                          const struct dlw_rights *rights)
{
    void **user_data;
    struct dlw_module_files *files = dlw_region_alloc(region, sizeof(*files));
    *files = (struct dlw_module_files){region, rights};
    dwfl_module_info(module, &user_data, NULL, NULL, NULL, NULL, NULL, NULL);
    *user_data = files;
}

/* ---- is it the one? ---- */

/* As .gnu_debuglink has it: the CRC-32 of zlib. */
static bool has_checksum(int descriptor, uint32_t wanted)
{
    unsigned char buffer[16 * 1024];
    uint32_t sum = 0xffffffff;
    ssize_t n;
    for (off_t at = 0; (n = pread(descriptor, buffer, sizeof(buffer), at)) > 0; at += n)
        for (ssize_t i = 0; i < n; i++) {
            sum ^= buffer[i];
            for (int bit = 0; bit < 8; bit++)
                sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
        }
    return n == 0 && ~sum == wanted;
}

static bool has_build_id(int descriptor, const unsigned char *wanted, size_t n)
{
    const void *found;
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(descriptor, ELF_C_READ_MMAP, NULL);
    bool result =
        elf && dwelf_elf_gnu_build_id(elf, &found) == (ssize_t)n && memcmp(found, wanted, n) == 0;
    elf_end(elf);
    return result;
}

static bool is_wanted(Dwfl_Module *module, int descriptor, GElf_Word checksum)
{
    const unsigned char *id;
    GElf_Addr address;
    int n = dwfl_module_build_id(module, &id, &address);
    if (n > 0)
        return has_build_id(descriptor, id, (size_t)n);
    return checksum && has_checksum(descriptor, checksum);
}

/* A file of a third party would name sources in the program's name. */
static bool is_trusted(const struct dlw_rights *rights, int descriptor)
{
    struct stat state;
    return rights->is_limited ||
           (fstat(descriptor, &state) == 0 && (state.st_uid == 0 || state.st_uid == geteuid()));
}

/* ---- where it may be ---- */

struct search {
    Dwfl_Module *module;
    const struct dlw_module_files *files;
    GElf_Word checksum;
    bool is_common; /* the part that several debug files share (dwz): it has an id of its own */
    char **out;
};

static int try_file(const struct search *search, const struct dlw_rights *rights, const char *path)
{
    int descriptor = dlw_rights_open(rights, path);
    if (descriptor < 0)
        return -1;
    if (is_trusted(rights, descriptor) &&
        (search->is_common || is_wanted(search->module, descriptor, search->checksum))) {
        *search->out = strdup(path);
        return descriptor;
    }
    close(descriptor);
    return -1;
}

static int try_beside(const struct search *search, const char *file, const char *link)
{
    struct dlw_region *region = search->files->region;
    const char *slash = strrchr(file, '/'), *base = strrchr(link, '/');
    const char *folder = slash ? dlw_region_cut(region, file, (size_t)(slash - file)) : ".";
    base = base ? base + 1 : link;
    const char *const paths[] = {
        dlw_region_print(region, "%s/%s", folder, base),
        dlw_region_print(region, "%s/.debug/%s", folder, base),
        dlw_region_print(region, "/usr/lib/debug%s/%s", folder, base),
    };
    int descriptor = -1;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && descriptor < 0; i++)
        if (strcmp(paths[i], file) != 0)
            descriptor = try_file(search, search->files->rights, paths[i]);
    return descriptor;
}

/* The debug folder of a program with another root than ours. */
static int try_in_root(const struct search *search)
{
    const unsigned char *id;
    GElf_Addr address;
    struct dlw_region *region = search->files->region;
    int n = dwfl_module_build_id(search->module, &id, &address);
    if (search->files->rights->root < 0 || n < 2)
        return -1;
    char *path = dlw_region_alloc(region, 64 + 2 * (size_t)n);
    char *at = stpcpy(path, "/usr/lib/debug/.build-id/");
    for (int i = 0; i < n; i++)
        at += sprintf(at, i ? "%02x" : "%02x/", id[i]);
    strcpy(at, ".debug");
    return try_file(search, search->files->rights, path);
}

/* Named by a debug file: one of our own folders is opened as ours. */
static int try_common(const struct search *search, const char *file, const char *link)
{
    bool is_ours = strncmp(link, "/usr/lib/debug/", 15) == 0 && !strstr(link, "..");
    if (*link != '/')
        return try_beside(search, file, link);
    int descriptor = is_ours ? try_file(search, &dlw_own_rights, link) : -1;
    return descriptor >= 0 ? descriptor : try_file(search, search->files->rights, link);
}

int dlw_debug_file_find(Dwfl_Module *module, void **user_data, const char *name, Dwarf_Addr base,
                        const char *file, const char *link, GElf_Word checksum, char **out)
{
    const struct search search = {module, *user_data, checksum, link && !checksum, out};
    int descriptor = -1;
    if (search.files && search.files->rights && file) {
        if (search.is_common)
            descriptor = try_common(&search, file, link);
        else
            descriptor =
                try_beside(&search, file,
                           link ? link : dlw_region_print(search.files->region, "%s.debug", file));
        if (descriptor < 0 && !search.is_common)
            descriptor = try_in_root(&search);
    }
    /* Without names it looks for build ids only. */
    return descriptor >= 0
               ? descriptor
               : dwfl_standard_find_debuginfo(module, user_data, name, base, NULL, NULL, 0, out);
}
