#include "report/command/symbols/tables.h"

#include "report/command/base/command.h"
#include "report/command/symbols/spans.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { MAX_DIES = 2000000, MAX_NESTING = 16, DEEPEST_ROUTINE = 64 };

/* Debug entries by number. */
struct dies {
    Dwarf_Die *list;
    size_t n, room;
};

/* The routines of one unit. */
struct unit {
    void *key; /* libdw's unit */
    struct dlw_spans spans;
    struct dies dies;
    UT_hash_handle hh;
};

struct variables {
    bool is_made, in_functions;
    long budget; /* entries still looked at: the largest programs go without */
    struct dlw_spans spans;
    struct dies dies;
};

struct module {
    Dwfl_Module *module;
    bool has_symbols, has_units;
    struct dlw_spans symbols, units;
    struct dies unit_dies;
    struct unit *by_unit;
    struct variables variables[2]; /* by whether static locals are among them */
    UT_hash_handle hh;
};

struct dlw_tables {
    struct module *modules;
};

static void *need(void *memory)
{
    if (!memory) {
        dlw_message("out of memory");
        exit(DLW_STATUS_TROUBLE);
    }
    return memory;
}

static uint32_t keep_die(struct dies *dies, const Dwarf_Die *die)
{
    if (dies->n == dies->room) {
        dies->room = dies->room ? dies->room * 2 : 64;
        dies->list = need(realloc(dies->list, dies->room * sizeof(*dies->list)));
    }
    dies->list[dies->n] = *die;
    return (uint32_t)dies->n++;
}

/* ---- life ---- */

struct dlw_tables *dlw_tables_new(void)
{
    return need(calloc(1, sizeof(struct dlw_tables)));
}

static void free_module(struct dlw_tables *tables, struct module *module)
{
    struct unit *unit, *next;
    HASH_ITER(hh, module->by_unit, unit, next)
    {
        HASH_DELETE(hh, module->by_unit, unit);
        dlw_spans_free(&unit->spans);
        free(unit->dies.list);
        free(unit);
    }
    for (size_t i = 0; i < 2; i++) {
        dlw_spans_free(&module->variables[i].spans);
        free(module->variables[i].dies.list);
    }
    dlw_spans_free(&module->symbols);
    dlw_spans_free(&module->units);
    free(module->unit_dies.list);
    HASH_DELETE(hh, tables->modules, module);
    free(module);
}

void dlw_tables_free(struct dlw_tables *tables)
{
    struct module *module, *next;
    if (!tables)
        return;
    HASH_ITER(hh, tables->modules, module, next)
    free_module(tables, module);
    free(tables);
}

void dlw_tables_forget(struct dlw_tables *tables, Dwfl_Module *dwfl)
{
    struct module *module;
    HASH_FIND_PTR(tables->modules, &dwfl, module);
    if (module)
        free_module(tables, module);
}

static struct module *module_of(struct dlw_tables *tables, Dwfl_Module *dwfl)
{
    struct module *module;
    HASH_FIND_PTR(tables->modules, &dwfl, module);
    if (module)
        return module;
    module = need(calloc(1, sizeof(*module)));
    module->module = dwfl;
    HASH_ADD_PTR(tables->modules, module, module);
    return module;
}

/* ---- symbols ---- */

/* Of several names for one place the one that other files see. */
static uint32_t rank_of(const GElf_Sym *symbol)
{
    switch (GELF_ST_BIND(symbol->st_info)) {
    case STB_GLOBAL:
        return 3;
    case STB_WEAK:
        return 2;
    default:
        return 1;
    }
}

/* A symbol without a size is only the nearest one, seldom the right one. */
static bool is_of_a_place(const char *name, const GElf_Sym *symbol)
{
    int type = GELF_ST_TYPE(symbol->st_info);
    return name && *name && symbol->st_size && symbol->st_shndx != SHN_UNDEF &&
           type != STT_SECTION && type != STT_FILE && type != STT_TLS;
}

static void collect_symbols(struct module *module)
{
    int n = dwfl_module_getsymtab(module->module);
    module->has_symbols = true;
    for (int i = 0; i < n; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name =
            dwfl_module_getsym_info(module->module, i, &symbol, &address, NULL, NULL, NULL);
        if (is_of_a_place(name, &symbol))
            dlw_spans_add(&module->symbols, (struct dlw_span){.low = address,
                                                              .high = address + symbol.st_size,
                                                              .rank = rank_of(&symbol),
                                                              .value = (uint32_t)i});
    }
}

const char *dlw_tables_symbol(struct dlw_tables *tables, Dwfl_Module *dwfl, Dwarf_Addr address,
                              GElf_Sym *symbol, GElf_Off *offset)
{
    struct module *module = module_of(tables, dwfl);
    if (!module->has_symbols)
        collect_symbols(module);
    const struct dlw_span *span = dlw_spans_find(&module->symbols, address);
    if (!span)
        return NULL;
    GElf_Addr start;
    *offset = address - span->low;
    return dwfl_module_getsym_info(dwfl, (int)span->value, symbol, &start, NULL, NULL, NULL);
}

/* ---- units and routines ---- */

static void add_ranges(struct dlw_spans *spans, Dwarf_Die *die, uint32_t value)
{
    Dwarf_Addr base, low, high;
    ptrdiff_t offset = 0;
    while ((offset = dwarf_ranges(die, offset, &base, &low, &high)) > 0)
        dlw_spans_add(spans, (struct dlw_span){.low = low, .high = high, .value = value});
}

static void collect_units(struct module *module)
{
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;
    module->has_units = true;
    while ((unit = dwfl_module_nextcu(module->module, unit, &bias)))
        add_ranges(&module->units, unit, keep_die(&module->unit_dies, unit));
}

Dwarf_Die *dlw_tables_unit(struct dlw_tables *tables, Dwfl_Module *dwfl, Dwarf_Addr address,
                           Dwarf_Addr *bias)
{
    struct module *module = module_of(tables, dwfl);
    if (!dwfl_module_getdwarf(dwfl, bias))
        return NULL;
    if (!module->has_units)
        collect_units(module);
    const struct dlw_span *span = dlw_spans_find(&module->units, address - *bias);
    return span ? &module->unit_dies.list[span->value] : NULL;
}

bool dlw_tables_has_code(int tag)
{
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
           tag == DW_TAG_lexical_block || tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

static bool has_routines(int tag)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
           tag == DW_TAG_union_type || tag == DW_TAG_module;
}

static void collect_routines(struct unit *unit, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth == DEEPEST_ROUTINE || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (dlw_tables_has_code(tag))
            add_ranges(&unit->spans, &child, keep_die(&unit->dies, &child));
        else if (has_routines(tag))
            collect_routines(unit, &child, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

static struct unit *unit_of(struct module *module, Dwarf_Die *die)
{
    struct unit *unit;
    void *key = die->cu;
    HASH_FIND_PTR(module->by_unit, &key, unit);
    if (unit)
        return unit;
    unit = need(calloc(1, sizeof(*unit)));
    unit->key = key;
    collect_routines(unit, die, 0);
    HASH_ADD_PTR(module->by_unit, key, unit);
    return unit;
}

bool dlw_tables_routine(struct dlw_tables *tables, Dwfl_Module *dwfl, Dwarf_Die *die,
                        Dwarf_Addr address, Dwarf_Die *routine)
{
    struct unit *unit = unit_of(module_of(tables, dwfl), die);
    const struct dlw_span *span = dlw_spans_find(&unit->spans, address);
    if (span)
        *routine = unit->dies.list[span->value];
    return span != NULL;
}

/* ---- variables ---- */

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) != NULL;
}

static void add_variable(struct variables *variables, Dwarf_Die *die)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t n;
    Dwarf_Die type;
    Dwarf_Word size;
    if (!dwarf_attr(die, DW_AT_location, &attribute) ||
        dwarf_getlocation(&attribute, &operations, &n) != 0 || n != 1 ||
        operations[0].atom != DW_OP_addr)
        return;
    if (!type_of(die, &type) || dwarf_aggregate_size(&type, &size) != 0)
        return;
    dlw_spans_add(&variables->spans, (struct dlw_span){.low = operations[0].number,
                                                       .high = operations[0].number + size,
                                                       .value = keep_die(&variables->dies, die)});
}

static bool is_scope(const struct variables *variables, int tag)
{
    return tag == DW_TAG_namespace ||
           (variables->in_functions && (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block));
}

static void collect_variables(struct variables *variables, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (depth > MAX_NESTING || dwarf_child(parent, &child) != 0)
        return;
    do {
        int tag = dwarf_tag(&child);
        if (variables->budget-- <= 0)
            return;
        if (tag == DW_TAG_variable)
            add_variable(variables, &child);
        else if (is_scope(variables, tag))
            collect_variables(variables, &child, depth + 1);
    } while (dwarf_siblingof(&child, &child) == 0);
}

static struct variables *variables_of(struct module *module, bool in_functions)
{
    struct variables *variables = &module->variables[in_functions];
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;
    if (variables->is_made)
        return variables;
    variables->is_made = true;
    variables->in_functions = in_functions;
    variables->budget = MAX_DIES;
    while ((unit = dwfl_module_nextcu(module->module, unit, &bias)))
        collect_variables(variables, unit, 0);
    return variables;
}

bool dlw_tables_variable(struct dlw_tables *tables, Dwfl_Module *dwfl, Dwarf_Addr address,
                         bool in_functions, struct dlw_variable_place *out, Dwarf_Addr *bias)
{
    if (!dwfl_module_getdwarf(dwfl, bias))
        return false;
    struct variables *variables = variables_of(module_of(tables, dwfl), in_functions);
    const struct dlw_span *span = dlw_spans_find(&variables->spans, address - *bias);
    if (!span)
        return false;
    *out = (struct dlw_variable_place){variables->dies.list[span->value], span->low};
    return true;
}
