#include "report/command/inspect/target/modules.h"

#include "report/command/base/rights.h"
#include "report/command/inspect/target/image.h"
#include "report/command/inspect/target/sections.h"
#include "report/command/symbols/debug_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_TOLD = 4 }; /* lines about files that are missing */

/* One file that is mapped, from its first byte on. */
struct module {
    const char *path;
    uint64_t start, end, first_end; /* first_end: of its first mapping */
    bool is_executable;
    struct dlw_image image; /* as it stands in memory; may be unknown */
};

const char *dlw_modules_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static Dwfl_Callbacks callbacks = {
    .find_elf = dwfl_build_id_find_elf,
    .find_debuginfo = dlw_debug_file_find,
    .section_address = dwfl_offline_section_address,
};

static bool begin_session(struct dlw_target *target)
{
    /* libdwfl keeps the address of the pointer. */
    char **folders = dlw_region_alloc(target->region, sizeof *folders);
    const char *more = getenv("DLWATCH_DEBUG_PATH");
    const char *root = target->sysroot ? target->sysroot : "";
    *folders =
        dlw_region_print(target->region, ":.debug:/usr/lib/debug%s%s%s%s%s", *root ? ":" : "", root,
                         *root ? "/usr/lib/debug" : "", more && *more ? ":" : "", more ? more : "");
    callbacks.debuginfo_path = folders;
    target->dwfl = dwfl_begin(&callbacks);
    target->tables = dlw_tables_new();
    return target->dwfl != NULL;
}

static const char *without_deleted(struct dlw_target *target, const char *path)
{
    size_t length = strlen(path);
    if (length > 10 && !strcmp(path + length - 10, " (deleted)"))
        return dlw_region_cut(target->region, path, length - 10);
    return path;
}

/* Is it the same program? Where one of the two has no build id nothing can be said against it. */
static bool is_same_file(const struct module *module, const struct dlw_image *file)
{
    const struct dlw_image *image = &module->image;
    return !image->n_build_id || !file->n_build_id ||
           (image->n_build_id == file->n_build_id &&
            !memcmp(image->build_id, file->build_id, image->n_build_id));
}

struct search {
    struct dlw_target *target;
    struct module *module;
    int descriptor;          /* -1: not found */
    bool needs_id;           /* a file without one proves nothing */
    bool is_data;            /* the file is there, and no program */
    const char *mismatching; /* a file that is another one */
    char mismatch_id[2 * DLW_BUILD_ID_ROOM + 1];
};

static bool try_file(struct search *search, const struct dlw_rights *rights, const char *path)
{
    struct dlw_image file = {0};
    int descriptor = dlw_rights_open(rights, path);
    if (descriptor < 0) {
        search->is_data |= errno == EINVAL;
        return false;
    }
    bool is_program = dlw_image_of_file(descriptor, &file);
    bool is_proof = !search->needs_id || (file.n_build_id && search->module->image.n_build_id);
    if (is_program && is_proof && is_same_file(search->module, &file)) {
        search->descriptor = descriptor;
        return true;
    }
    close(descriptor);
    if (search->needs_id)
        return false;
    search->is_data |= !is_program;
    if (is_program) {
        search->mismatching = path;
        dlw_image_hex(&file, search->mismatch_id);
    }
    return false;
}

/* The file behind a mapping, whatever has become of its name: it is the process's own by the word
 * of the kernel. */
static bool try_mapped(struct search *search)
{
    char path[96];
    if (search->target->is_core)
        return false;
    snprintf(path, sizeof path, "/proc/%u/map_files/%llx-%llx", search->target->living,
             (unsigned long long)search->module->start,
             (unsigned long long)search->module->first_end);
    return try_file(search, &dlw_own_rights, path);
}

static bool is_program_itself(const struct dlw_target *target, const struct module *module)
{
    return target->exe && !strcmp(module->path, target->exe);
}

static bool try_by_build_id(struct search *search)
{
    char hex[2 * DLW_BUILD_ID_ROOM + 1];
    const char *root = search->target->sysroot ? search->target->sysroot : "";
    if (!search->module->image.n_build_id)
        return false;
    dlw_image_hex(&search->module->image, hex);
    const char *path = dlw_region_print(search->target->region,
                                        "%s/usr/lib/debug/.build-id/%.2s/%s", root, hex, hex + 2);
    return try_file(search, &dlw_own_rights, path);
}

/* A live process in a changed root names its files as we see them. In a container of its own the
 * same name may be another file of ours: only a build id tells. */
static void try_as_we_see_it(struct search *search, const char *path)
{
    if (!search->target->rights || search->target->rights->root < 0)
        return;
    struct dlw_rights rights = *search->target->rights;
    rights.root = -1;
    search->needs_id = true;
    try_file(search, &rights, path);
}

static void find_file(struct search *search)
{
    struct dlw_target *target = search->target;
    const char *path = search->module->path;
    search->descriptor = -1;
    if (target->given_exe && is_program_itself(target, search->module))
        if (try_file(search, &dlw_own_rights, target->given_exe))
            return;
    if (target->sysroot)
        if (try_file(search, &dlw_own_rights,
                     dlw_region_print(target->region, "%s%s", target->sysroot, path)))
            return;
    if (!target->is_core && try_file(search, target->rights, path))
        return;
    if (try_mapped(search) || try_by_build_id(search))
        return;
    if (target->is_core)
        try_file(search, &dlw_own_rights, path);
    else
        try_as_we_see_it(search, path);
}

static void say_missing(struct search *search, struct dlw_doc *doc, unsigned *told)
{
    char hex[2 * DLW_BUILD_ID_ROOM + 1];
    const struct module *module = search->module;
    bool is_exe = is_program_itself(search->target, module);
    const char *what = is_exe ? "executable " : "";
    dlw_image_hex(&module->image, hex);
    if (!is_exe && ++*told > MOST_TOLD)
        return;
    if (search->mismatching)
        dlw_target_trouble(
            search->target, doc,
            "%s%s is not the file that ran: its build id is %s, wanted is %s; stacks "
            "through it end early and have no names",
            what, search->mismatching, search->mismatch_id, hex);
    else
        dlw_target_trouble(search->target, doc,
                           "cannot find %s%s%s%s; stacks through it end early and have no names",
                           what, module->path, *hex ? ", build id " : "", hex);
}

static void report_missing(struct search *search, struct dlw_doc *doc, unsigned *told)
{
    const struct module *module = search->module;
    const struct dlw_image *image = &module->image;
    Dwfl_Module *reported =
        dwfl_report_module(search->target->dwfl, module->path, module->start, module->end);
    if (reported && image->n_build_id)
        dwfl_module_report_build_id(reported, image->build_id, image->n_build_id, 0);
    say_missing(search, doc, told);
}

/* What the file of a core names is the word of its owner. */
static void set_files(struct dlw_target *target, Dwfl_Module *module, int descriptor)
{
    struct stat state;
    const struct dlw_rights *rights = target->rights;
    if (target->is_core)
        rights = fstat(descriptor, &state) ? NULL : dlw_rights_of_owner(target->region, &state);
    dlw_module_set_files(module, target->region, rights);
}

static void report_one(struct dlw_target *target, struct dlw_doc *doc, struct module *module,
                       unsigned *told)
{
    struct search search = {.target = target, .module = module};
    struct dlw_image file = {0};
    find_file(&search);
    if (search.descriptor < 0) {
        /* Whether something that a core only names was code is not known. */
        if (!search.is_data && module->image.is_known)
            report_missing(&search, doc, told);
        return;
    }
    if (search.mismatching && target->given_exe && is_program_itself(target, module))
        say_missing(&search, doc, told);
    uint64_t first = module->image.is_known                        ? module->image.first_address
                     : dlw_image_of_file(search.descriptor, &file) ? file.first_address
                                                                   : 0;
    Dwfl_Module *reported = dwfl_report_elf(target->dwfl, module->path, module->path,
                                            search.descriptor, module->start - first, true);
    if (reported)
        set_files(target, reported, search.descriptor);
    else
        close(search.descriptor);
}

/* The kernel's own code in every process is no file: it is copied from memory. */
static void report_vdso(struct dlw_target *target, uint64_t start, uint64_t end)
{
    size_t size = end - start;
    if (size > 1 << 20)
        return;
    unsigned char *bytes = dlw_region_alloc(target->region, size);
    int descriptor = memfd_create("vdso", MFD_CLOEXEC);
    if (descriptor < 0)
        return;
    if (!dlw_target_read(target, start, bytes, size) ||
        write(descriptor, bytes, size) != (ssize_t)size ||
        !dwfl_report_elf(target->dwfl, "[vdso]", "[vdso]", descriptor, start, true))
        close(descriptor);
}

static size_t collect(struct dlw_target *target, struct module **out)
{
    size_t n = 0;
    struct module *list = NULL, *last = NULL;
    for (size_t i = 0; i < target->n_mappings; i++) {
        const struct dlw_mapping *mapping = &target->mappings[i];
        if (!mapping->path || mapping->path[0] != '/')
            continue;
        const char *path = without_deleted(target, mapping->path);
        if (!last || strcmp(last->path, path) || mapping->offset == 0) {
            if (mapping->offset != 0)
                continue;
            list = dlw_region_grow(target->region, list, n, sizeof *list);
            last = &list[n++];
            *last =
                (struct module){.path = path, .start = mapping->start, .first_end = mapping->end};
        }
        last->end = mapping->end;
        last->is_executable |= mapping->is_executable;
    }
    *out = list;
    return n;
}

bool dlw_modules_report(struct dlw_target *target, struct dlw_doc *doc)
{
    struct module *list;
    unsigned told = 0;
    if (!begin_session(target))
        return false;
    size_t n = collect(target, &list);
    dwfl_report_begin(target->dwfl);
    for (size_t i = 0; i < n; i++) {
        dlw_image_of_memory(target, list[i].start, &list[i].image);
        if (list[i].is_executable)
            report_one(target, doc, &list[i], &told);
    }
    for (size_t i = 0; i < target->n_mappings; i++)
        if (target->mappings[i].path && !strcmp(target->mappings[i].path, "[vdso]"))
            report_vdso(target, target->mappings[i].start, target->mappings[i].end);
    dwfl_report_end(target->dwfl, NULL, NULL);
    if (told > MOST_TOLD)
        dlw_target_trouble(target, doc, "and %u more files are missing", told - MOST_TOLD);
    return true;
}

const char *dlw_modules_path(const struct dlw_target *target, uint64_t address)
{
    Dwfl_Module *module = dlw_sections_module(target->dwfl, address);
    return module ? dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL) : NULL;
}
