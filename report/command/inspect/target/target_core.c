/* Segments of a core: memory as far as it was kept, and the mappings that it had. */
#include "report/command/inspect/target/core.h"

#include "report/command/base/rights.h"
#include "report/command/inspect/target/registers.h"
#include "report/command/inspect/target/sections.h"

#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STACK_ROOM = 256 * 1024, MOST_NOTES = 256 << 20 };

struct segment {
    uint64_t start, size, kept; /* kept: bytes of it in the file */
    uint64_t offset;
    bool is_executable;
};

struct dlw_core {
    int descriptor;
    uint64_t file_size;
    struct segment *segments; /* by start */
    size_t n_segments;
    uint64_t wanted; /* size the file should have */
};

static int compare_start(const void *a, const void *b)
{
    uint64_t left = ((const struct segment *)a)->start, right = ((const struct segment *)b)->start;
    return (left > right) - (left < right);
}

static int compare_mapping(const void *a, const void *b)
{
    uint64_t left = ((const struct dlw_mapping *)a)->start;
    uint64_t right = ((const struct dlw_mapping *)b)->start;
    return (left > right) - (left < right);
}

static const struct segment *segment_at(const struct dlw_core *core, uint64_t address)
{
    size_t low = 0, high = core->n_segments;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct segment *segment = &core->segments[middle];
        if (address < segment->start)
            high = middle;
        else if (address - segment->start >= segment->size)
            low = middle + 1;
        else
            return segment;
    }
    return NULL;
}

/* Code and constants are not kept in a core: the program's own file has them. */
static bool read_from_module(struct dlw_target *target, uint64_t address, void *out, size_t size)
{
    Dwfl_Module *module = target->dwfl ? dwfl_addrmodule(target->dwfl, address) : NULL;
    return module && dlw_sections_read(module, address, out, size);
}

bool dlw_core_read(struct dlw_target *target, uint64_t address, void *out, size_t size)
{
    const struct dlw_core *core = target->core;
    const struct segment *segment = segment_at(core, address);
    uint64_t distance = segment ? address - segment->start : 0;
    if (!segment || distance > segment->kept || size > segment->kept - distance)
        return read_from_module(target, address, out, size);
    return pread(core->descriptor, out, size, (off_t)(segment->offset + distance)) == (ssize_t)size;
}

void dlw_core_close(struct dlw_target *target)
{
    if (target->core && target->core->descriptor >= 0)
        close(target->core->descriptor);
    target->core = NULL;
}

static void add_segment(struct dlw_target *target, const GElf_Phdr *header)
{
    struct dlw_core *core = target->core;
    uint64_t left = core->file_size > header->p_offset ? core->file_size - header->p_offset : 0;
    core->segments =
        dlw_region_grow(target->region, core->segments, core->n_segments, sizeof *core->segments);
    core->segments[core->n_segments++] = (struct segment){
        .start = header->p_vaddr,
        .size = header->p_memsz,
        .kept = header->p_filesz < left ? header->p_filesz : left,
        .offset = header->p_offset,
        .is_executable = header->p_flags & PF_X,
    };
}

static void read_note_segment(struct dlw_target *target, const GElf_Phdr *header,
                              struct dlw_core_facts *facts)
{
    const struct dlw_core *core = target->core;
    if (header->p_filesz > MOST_NOTES)
        return;
    unsigned char *bytes = dlw_region_alloc(target->region, header->p_filesz + 1);
    ssize_t n = pread(core->descriptor, bytes, header->p_filesz, (off_t)header->p_offset);
    if (n > 0)
        dlw_core_read_notes(target, bytes, (size_t)n, facts);
}

static void read_headers(struct dlw_target *target, Elf *elf, struct dlw_core_facts *facts)
{
    struct dlw_core *core = target->core;
    size_t n = 0;
    GElf_Phdr header;
    elf_getphdrnum(elf, &n);
    for (size_t i = 0; i < n && gelf_getphdr(elf, (int)i, &header); i++) {
        if (header.p_filesz && header.p_offset + header.p_filesz > core->wanted)
            core->wanted = header.p_offset + header.p_filesz;
        if (header.p_type == PT_LOAD && header.p_memsz)
            add_segment(target, &header);
        else if (header.p_type == PT_NOTE)
            read_note_segment(target, &header, facts);
    }
    if (core->n_segments)
        qsort(core->segments, core->n_segments, sizeof *core->segments, compare_start);
}

static void add_mapping(struct dlw_target *target, struct dlw_mapping mapping)
{
    target->mappings = dlw_region_grow(target->region, target->mappings, target->n_mappings,
                                       sizeof *target->mappings);
    target->mappings[target->n_mappings++] = mapping;
}

static const struct dlw_mapping *file_at(const struct dlw_core_facts *facts, uint64_t address)
{
    for (size_t i = 0; i < facts->n_files; i++)
        if (address >= facts->files[i].start && address < facts->files[i].end)
            return &facts->files[i];
    return NULL;
}

/* A debugger leaves out segments that it did not write; they may well be code. */
static bool may_execute(const struct dlw_core *core, const struct dlw_mapping *file)
{
    const struct segment *segment = segment_at(core, file->start);
    return !segment || segment->is_executable;
}

static void join_mappings(struct dlw_target *target, const struct dlw_core_facts *facts)
{
    const struct dlw_core *core = target->core;
    for (size_t i = 0; i < facts->n_files; i++) {
        struct dlw_mapping mapping = facts->files[i];
        mapping.is_executable = may_execute(core, &mapping);
        add_mapping(target, mapping);
    }
    for (size_t i = 0; i < core->n_segments; i++) {
        const struct segment *segment = &core->segments[i];
        if (file_at(facts, segment->start))
            continue;
        add_mapping(target, (struct dlw_mapping){
                                .start = segment->start,
                                .end = segment->start + segment->size,
                                .is_executable = segment->is_executable,
                                .path = segment->start == facts->vdso ? "[vdso]" : NULL,
                            });
    }
    if (target->n_mappings)
        qsort(target->mappings, target->n_mappings, sizeof *target->mappings, compare_mapping);
}

static void copy_stacks(struct dlw_target *target)
{
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_seen_thread *thread = &target->threads[i];
        const struct segment *segment = segment_at(target->core, thread->registers.sp);
        uint64_t distance = segment ? thread->registers.sp - segment->start : 0;
        if (!segment || distance >= segment->kept)
            continue;
        uint64_t size = segment->kept - distance;
        size = size < STACK_ROOM ? size : STACK_ROOM;
        unsigned char *bytes = dlw_region_alloc(target->region, size);
        if (dlw_core_read(target, thread->registers.sp, bytes, size))
            thread->stack = (struct dlw_bytes){thread->registers.sp, size, bytes};
    }
}

/* Of the file that was mapped there: code is not kept in cores. What the core names may be anything
 * by now. */
static bool instruction_at(const struct dlw_core_facts *facts, uint64_t address, uint32_t *out)
{
    const struct dlw_mapping *mapping = file_at(facts, address);
    struct stat state;
    int descriptor =
        mapping && mapping->path ? open(mapping->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (descriptor < 0)
        return false;
    bool is_read =
        !fstat(descriptor, &state) && S_ISREG(state.st_mode) &&
        pread(descriptor, out, sizeof *out,
              (off_t)(mapping->offset + (address - mapping->start))) == (ssize_t)sizeof *out;
    close(descriptor);
    return is_read;
}

static void settle_calls(struct dlw_target *target, const struct dlw_core_facts *facts)
{
    uint32_t instruction;
    for (size_t i = 0; i < target->n_threads; i++) {
        struct dlw_call *call = &target->threads[i].call;
        if (dlw_registers_ask_code(target->machine, call) &&
            instruction_at(facts, call->pc, &instruction))
            dlw_registers_settle(instruction, call);
    }
}

static void describe(struct dlw_target *target, const struct dlw_core_facts *facts)
{
    const struct dlw_mapping *program = facts->entry ? file_at(facts, facts->entry) : NULL;
    target->pid = facts->pid;
    target->exe = program ? program->path : target->given_exe;
    for (size_t i = 0; i < target->n_threads; i++)
        if (target->threads[i].tid == facts->pid)
            memcpy(target->threads[i].name, facts->name, sizeof facts->name);
}

static bool is_own_machine(unsigned machine)
{
#if defined(__aarch64__)
    return machine == EM_AARCH64;
#else
    return machine == EM_X86_64 || machine == EM_386;
#endif
}

static bool is_core_header(struct dlw_target *target, struct dlw_doc *doc, const char *path,
                           Elf *elf)
{
    GElf_Ehdr header;
    if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &header)) {
        dlw_target_trouble(target, doc, "%s is no core dump (dlwatch report reads journals)", path);
        return false;
    }
    if (header.e_type != ET_CORE) {
        dlw_target_trouble(target, doc, "%s is a program or library, not a core dump", path);
        return false;
    }
    if (header.e_ident[EI_DATA] != ELFDATA2LSB) {
        dlw_target_trouble(
            target, doc, "%s is a core of a big-endian processor, which can't be read here", path);
        return false;
    }
    target->machine = header.e_machine;
    target->is_narrow = header.e_ident[EI_CLASS] == ELFCLASS32;
    if (!is_own_machine(header.e_machine))
        dlw_target_trouble(target, doc,
                           "the core is of another processor (ELF machine %u): what can be read of "
                           "it is shown",
                           header.e_machine);
    return true;
}

static void say_cut(struct dlw_target *target, struct dlw_doc *doc, const char *path)
{
    const struct dlw_core *core = target->core;
    if (core->wanted > core->file_size)
        dlw_target_trouble(target, doc,
                           "%s is cut: it has %llu of %llu bytes (a full disk, or a limit on "
                           "cores); what is left is shown",
                           path, (unsigned long long)core->file_size,
                           (unsigned long long)core->wanted);
    if (!target->n_threads)
        dlw_target_trouble(target, doc, "%s names no threads", path);
}

bool dlw_core_open(struct dlw_target *target, struct dlw_doc *doc, const char *path)
{
    struct dlw_core_facts facts = {0};
    struct stat state;
    target->is_core = true;
    target->memory = -1;
    int descriptor = dlw_core_unpack(target, doc, path);
    if (descriptor < 0)
        return false;
    target->core = dlw_region_alloc(target->region, sizeof *target->core);
    target->core->descriptor = descriptor;
    if (!fstat(descriptor, &state))
        target->core->file_size = (uint64_t)state.st_size;
    /* `path` may be compressed, and the descriptor a file of ours. */
    if (!stat(path, &state))
        target->source_rights = dlw_rights_of_owner(target->region, &state);
    elf_version(EV_CURRENT);
    Elf *elf = elf_begin(descriptor, ELF_C_READ, NULL);
    bool is_core = elf && is_core_header(target, doc, path, elf);
    if (!elf)
        dlw_target_trouble(target, doc, "%s is no core dump", path);
    if (is_core)
        read_headers(target, elf, &facts);
    elf_end(elf);
    if (!is_core)
        return false;
    say_cut(target, doc, path);
    join_mappings(target, &facts);
    settle_calls(target, &facts);
    describe(target, &facts);
    copy_stacks(target);
    return target->n_threads > 0;
}
