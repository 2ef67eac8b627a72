/* Modules by path and build id, opened once and kept; what was looked up is remembered. */
#include "report/command/symbols/symbols.h"

#include "report/command/base/clean.h"
#include "report/command/base/command.h"
#include "report/command/base/rights.h"
#include "report/command/symbols/debug_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

/* One place that was looked up. */
struct place {
    struct {
        uint64_t offset;
        uint64_t is_return;
    } key;
    struct dlw_stack frames;
    UT_hash_handle hh;
};

struct variable {
    uint64_t offset;
    struct dlw_variable names;
    UT_hash_handle hh;
};

struct module {
    char *key; /* path and build id */
    const char *shown;
    Dwfl *session;
    Dwfl_Module *dwfl;
    Dwarf_Addr bias; /* session address - file address */
    const char *trouble;
    struct place *places;
    struct variable *variables;
    UT_hash_handle hh;
};

struct dlw_symbols {
    struct dlw_region region;
    const char *sysroot;
    const struct dlw_rights *rights; /* of a live process; NULL: ours */
    char *folders;                   /* handed to libdwfl, which wants it writable */
    struct module *modules;
    struct dlw_tables *tables;
};

struct dlw_symbols *dlw_symbols_new(const char *sysroot, const char *folders)
{
    struct dlw_symbols *symbols = calloc(1, sizeof(*symbols));
    if (!symbols) {
        dlw_message("out of memory");
        exit(DLW_STATUS_TROUBLE);
    }
    symbols->tables = dlw_tables_new();
    const char *more = getenv("DLWATCH_DEBUG_PATH");
    symbols->sysroot = dlw_region_copy(&symbols->region, sysroot);
    symbols->folders =
        dlw_region_print(&symbols->region, "%s%s%s", folders ? folders : ":.debug:/usr/lib/debug",
                         more && *more ? ":" : "", more ? more : "");
    return symbols;
}

const struct dlw_rights *dlw_symbols_rights(const struct dlw_symbols *symbols)
{
    return symbols ? symbols->rights : NULL;
}

void dlw_symbols_set_rights(struct dlw_symbols *symbols, const struct dlw_rights *rights)
{
    symbols->rights = rights;
}

void dlw_symbols_free(struct dlw_symbols *symbols)
{
    struct module *module, *next;
    if (!symbols)
        return;
    dlw_tables_free(symbols->tables);
    HASH_ITER(hh, symbols->modules, module, next)
    {
        HASH_CLEAR(hh, module->places);
        HASH_CLEAR(hh, module->variables);
        HASH_DELETE(hh, symbols->modules, module);
        if (module->session)
            dwfl_end(module->session);
    }
    dlw_region_free(&symbols->region);
    free(symbols);
}

static Dwfl *new_session(struct dlw_symbols *symbols)
{
    static Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_build_id_find_elf,
        .find_debuginfo = dlw_debug_file_find,
        .section_address = dwfl_offline_section_address,
    };
    /* libdwfl keeps the address of this pointer. */
    callbacks.debuginfo_path = &symbols->folders;
    return dwfl_begin(&callbacks);
}

static void close_session(struct module *module)
{
    if (module->session)
        dwfl_end(module->session);
    module->session = NULL;
    module->dwfl = NULL;
}

/* A journal may name any path, and whoever owns the file there says what sources it was made of. */
static bool report_file(struct dlw_symbols *symbols, struct module *module, const char *path,
                        int descriptor)
{
    struct stat state;
    module->session = fstat(descriptor, &state) ? NULL : new_session(symbols);
    if (!module->session) {
        close(descriptor);
        return false;
    }
    dwfl_report_begin(module->session);
    module->dwfl = dwfl_report_offline(module->session, path, path, descriptor);
    if (module->dwfl)
        dlw_module_set_files(module->dwfl, &symbols->region,
                             symbols->rights ? symbols->rights
                                             : dlw_rights_of_owner(&symbols->region, &state));
    else
        close(descriptor);
    dwfl_report_end(module->session, NULL, NULL);
    return module->dwfl != NULL;
}

static bool open_file(struct dlw_symbols *symbols, struct module *module, const char *path,
                      const struct dlw_rights *rights)
{
    int descriptor = dlw_rights_open(rights, path);
    if (descriptor >= 0 && report_file(symbols, module, path, descriptor) &&
        dwfl_module_getelf(module->dwfl, &module->bias))
        return true;
    close_session(module);
    return false;
}

static bool is_there(const struct dlw_rights *rights, const char *path)
{
    int descriptor = dlw_rights_open(rights, path);
    bool result = descriptor >= 0 || errno == EACCES;
    if (descriptor >= 0)
        close(descriptor);
    return result;
}

const char *dlw_symbols_build_id(struct dlw_region *region, Dwfl_Module *module)
{
    const unsigned char *bits;
    GElf_Addr address;
    /* The id is known once the file has been opened. */
    GElf_Addr bias;
    dwfl_module_getelf(module, &bias);
    int n = dwfl_module_build_id(module, &bits, &address);
    if (n <= 0)
        return NULL;
    char *hex = dlw_region_alloc(region, 2 * (size_t)n + 1);
    for (int i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", bits[i]);
    return hex;
}

static bool has_build_id(struct dlw_symbols *symbols, struct module *module, const char *wanted)
{
    const char *found = dlw_symbols_build_id(&symbols->region, module->dwfl);
    return !wanted || !found || strcasecmp(found, wanted) == 0;
}

static bool is_hex(const char *text)
{
    return strlen(text) > 4 && strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

/* The program's own file is gone or another; its debug file is as good for names. */
static bool open_debug_file(struct dlw_symbols *symbols, struct module *module,
                            const char *build_id)
{
    if (!build_id || !is_hex(build_id))
        return false;
    char *list = dlw_region_copy(&symbols->region, symbols->folders), *rest = NULL;
    for (char *folder = strtok_r(list, ":", &rest); folder; folder = strtok_r(NULL, ":", &rest)) {
        folder += *folder == '-' || *folder == '+';
        if (*folder != '/')
            continue;
        const char *path = dlw_region_print(&symbols->region, "%s%s/.build-id/%.2s/%s.debug",
                                            symbols->sysroot ? symbols->sysroot : "", folder,
                                            build_id, build_id + 2);
        if (open_file(symbols, module, path, &dlw_own_rights))
            return true;
    }
    return false;
}

static void open_module(struct dlw_symbols *symbols, struct module *module, const char *path,
                        const char *build_id)
{
    const char *file =
        dlw_region_print(&symbols->region, "%s%s", symbols->sysroot ? symbols->sysroot : "", path);
    const struct dlw_rights *rights = symbols->rights ? symbols->rights : &dlw_own_rights;
    if (path[0] != '/') {
        module->trouble = "it is no file";
    } else if (!open_file(symbols, module, file, rights)) {
        module->trouble =
            is_there(rights, file) ? "its file is not readable as a program" : "its file is gone";
    } else if (!has_build_id(symbols, module, build_id)) {
        module->trouble = "its file has been rebuilt since";
        close_session(module);
    }
    if (module->trouble && open_debug_file(symbols, module, build_id))
        module->trouble = NULL;
}

/* Asked for each lock and frame of each journal: what is known costs no memory. */
static struct module *find_module(struct dlw_symbols *symbols, const char *path,
                                  const char *build_id)
{
    struct module *module;
    char buffer[8192];
    const char *key = buffer;
    int n = snprintf(buffer, sizeof(buffer), "%s\n%s", path, build_id ? build_id : "");
    if (n < 0 || (size_t)n >= sizeof(buffer))
        key = dlw_region_print(&symbols->region, "%s\n%s", path, build_id ? build_id : "");
    HASH_FIND_STR(symbols->modules, key, module);
    if (module)
        return module;
    module = dlw_region_alloc(&symbols->region, sizeof(*module));
    module->key = dlw_region_copy(&symbols->region, key);
    module->shown = dlw_clean(&symbols->region, path);
    open_module(symbols, module, path, build_id);
    HASH_ADD_KEYPTR(hh, symbols->modules, module->key, strlen(module->key), module);
    return module;
}

static void bare_frame(struct dlw_region *region, struct dlw_stack *stack)
{
    stack->frames = dlw_region_grow(region, stack->frames, stack->n, sizeof(*stack->frames));
    memset(&stack->frames[stack->n++], 0, sizeof(*stack->frames));
}

static void look_up(struct dlw_symbols *symbols, struct module *module, bool is_return,
                    uint64_t offset, struct dlw_stack *out)
{
    if (module->dwfl)
        dlw_symbols_frames_of(symbols->tables, &symbols->region, module->dwfl,
                              offset + module->bias, is_return, out);
    else
        bare_frame(&symbols->region, out);
}

static struct dlw_stack *find_place(struct dlw_symbols *symbols, struct module *module,
                                    const struct dlw_code *code)
{
    struct place *place, wanted = {.key = {code->offset, code->is_return}};
    HASH_FIND(hh, module->places, &wanted.key, sizeof(wanted.key), place);
    if (place)
        return &place->frames;
    place = dlw_region_alloc(&symbols->region, sizeof(*place));
    place->key = wanted.key;
    look_up(symbols, module, code->is_return, code->offset, &place->frames);
    HASH_ADD(hh, module->places, key, sizeof(place->key), place);
    return &place->frames;
}

void dlw_symbols_frames(struct dlw_symbols *symbols, struct dlw_region *region,
                        const struct dlw_code *code, struct dlw_stack *stack)
{
    struct module *module = find_module(symbols, code->path, code->build_id);
    const struct dlw_stack *known = find_place(symbols, module, code);
    for (size_t i = 0; i < known->n; i++) {
        bare_frame(region, stack);
        struct dlw_frame *frame = &stack->frames[stack->n - 1];
        *frame = known->frames[i];
        frame->pc = code->pc;
        frame->offset = code->offset;
        frame->module = module->shown;
        frame->build_id = code->build_id;
    }
}

struct dlw_variable dlw_symbols_variable(struct dlw_symbols *symbols, const char *path,
                                         const char *build_id, uint64_t offset)
{
    struct module *module = find_module(symbols, path, build_id);
    struct variable *variable;
    HASH_FIND(hh, module->variables, &offset, sizeof(offset), variable);
    if (variable)
        return variable->names;
    variable = dlw_region_alloc(&symbols->region, sizeof(*variable));
    variable->offset = offset;
    if (module->dwfl)
        variable->names = dlw_symbols_variable_of(symbols->tables, &symbols->region, module->dwfl,
                                                  offset + module->bias);
    HASH_ADD(hh, module->variables, offset, sizeof(variable->offset), variable);
    return variable->names;
}

Dwfl_Module *dlw_symbols_module(struct dlw_symbols *symbols, const char *path, Dwarf_Addr *bias)
{
    struct module *module = find_module(symbols, path, NULL);
    *bias = module->bias;
    return module->dwfl;
}

const char *dlw_symbols_trouble(struct dlw_symbols *symbols, const char *path, const char *build_id)
{
    return find_module(symbols, path, build_id)->trouble;
}
