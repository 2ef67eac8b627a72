#include "report/command/symbols/places.h"

#include "report/command/base/rights.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *dlw_places_build_id(struct dlw_region *region, const char *path, bool *is_program)
{
    int descriptor = dlw_open_regular(path);
    elf_version(EV_CURRENT);
    Elf *elf = descriptor >= 0 ? elf_begin(descriptor, ELF_C_READ, NULL) : NULL;
    const void *bits = NULL;
    char *hex = NULL;
    *is_program = elf && elf_kind(elf) == ELF_K_ELF;
    ssize_t n = *is_program ? dwelf_elf_gnu_build_id(elf, &bits) : 0;
    if (n > 0) {
        hex = dlw_region_alloc(region, 2 * (size_t)n + 1);
        for (ssize_t i = 0; i < n; i++)
            snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)bits)[i]);
    }
    elf_end(elf);
    if (descriptor >= 0)
        close(descriptor);
    return hex;
}

struct search {
    struct dlw_symbols *symbols;
    const char *path;
    const struct dlw_frame *frames;
    size_t n, n_found;
    dlw_place_found *found;
    void *context;
    struct dlw_region region; /* of what is looked up */
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Parameters stand in the symbol, not in every entry of the debug information. */
static bool is_same_function(const char *a, const char *b)
{
    if (!a || !b)
        return false;
    size_t n = strcspn(a, "("), m = strcspn(b, "(");
    return n == 0 || m == 0 ? strcmp(a, b) == 0 : n == m && strncmp(a, b, n) == 0;
}

static bool is_same_frame(const struct dlw_frame *wanted, const struct dlw_frame *seen)
{
    return is_same_function(wanted->function, seen->function) && wanted->line == seen->line &&
           (!wanted->file ||
            (seen->file && strcmp(base_name(wanted->file), base_name(seen->file)) == 0));
}

/* How many of the place's frames stand at this address. What is inlined now may have been called
 * then, and the other way round: as far as both go, they are the same. 0: another place. */
static size_t covered_at(struct search *search, uint64_t offset)
{
    struct dlw_stack seen = {0};
    const struct dlw_code code = {.path = search->path, .offset = offset};
    dlw_symbols_frames(search->symbols, &search->region, &code, &seen);
    size_t n = search->n < seen.n ? search->n : seen.n;
    for (size_t i = 0; i < n; i++)
        if (!is_same_frame(&search->frames[i], &seen.frames[i]))
            return 0;
    return n;
}

/* A call returns behind itself: to the end of its row at the latest. */
static void try_row(struct search *search, Dwarf_Addr from, Dwarf_Addr to)
{
    size_t covered = covered_at(search, from);
    if (!covered)
        return;
    search->found(search->context, from + 1, to + 1, covered);
    search->n_found++;
}

static bool is_line_of(const struct search *search, Dwarf_Line *line)
{
    int number = 0;
    const char *file = dwarf_linesrc(line, NULL, NULL);
    dwarf_lineno(line, &number);
    return file && search->frames->line == (unsigned)number && search->frames->file &&
           strcmp(base_name(search->frames->file), base_name(file)) == 0;
}

static void search_unit(struct search *search, Dwarf_Die *unit)
{
    Dwarf_Lines *lines;
    size_t n;
    if (dwarf_getsrclines(unit, &lines, &n) != 0)
        return;
    for (size_t i = 0; i + 1 < n; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i), *next = dwarf_onesrcline(lines, i + 1);
        Dwarf_Addr from, to;
        bool ends = false;
        dwarf_lineendsequence(line, &ends);
        if (!ends && dwarf_lineaddr(line, &from) == 0 && dwarf_lineaddr(next, &to) == 0 &&
            from < to && is_line_of(search, line))
            try_row(search, from, to);
    }
}

static void search_lines(struct search *search, Dwarf *dwarf)
{
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    while (dwarf_get_units(dwarf, unit, &unit, NULL, NULL, &die, NULL) == 0)
        search_unit(search, &die);
}

/* Without lines the whole function is the place. */
static void search_symbols(struct search *search, Dwfl_Module *module, Dwarf_Addr bias)
{
    int n = dwfl_module_getsymtab(module);
    for (int i = 1; i < n; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (!name || GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_size == 0 ||
            !is_same_function(dlw_demangle(&search->region, name), search->frames->function))
            continue;
        search->found(search->context, address - bias + 1, address - bias + symbol.st_size + 1, 1);
        search->n_found++;
    }
}

size_t dlw_places_find(struct dlw_symbols *symbols, const char *path,
                       const struct dlw_frame *frames, size_t n, dlw_place_found *found,
                       void *context)
{
    struct search search = {symbols, path, frames, n, 0, found, context, {0}};
    Dwarf_Addr bias = 0, elf_bias = 0;
    Dwfl_Module *module = dlw_symbols_module(symbols, path, &elf_bias);
    if (!module || n == 0 || !frames->function)
        return 0;
    Dwarf *dwarf = frames->line ? dwfl_module_getdwarf(module, &bias) : NULL;
    if (dwarf)
        search_lines(&search, dwarf);
    else
        search_symbols(&search, module, elf_bias);
    dlw_region_free(&search.region);
    return search.n_found;
}
