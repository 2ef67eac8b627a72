/* The notes of a core, in the layouts that the kernel gives them on each processor. */
#include "report/command/inspect/target/core.h"

#include "report/command/inspect/target/registers.h"

#include <elf.h>
#include <stdio.h>
#include <string.h>

/* Where things stand in elf_prstatus and elf_prpsinfo, for 64 and for 32 bits. */
static const struct note_layout {
    size_t signal, tid, registers, rest, name, arguments, pid;
} wide = {12, 32, 112, 8, 40, 56, 24}, narrow = {12, 24, 72, 4, 28, 44, 12};

static const struct note_layout *layout_of(const struct dlw_target *target)
{
    return target->is_narrow ? &narrow : &wide;
}

static void read_thread(struct dlw_target *target, const unsigned char *bytes, size_t size)
{
    const struct note_layout *at = layout_of(target);
    struct dlw_seen_thread thread = {.since = -1, .ran_at = -1, .stood_still = true};
    int32_t tid;
    int16_t signal;
    if (size < at->registers + at->rest)
        return;
    memcpy(&tid, bytes + at->tid, sizeof tid);
    memcpy(&signal, bytes + at->signal, sizeof signal);
    thread.tid = thread.inner = (uint32_t)tid;
    /* After the registers stands one more word. */
    if (!dlw_registers_parse(target->machine, bytes + at->registers,
                             size - at->registers - at->rest, &thread.registers, &thread.call))
        thread.trouble = "its registers are not of a kind known here";
    if (!target->n_threads)
        target->signal = signal;
    target->threads = dlw_region_grow(target->region, target->threads, target->n_threads,
                                      sizeof *target->threads);
    target->threads[target->n_threads++] = thread;
}

static void split_arguments(struct dlw_target *target, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, " ");
        if (length) {
            target->argv =
                dlw_region_grow(target->region, target->argv, target->argc, sizeof *target->argv);
            target->argv[target->argc++] = dlw_region_cut(target->region, text, length);
        }
        text += length + strspn(text + length, " ");
    }
}

static void read_program(struct dlw_target *target, const unsigned char *bytes, size_t size,
                         struct dlw_core_facts *facts)
{
    const struct note_layout *at = layout_of(target);
    char text[81] = "";
    if (size < at->arguments + 80)
        return;
    memcpy(facts->name, bytes + at->name, sizeof facts->name - 1);
    memcpy(text, bytes + at->arguments, sizeof text - 1);
    memcpy(&facts->pid, bytes + at->pid, sizeof facts->pid);
    split_arguments(target, text);
}

static uint64_t word_at(const struct dlw_target *target, const unsigned char *bytes, size_t index)
{
    uint64_t value = 0;
    size_t width = target->is_narrow ? 4 : 8;
    memcpy(&value, bytes + index * width, width);
    return value;
}

static void read_vector(struct dlw_target *target, const unsigned char *bytes, size_t size,
                        struct dlw_core_facts *facts)
{
    size_t width = target->is_narrow ? 4 : 8;
    for (size_t i = 0; (i + 2) * width <= size; i += 2) {
        uint64_t value = word_at(target, bytes, i + 1);
        switch (word_at(target, bytes, i)) {
        case AT_ENTRY:
            facts->entry = value;
            break;
        case AT_SYSINFO_EHDR:
            facts->vdso = value;
            break;
        default:
            break;
        }
    }
}

/* Count, page size, {start, end, offset in pages} for each, then the names one after the other. */
static void read_files(struct dlw_target *target, const unsigned char *bytes, size_t size,
                       struct dlw_core_facts *facts)
{
    size_t width = target->is_narrow ? 4 : 8;
    if (size < 2 * width)
        return;
    uint64_t count = word_at(target, bytes, 0), page = word_at(target, bytes, 1);
    if (count > (size / width - 2) / 3)
        return;
    const char *name = (const char *)bytes + (2 + 3 * count) * width;
    const char *end = (const char *)bytes + size;
    for (uint64_t i = 0; i < count && name < end; i++) {
        size_t length = strnlen(name, (size_t)(end - name));
        struct dlw_mapping mapping = {
            .start = word_at(target, bytes, 2 + 3 * i),
            .end = word_at(target, bytes, 3 + 3 * i),
            .offset = word_at(target, bytes, 4 + 3 * i) * page,
            .path = dlw_region_cut(target->region, name, length),
        };
        facts->files =
            dlw_region_grow(target->region, facts->files, facts->n_files, sizeof mapping);
        facts->files[facts->n_files++] = mapping;
        name += length + 1;
    }
}

static void read_one(struct dlw_target *target, uint32_t type, const unsigned char *bytes,
                     size_t size, struct dlw_core_facts *facts)
{
    switch (type) {
    case NT_PRSTATUS:
        read_thread(target, bytes, size);
        break;
    case NT_PRPSINFO:
        read_program(target, bytes, size, facts);
        break;
    case NT_AUXV:
        read_vector(target, bytes, size, facts);
        break;
    case NT_FILE:
        read_files(target, bytes, size, facts);
        break;
    case NT_ARM_TLS: /* of the thread before it */
        if (target->n_threads && size >= 8)
            memcpy(&target->threads[target->n_threads - 1].registers.thread_pointer, bytes, 8);
        break;
    default:
        break;
    }
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

void dlw_core_read_notes(struct dlw_target *target, const unsigned char *bytes, size_t size,
                         struct dlw_core_facts *facts)
{
    Elf64_Nhdr note; /* the same for 32 bits */
    while (size >= sizeof note) {
        memcpy(&note, bytes, sizeof note);
        size_t name = padded(note.n_namesz), content = padded(note.n_descsz);
        size_t left = size - sizeof note;
        if (name > left || note.n_descsz > left - name)
            return;
        read_one(target, note.n_type, bytes + sizeof note + name, note.n_descsz, facts);
        if (content > left - name)
            return;
        bytes += sizeof note + name + content;
        size = left - name - content;
    }
}
