#include "report/command/inspect/target/image.h"

#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 4096, NOTES = 4096 };

void dlw_image_hex(const struct dlw_image *image, char out[2 * DLW_BUILD_ID_ROOM + 1])
{
    *out = '\0';
    for (size_t i = 0; i < image->n_build_id; i++)
        snprintf(out + 2 * i, 3, "%02x", image->build_id[i]);
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

void dlw_image_read_notes(const unsigned char *bytes, size_t size, struct dlw_image *out)
{
    Elf64_Nhdr note;
    while (size >= sizeof note) {
        memcpy(&note, bytes, sizeof note);
        size_t total = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (note.n_namesz > size || note.n_descsz > size || total > size)
            return;
        const unsigned char *content = bytes + sizeof note + padded(note.n_namesz);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            !memcmp(bytes + sizeof note, "GNU", 4) && note.n_descsz <= DLW_BUILD_ID_ROOM) {
            out->n_build_id = note.n_descsz;
            memcpy(out->build_id, content, note.n_descsz);
            return;
        }
        bytes += total;
        size -= total;
    }
}

/* Where bytes come from: a file by offset, or memory by address. */
struct source {
    int descriptor;
    struct dlw_target *target;
    uint64_t start;
};

static bool fetch(const struct source *source, const struct dlw_image *image,
                  const GElf_Phdr *segment, void *out, size_t size)
{
    if (!source->target)
        return pread(source->descriptor, out, size, (off_t)segment->p_offset) == (ssize_t)size;
    return dlw_target_read(source->target, source->start - image->first_address + segment->p_vaddr,
                           out, size);
}

/* Segments in two rounds: addresses first, since notes are read by them. */
static void read_segments(Elf *elf, const struct source *source, struct dlw_image *out)
{
    size_t n = 0;
    GElf_Phdr segment;
    unsigned char notes[NOTES];
    bool has_first = false;
    elf_getphdrnum(elf, &n);
    for (size_t i = 0; i < n && gelf_getphdr(elf, (int)i, &segment); i++) {
        out->has_interpreter |= segment.p_type == PT_INTERP;
        if (segment.p_type != PT_LOAD)
            continue;
        if (!has_first)
            out->first_address = segment.p_vaddr - segment.p_offset;
        has_first = true;
        if (segment.p_vaddr + segment.p_memsz > out->last_address)
            out->last_address = segment.p_vaddr + segment.p_memsz;
    }
    for (size_t i = 0; i < n && gelf_getphdr(elf, (int)i, &segment); i++) {
        size_t size = segment.p_filesz < NOTES ? segment.p_filesz : NOTES;
        if (segment.p_type == PT_NOTE && !out->n_build_id &&
            fetch(source, out, &segment, notes, size))
            dlw_image_read_notes(notes, size, out);
    }
}

static bool read_head(unsigned char *head, size_t size, const struct source *source,
                      struct dlw_image *out)
{
    *out = (struct dlw_image){0};
    if (size < sizeof(Elf32_Ehdr) || memcmp(head, ELFMAG, SELFMAG))
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)head, size);
    if (!elf)
        return false;
    GElf_Ehdr header;
    out->is_known = elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &header) &&
                    header.e_phoff + (uint64_t)header.e_phnum * header.e_phentsize <= size;
    if (out->is_known)
        read_segments(elf, source, out);
    elf_end(elf);
    return out->is_known;
}

bool dlw_image_of_file(int descriptor, struct dlw_image *out)
{
    unsigned char head[HEAD];
    ssize_t n = pread(descriptor, head, sizeof head, 0);
    const struct source source = {.descriptor = descriptor};
    return n > 0 && read_head(head, (size_t)n, &source, out);
}

bool dlw_image_of_memory(struct dlw_target *target, uint64_t start, struct dlw_image *out)
{
    unsigned char head[HEAD];
    const struct source source = {.target = target, .start = start};
    *out = (struct dlw_image){0};
    return dlw_target_read(target, start, head, sizeof head) &&
           read_head(head, sizeof head, &source, out);
}
