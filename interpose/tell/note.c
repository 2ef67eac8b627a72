/*
 * The ELF note by which `attach` and `core` find the library's records (report/emit/records.h). It
 * is written in assembly: a note's content must be a constant, and for the linker a distance is
 * one, an address is not.
 */
#include "report/emit/records.h"

extern const struct dlw_records dlw_records_root;
__attribute__((used)) const struct dlw_records dlw_records_root = {
    .magic = DLW_RECORDS_MAGIC,
    .version = DLW_RECORDS_VERSION,
    .size = sizeof(struct dlw_records),
    .threads = &dlw_records_threads,
    .stacks = &dlw_records_stacks,
    .findings = &dlw_records_findings,
    .lines = &dlw_records_lines,
    .semaphores = &dlw_records_semaphores,
};

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define OWNER_SIZE 8 /* "dlwatch" and its end */
#define NOTE_TYPE 1
_Static_assert(sizeof DLW_RECORDS_OWNER == OWNER_SIZE, "the note's owner");
_Static_assert(NOTE_TYPE == DLW_RECORDS_NOTE, "the note's type");

__asm__(".pushsection .note.dlwatch, \"a\", %note\n"
        ".balign 4\n"
        ".long " TEXT(OWNER_SIZE) ", 8, " TEXT(NOTE_TYPE) "\n"
                                                          ".asciz \"" DLW_RECORDS_OWNER "\"\n"
                                                          ".quad dlw_records_root - .\n"
                                                          ".popsection\n");
