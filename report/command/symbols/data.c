/* From an address in a module's data to the variable, and the member, that it is. */
#include "report/command/symbols/symbols.h"

#include "report/command/base/clean.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 16 };

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) != NULL;
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
                                        "once_flag",
                                        "GMutex",
                                        "GCond",
                                        "GRecMutex",
                                        "GRWLock",
                                        "omp_lock_t",
                                        "omp_nest_lock_t"};
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

/* Compilers make a variable for each name of an OpenMP critical section: gcc
 * ".gomp_critical_user_NAME", clang the same with ".var" behind it. NULL: it is none of them. */
static const char *critical_section(struct dlw_region *region, const char *symbol)
{
    static const char prefix[] = ".gomp_critical_user_";
    size_t n = strlen(symbol), suffix = n > 4 && strcmp(symbol + n - 4, ".var") == 0 ? 4 : 0;

    if (strncmp(symbol, prefix, sizeof(prefix) - 1) != 0)
        return NULL;
    symbol += sizeof(prefix) - 1;
    n -= sizeof(prefix) - 1 + suffix;
    return n ? dlw_region_print(region, "critical section %.*s", (int)n, symbol)
             : "the critical section without a name";
}

struct dlw_variable dlw_symbols_variable_of(struct dlw_tables *tables, struct dlw_region *region,
                                            Dwfl_Module *module, uint64_t address)
{
    struct dlw_variable result = {0};
    GElf_Off offset = 0;
    GElf_Sym symbol = {0};
    const char *name = dlw_tables_symbol(tables, module, address, &symbol, &offset);
    bool has_symbol = name && GELF_ST_TYPE(symbol.st_info) != STT_FUNC;
    struct dlw_variable_place place;
    Dwarf_Addr bias;
    bool has_type = dlw_tables_variable(tables, module, address,
                                        has_symbol && is_static_local(name), &place, &bias);
    if (has_type && !has_symbol) {
        name = dwarf_diename(&place.die);
        offset = address - bias - place.start;
    }
    if (!name || (!has_symbol && !has_type))
        return result;
    const char *variable = critical_section(region, name);
    if (!variable)
        variable = dlw_clean(region, has_symbol ? dlw_demangle(region, name) : name);
    result.name = offset ? dlw_region_print(region, "%s+%llu", variable, (unsigned long long)offset)
                         : variable;
    if (has_type) {
        result.expression = dlw_clean(
            region, expression(region, variable, &place.die, address - bias - place.start));
        result.file = dlw_clean(region, dwarf_decl_file(&place.die));
        int line;
        if (dwarf_decl_line(&place.die, &line) == 0 && line > 0)
            result.line = (unsigned)line;
    }
    return result;
}
