/* From an address to function, file, line and what is inlined there. */
#include "report/command/base/clean.h"
#include "report/command/symbols/debug_files.h"
#include "report/command/symbols/rust.h"
#include "report/command/symbols/symbols.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef char *demangler(const char *symbol, char *buffer, size_t *size, int *status);

#ifdef DLW_STATIC
extern demangler __cxa_demangle; /* of the C++ library that is linked in */

static demangler *find_demangler(void)
{
    return __cxa_demangle;
}
#else
/* The C++ library is there wherever a C++ program is; a C-only machine does without. */
static demangler *find_demangler(void)
{
    static demangler *found;
    static bool tried;
    if (!tried) {
        tried = true;
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
        if (!library)
            library = dlopen("libc++abi.so.1", RTLD_LAZY | RTLD_LOCAL);
        if (library)
            *(void **)&found = dlsym(library, "__cxa_demangle");
    }
    return found;
}
#endif

/* " [clone .isra.0]", and the hash at the end of Rust's older names. */
static void cut_clone(char *name)
{
    char *clone = strstr(name, " [clone ");
    if (clone)
        *clone = '\0';
    size_t n = strlen(name);
    if (n > 19 && strncmp(name + n - 19, "::h", 3) == 0 &&
        strspn(name + n - 16, "0123456789abcdef") == 16) {
        name[n - 19] = '\0';
        dlw_rust_decode(name);
    }
}

/* ".isra.0", ".constprop.0", ".part.0", ".cold", ".lto_priv.0" */
static const char *without_suffix(struct dlw_region *region, const char *symbol)
{
    const char *dot = strchr(symbol + (*symbol != '\0'), '.');
    return dot ? dlw_region_cut(region, symbol, (size_t)(dot - symbol))
               : dlw_region_copy(region, symbol);
}

const char *dlw_demangle(struct dlw_region *region, const char *symbol)
{
    char rust[512];
    if (dlw_rust_demangle(symbol, rust, sizeof(rust)))
        return dlw_region_copy(region, rust);
    demangler *demangle = strncmp(symbol, "_Z", 2) == 0 ? find_demangler() : NULL;
    int status = -1;
    char *text = demangle ? demangle(symbol, NULL, NULL, &status) : NULL;
    const char *result;
    if (text && status == 0) {
        cut_clone(text);
        result = dlw_region_copy(region, text);
    } else {
        result = without_suffix(region, symbol);
    }
    free(text);
    return result;
}

/* Some compilers write no .debug_aranges, by which libdwfl finds the unit. */
static Dwarf_Die *unit_of(struct dlw_tables *tables, Dwfl_Module *module, Dwarf_Addr address,
                          Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, address, bias);
    return unit ? unit : dlw_tables_unit(tables, module, address, bias);
}

static const char *attribute_text(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

/* The entry that says where a routine was declared: its scopes are those of its name. */
static Dwarf_Die declaration_of(Dwarf_Die *die)
{
    static const unsigned links[] = {DW_AT_abstract_origin, DW_AT_specification};
    Dwarf_Die at = *die, next;
    Dwarf_Attribute attribute;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
        if (dwarf_attr(&at, links[i], &attribute) && dwarf_formref_die(&attribute, &next))
            at = next;
    return at;
}

/* The way to an entry's scopes is a walk over its unit. C has none: its routines are all at the
 * top.
 */
static bool has_scopes(Dwarf_Die *die)
{
    Dwarf_Die unit;
    if (!dwarf_diecu(die, &unit, NULL, NULL))
        return true;
    switch (dwarf_srclang(&unit)) {
    case DW_LANG_C89:
    case DW_LANG_C:
    case DW_LANG_C99:
    case DW_LANG_C11:
        return false;
    default:
        return true;
    }
}

/* Routines without external linkage have no linkage name; it is put together from their scopes. */
static const char *qualified_name(struct dlw_region *region, Dwarf_Die *die)
{
    const char *name = dlw_region_copy(region, dwarf_diename(die));
    Dwarf_Die declaration = declaration_of(die), *scopes = NULL;
    int n = name && has_scopes(&declaration) ? dwarf_getscopes_die(&declaration, &scopes) : 0;
    for (int i = 1; i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        const char *scope = dwarf_diename(&scopes[i]);
        if (tag == DW_TAG_namespace)
            name =
                dlw_region_print(region, "%s::%s", scope ? scope : "(anonymous namespace)", name);
        else if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
                 tag == DW_TAG_subprogram)
            name = dlw_region_print(region, "%s::%s", scope ? scope : "{lambda}", name);
    }
    free(scopes);
    return name;
}

static const char *function_name(struct dlw_region *region, Dwarf_Die *die)
{
    const char *linkage = attribute_text(die, DW_AT_linkage_name);
    if (!linkage)
        linkage = attribute_text(die, DW_AT_MIPS_linkage_name);
    if (linkage)
        return dlw_demangle(region, linkage);
    return qualified_name(region, die);
}

static void set_file(struct dlw_region *region, Dwarf_Die *unit, const char *path, int line,
                     struct dlw_frame *frame)
{
    if (!path || line <= 0)
        return;
    const char *folder = attribute_text(unit, DW_AT_comp_dir);
    size_t n = folder ? strlen(folder) : 0;
    if (n && strncmp(path, folder, n) == 0 && path[n] == '/')
        path += n + 1;
    folder = path[0] == '/' ? NULL : folder;
    frame->file = dlw_clean(region, path);
    frame->folder = dlw_clean(region, folder);
    frame->line = (unsigned)line;
    if (strcmp(frame->file, path) != 0 || (folder && strcmp(frame->folder, folder) != 0))
        frame->named =
            dlw_region_print(region, "%s%s%s", folder ? folder : "", folder ? "/" : "", path);
}

static struct dlw_frame *new_frame(struct dlw_region *region, struct dlw_stack *stack)
{
    stack->frames = dlw_region_grow(region, stack->frames, stack->n, sizeof(*stack->frames));
    struct dlw_frame *frame = &stack->frames[stack->n++];
    memset(frame, 0, sizeof(*frame));
    return frame;
}

static const char *symbol_name(struct dlw_tables *tables, struct dlw_region *region,
                               Dwfl_Module *module, Dwarf_Addr address)
{
    GElf_Off offset;
    GElf_Sym symbol;
    const char *name = dlw_tables_symbol(tables, module, address, &symbol, &offset);
    return name ? dlw_demangle(region, name) : NULL;
}

/* Where the code of this inlined subroutine stands in for a call. */
static void call_site(Dwarf_Die *unit, Dwarf_Die *die, const char **file, int *line)
{
    Dwarf_Attribute attribute;
    Dwarf_Word number = 0, index = 0;
    Dwarf_Files *files;
    *file = NULL;
    *line = 0;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &number) == 0)
        *line = (int)number;
    if (dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &index) == 0 &&
        dwarf_getsrcfiles(unit, &files, NULL) == 0)
        *file = dwarf_filesrc(files, index, NULL, NULL);
}

/* Walks outwards through the blocks and inlined routines that the address lies in. */
static void frames_of_scopes(struct dlw_region *region, Dwarf_Die *unit, Dwarf_Die *scopes, int n,
                             const char *file, int line, struct dlw_stack *out)
{
    for (int i = 0; i < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
            continue;
        struct dlw_frame *frame = new_frame(region, out);
        frame->function = function_name(region, &scopes[i]);
        set_file(region, unit, file, line, frame);
        if (tag == DW_TAG_subprogram)
            return;
        frame->inlined = true;
        call_site(unit, &scopes[i], &file, &line);
    }
}

/* The scopes with code that an address lies in, outermost first. */
struct way {
    Dwarf_Addr address;
    Dwarf_Die scopes[64]; /* deeper ones are not looked into */
    int n;
};

/* Into the scope within this one that covers the address. */
static bool step_in(struct way *way, Dwarf_Die *child)
{
    do {
        if (dlw_tables_has_code(dwarf_tag(child)) && dwarf_haspc(child, way->address) > 0) {
            way->scopes[way->n++] = *child;
            return true;
        }
    } while (dwarf_siblingof(child, child) == 0);
    return false;
}

static void descend(struct way *way)
{
    Dwarf_Die child;
    while (way->n < (int)(sizeof(way->scopes) / sizeof(way->scopes[0])) &&
           dwarf_child(&way->scopes[way->n - 1], &child) == 0)
        if (!step_in(way, &child))
            return;
}

/*
 * By the tree of the unit itself: dwarf_getscopes loses what is inlined where the routine is
 * defined in another unit, as link-time optimisation has it. It does find routines whose entry
 * stands inside another one's, such as those of lambdas.
 */
static void frames_by_getscopes(struct dlw_region *region, Dwarf_Die *unit, Dwarf_Addr address,
                                const char *file, int line, struct dlw_stack *out)
{
    Dwarf_Die *at = NULL, *around = NULL;
    int n = dwarf_getscopes(unit, address, &at);
    /* getscopes follows an inlined routine to where it is defined; the way out is by the tree. */
    int n_around = n > 0 ? dwarf_getscopes_die(&at[0], &around) : 0;
    if (n_around > 0)
        frames_of_scopes(region, unit, around, n_around, file, line, out);
    free(at);
    free(around);
}

static bool is_regular(const char *path)
{
    struct stat state;
    return stat(path, &state) != 0 || S_ISREG(state.st_mode);
}

/* libdw opens the file by its name, as it is: only where that can neither block nor lead elsewhere
 * than our own rights would. */
static bool may_split(struct dlw_region *region, Dwarf_Die *unit,
                      const struct dlw_module_files *files, const char *program)
{
    const char *name = attribute_text(unit, DW_AT_dwo_name);
    const char *folder = attribute_text(unit, DW_AT_comp_dir);
    const char *slash = program ? strrchr(program, '/') : NULL;
    if (!name)
        name = attribute_text(unit, DW_AT_GNU_dwo_name);
    if (!name || !files || !files->rights || files->rights->is_limited || files->rights->root >= 0)
        return false;
    return is_regular(name) &&
           (!folder || is_regular(dlw_region_print(region, "%s/%s", folder, name))) &&
           (!slash ||
            is_regular(dlw_region_print(region, "%.*s/%s", (int)(slash - program), program, name)));
}

/* With -gsplit-dwarf the program has only the unit's skeleton; libdw opens the .dwo file beside. */
static Dwarf_Die split_unit(struct dlw_region *region, Dwarf_Die *unit, Dwfl_Module *module)
{
    Dwarf_Die split;
    uint8_t type;
    const char *program = NULL;
    dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &program, NULL);
    if (may_split(region, unit, dlw_module_files(module), program) &&
        dwarf_cu_info(unit->cu, NULL, &type, NULL, &split, NULL, NULL, NULL) == 0 &&
        type == DW_UT_skeleton && dwarf_tag(&split) != DW_TAG_invalid)
        return split;
    return *unit;
}

static void frames_of_unit(struct dlw_tables *tables, struct dlw_region *region,
                           Dwfl_Module *module, Dwarf_Die *unit, Dwarf_Addr address,
                           struct dlw_stack *out)
{
    Dwarf_Line *row = dwarf_getsrc_die(unit, address);
    const char *file = row ? dwarf_linesrc(row, NULL, NULL) : NULL;
    int line = 0;
    if (row)
        dwarf_lineno(row, &line);
    size_t before = out->n;
    struct way way = {.address = address};
    Dwarf_Die split = split_unit(region, unit, module);
    if (dlw_tables_routine(tables, module, &split, address, &way.scopes[0])) {
        way.n = 1;
        descend(&way);
        Dwarf_Die innermost_first[sizeof(way.scopes) / sizeof(way.scopes[0])];
        for (int i = 0; i < way.n; i++)
            innermost_first[i] = way.scopes[way.n - 1 - i];
        frames_of_scopes(region, unit, innermost_first, way.n, file, line, out);
    } else {
        frames_by_getscopes(region, unit, address, file, line, out);
    }
    if (out->n == before && file)
        set_file(region, unit, file, line, new_frame(region, out));
}

void dlw_symbols_frames_of(struct dlw_tables *tables, struct dlw_region *region,
                           Dwfl_Module *module, uint64_t pc, bool is_return,
                           struct dlw_stack *stack)
{
    size_t before = stack->n;
    Dwarf_Addr address = is_return ? pc - 1 : pc, bias = 0, elf_bias = 0;
    if (module) {
        Dwarf_Die *unit = unit_of(tables, module, address, &bias);
        if (unit)
            frames_of_unit(tables, region, module, unit, address - bias, stack);
    }
    if (stack->n == before)
        new_frame(region, stack);
    struct dlw_frame *outer = &stack->frames[stack->n - 1];
    /* The symbol of a C++ function has its parameters, as linkage names do. */
    const char *symbol = module ? symbol_name(tables, region, module, address) : NULL;
    if (symbol && (!outer->function || (!strchr(outer->function, '(') && strchr(symbol, '('))))
        outer->function = symbol;
    const char *path = NULL;
    if (module) {
        dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, &path, NULL);
        if (!path)
            path = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        /* Without its file a module begins where it was mapped. */
        if (!dwfl_module_getelf(module, &elf_bias))
            dwfl_module_info(module, NULL, &elf_bias, NULL, NULL, NULL, NULL, NULL);
    }
    path = dlw_clean(region, path);
    const struct dlw_module_files *files = dlw_module_files(module);
    for (size_t i = before; i < stack->n; i++) {
        struct dlw_frame *frame = &stack->frames[i];
        frame->pc = pc;
        frame->offset = pc - elf_bias;
        frame->module = path;
        frame->rights = files ? files->rights : NULL;
        frame->function = dlw_clean(region, frame->function);
    }
}
