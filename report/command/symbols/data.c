/* From an address in a module's data to the variable, and the member, that it is. */
#include "report/command/symbols/symbols.h"

#include "report/command/base/clean.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIES = 2000000, MAX_NESTING = 16 };

struct search {
    Dwarf_Addr address;
    Dwarf_Die found;
    Dwarf_Addr start;
    bool inside_functions; /* a static local */
    long budget;           /* entries still looked at: the largest programs go without */
};

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) != NULL;
}

static bool covers(struct search *search, Dwarf_Die *variable)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t n;
    Dwarf_Die type;
    Dwarf_Word size;
    if (!dwarf_attr(variable, DW_AT_location, &attribute) ||
        dwarf_getlocation(&attribute, &operations, &n) != 0 || n != 1 ||
        operations[0].atom != DW_OP_addr || operations[0].number > search->address)
        return false;
    if (!type_of(variable, &type) || dwarf_aggregate_size(&type, &size) != 0)
        return false;
    search->start = operations[0].number;
    return search->address - search->start < size;
}

static bool search_children(struct search *search, Dwarf_Die *parent, int depth);

static bool is_scope(const struct search *search, int tag)
{
    return tag == DW_TAG_namespace ||
           (search->inside_functions && (tag == DW_TAG_subprogram || tag == DW_TAG_lexical_block));
}

static bool search_die(struct search *search, Dwarf_Die *die, int depth)
{
    int tag = dwarf_tag(die);
    if (tag == DW_TAG_variable && covers(search, die)) {
        search->found = *die;
        return true;
    }
    return is_scope(search, tag) && depth < MAX_NESTING && search_children(search, die, depth + 1);
}

static bool search_children(struct search *search, Dwarf_Die *parent, int depth)
{
    Dwarf_Die child;
    if (dwarf_child(parent, &child) != 0)
        return false;
    do {
        if (search->budget-- <= 0)
            return false;
        if (search_die(search, &child, depth))
            return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

static bool search_units(struct search *search, Dwfl_Module *module, uint64_t address)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = NULL;
    while ((unit = dwfl_module_nextcu(module, unit, &bias))) {
        search->address = address - bias;
        if (search_children(search, unit, 0))
            return true;
    }
    return false;
}

/* Types a programmer thinks of as one thing, although they are made of parts. */
static bool is_whole(Dwarf_Die *type)
{
    static const char *const names[] = {"mtx_t",
                                        "sem_t",
                                        "cnd_t",
                                        "mutex",
                                        "recursive_mutex",
                                        "timed_mutex",
                                        "shared_mutex",
                                        "shared_timed_mutex",
                                        "recursive_timed_mutex",
                                        "condition_variable",
                                        "once_flag"};
    const char *name = dwarf_diename(type);
    if (!name)
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strncmp(name, "pthread_", 8) == 0;
}

static bool is_wrapping(int tag)
{
    return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
           tag == DW_TAG_atomic_type;
}

static Dwarf_Word member_offset(Dwarf_Die *member)
{
    Dwarf_Attribute attribute;
    Dwarf_Word offset = 0;
    dwarf_formudata(dwarf_attr(member, DW_AT_data_member_location, &attribute), &offset);
    return offset;
}

/* The member, or base class, that the offset lies in. */
static bool find_member(Dwarf_Die *type, Dwarf_Word offset, Dwarf_Die *out)
{
    Dwarf_Die member, member_type;
    Dwarf_Word size;
    if (dwarf_child(type, &member) != 0)
        return false;
    do {
        int tag = dwarf_tag(&member);
        Dwarf_Word start = member_offset(&member);
        if ((tag == DW_TAG_member || tag == DW_TAG_inheritance) && start <= offset &&
            type_of(&member, &member_type) && dwarf_aggregate_size(&member_type, &size) == 0 &&
            offset - start < size) {
            *out = member;
            return true;
        }
    } while (dwarf_siblingof(&member, &member) == 0);
    return false;
}

/* Appends [i] for each dimension; leaves the offset within the element. */
static bool step_into_array(struct dlw_region *region, char **text, Dwarf_Die *type,
                            Dwarf_Word *offset)
{
    Dwarf_Die element, dimension;
    Dwarf_Word whole, stride, count;
    if (!type_of(type, &element) || dwarf_aggregate_size(type, &whole) != 0 ||
        dwarf_child(type, &dimension) != 0)
        return false;
    stride = whole;
    do {
        Dwarf_Attribute attribute;
        if (dwarf_formudata(dwarf_attr(&dimension, DW_AT_count, &attribute), &count) != 0) {
            if (dwarf_formudata(dwarf_attr(&dimension, DW_AT_upper_bound, &attribute), &count) != 0)
                return false;
            count++;
        }
        stride = count ? stride / count : 0;
        if (stride == 0)
            return false;
        *text = dlw_region_print(region, "%s[%llu]", *text, (unsigned long long)(*offset / stride));
        *offset %= stride;
    } while (dwarf_siblingof(&dimension, &dimension) == 0);
    *type = element;
    return true;
}

static bool step_into_struct(struct dlw_region *region, char **text, Dwarf_Die *type,
                             Dwarf_Word *offset)
{
    Dwarf_Die member, member_type;
    if (!find_member(type, *offset, &member) || !type_of(&member, &member_type))
        return false;
    const char *name = dwarf_tag(&member) == DW_TAG_member ? dwarf_diename(&member) : NULL;
    /* The C++ library's own parts. */
    if (name && strncmp(name, "_M_", 3) == 0)
        return false;
    if (name)
        *text = dlw_region_print(region, "%s.%s", *text, name);
    *offset -= member_offset(&member);
    *type = member_type;
    return true;
}

static const char *expression(struct dlw_region *region, const char *name, Dwarf_Die *variable,
                              Dwarf_Word offset)
{
    Dwarf_Die type;
    char *text = dlw_region_copy(region, name);
    bool more = type_of(variable, &type);
    for (int depth = 0; more && depth < MAX_NESTING; depth++) {
        int tag = dwarf_tag(&type);
        if (is_whole(&type))
            return text;
        if (is_wrapping(tag))
            more = type_of(&type, &type);
        else if (tag == DW_TAG_array_type)
            more = step_into_array(region, &text, &type, &offset);
        else if (tag == DW_TAG_structure_type || tag == DW_TAG_class_type)
            more = step_into_struct(region, &text, &type, &offset);
        else
            more = false;
    }
    return text;
}

/* "lock.0" is the compiler's name for a static local. */
static bool is_static_local(const char *symbol)
{
    const char *dot = strrchr(symbol, '.');
    return strncmp(symbol, "_ZZ", 3) == 0 ||
           (dot && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1));
}

struct dlw_variable dlw_symbols_variable_of(struct dlw_region *region, Dwfl_Module *module,
                                            uint64_t address)
{
    struct dlw_variable result = {0};
    GElf_Off offset = 0;
    GElf_Sym symbol = {0};
    const char *name = dwfl_module_addrinfo(module, address, &offset, &symbol, NULL, NULL, NULL);
    bool has_symbol = name && offset < symbol.st_size && GELF_ST_TYPE(symbol.st_info) != STT_FUNC;
    struct search search = {.budget = MAX_DIES,
                            .inside_functions = has_symbol && is_static_local(name)};
    bool has_type = search_units(&search, module, address);
    if (has_type && !has_symbol) {
        name = dwarf_diename(&search.found);
        offset = search.address - search.start;
    }
    if (!name || (!has_symbol && !has_type))
        return result;
    const char *variable = dlw_clean(region, has_symbol ? dlw_demangle(region, name) : name);
    result.name = offset ? dlw_region_print(region, "%s+%llu", variable, (unsigned long long)offset)
                         : variable;
    if (has_type) {
        result.expression = dlw_clean(
            region, expression(region, variable, &search.found, search.address - search.start));
        result.file = dlw_clean(region, dwarf_decl_file(&search.found));
    }
    return result;
}
