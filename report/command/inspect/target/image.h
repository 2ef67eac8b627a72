/* The head of a program file, from the file or as it stands in memory: what identifies it. */
#ifndef DLW_COMMAND_INSPECT_TARGET_IMAGE_H
#define DLW_COMMAND_INSPECT_TARGET_IMAGE_H

#include "report/command/inspect/target/target.h"

enum { DLW_BUILD_ID_ROOM = 32 };

struct dlw_image {
    bool is_known;
    uint64_t first_address; /* that its headers give to the first byte of the file */
    uint64_t last_address;  /* one past what it maps */
    bool has_interpreter;   /* dynamically linked */
    unsigned char build_id[DLW_BUILD_ID_ROOM];
    size_t n_build_id;
};

bool dlw_image_of_file(int descriptor, struct dlw_image *out);
bool dlw_image_of_memory(struct dlw_target *target, uint64_t start, struct dlw_image *out);
/* Lower case hex, "" for none. */
void dlw_image_hex(const struct dlw_image *image, char out[2 * DLW_BUILD_ID_ROOM + 1]);
/* Finds the build id in the bytes of a note segment. */
void dlw_image_read_notes(const unsigned char *bytes, size_t size, struct dlw_image *out);

#endif
