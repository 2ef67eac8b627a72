#include "report/command/inspect/target/sections.h"

#include <gelf.h>
#include <string.h>

static Elf_Scn *find_section(Elf *elf, const char *wanted)
{
    size_t names;
    GElf_Shdr header;
    if (!elf || elf_getshdrstrndx(elf, &names))
        return NULL;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        const char *name =
            gelf_getshdr(section, &header) ? elf_strptr(elf, names, header.sh_name) : NULL;
        if (name && !strcmp(name, wanted))
            return section;
    }
    return NULL;
}

static Elf *file_of(Dwfl_Module *module, GElf_Addr *bias)
{
    return dwfl_module_getelf(module, bias);
}

Dwfl_Module *dlw_sections_module(Dwfl *dwfl, Dwarf_Addr address)
{
    Dwfl_Module *module = dwfl ? dwfl_addrmodule(dwfl, address) : NULL;
    GElf_Addr bias;
    GElf_Phdr header;
    size_t n;
    Elf *elf = module ? file_of(module, &bias) : NULL;
    if (!elf || elf_getphdrnum(elf, &n)) /* its range is all that is known */
        return module;
    for (size_t i = 0; i < n; i++)
        if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
            address - bias - header.p_vaddr < header.p_memsz)
            return module;
    return NULL;
}

bool dlw_sections_has(Dwfl_Module *module, const char *section)
{
    GElf_Addr bias;
    return find_section(file_of(module, &bias), section) != NULL;
}

Dwarf_Addr dlw_sections_place(Dwfl_Module *module, const char *section, size_t *size)
{
    GElf_Addr bias;
    GElf_Shdr header;
    Elf_Scn *found = find_section(file_of(module, &bias), section);
    if (!found || !gelf_getshdr(found, &header))
        return 0;
    *size = header.sh_size;
    return header.sh_addr + bias;
}

bool dlw_sections_find_text(Dwfl_Module *module, const char *section, const char *text, char *out,
                            size_t room)
{
    GElf_Addr bias;
    Elf_Scn *found = find_section(file_of(module, &bias), section);
    Elf_Data *data = found ? elf_getdata(found, NULL) : NULL;
    if (!data || !data->d_buf)
        return false;
    const char *at = memmem(data->d_buf, data->d_size, text, strlen(text));
    if (!at)
        return false;
    at += strlen(text);
    size_t left = data->d_size - (size_t)(at - (const char *)data->d_buf);
    size_t n = strnlen(at, left);
    n = n < room - 1 ? n : room - 1;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

bool dlw_sections_read(Dwfl_Module *module, Dwarf_Addr address, void *out, size_t size)
{
    GElf_Addr bias;
    GElf_Shdr header;
    Elf *elf = file_of(module, &bias);
    if (!elf)
        return false;
    address -= bias;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section)) != NULL;) {
        if (!gelf_getshdr(section, &header) || !(header.sh_flags & SHF_ALLOC) ||
            header.sh_flags & SHF_WRITE || header.sh_type == SHT_NOBITS ||
            address < header.sh_addr || address - header.sh_addr >= header.sh_size ||
            header.sh_size - (address - header.sh_addr) < size)
            continue;
        Elf_Data *data = elf_rawdata(section, NULL);
        if (!data || !data->d_buf || data->d_size < header.sh_size)
            return false;
        memcpy(out, (const char *)data->d_buf + (address - header.sh_addr), size);
        return true;
    }
    return false;
}

Dwarf_Addr dlw_sections_address(Dwfl_Module *module, const char *wanted)
{
    int n = module ? dwfl_module_getsymtab(module) : 0;
    for (int i = 1; i < n; i++) {
        GElf_Sym symbol;
        GElf_Addr address;
        const char *name = dwfl_module_getsym_info(module, i, &symbol, &address, NULL, NULL, NULL);
        if (name && symbol.st_shndx != SHN_UNDEF && !strcmp(name, wanted))
            return address;
    }
    return 0;
}

bool dlw_sections_symbol(Dwfl_Module *module, const struct dlw_symbol_bytes *wanted)
{
    Dwarf_Addr address = dlw_sections_address(module, wanted->name);
    return address && dlw_sections_read(module, address, wanted->out, wanted->size);
}
