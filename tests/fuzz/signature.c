/* Any bytes as a line of the file of `avoid`: what is read is written again as the same. */
#include "report/emit/signature.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[DLW_SIGNATURE_LINE];
    struct dlw_line line = DLW_LINE(text);
    static char pool[1 << 20]; /* what an arena maps is never given back */
    struct dlw_arena arena = {.bump = pool, .bump_end = pool + sizeof(pool), .limit = 1};
    struct dlw_signature read, again;
    char *copy = malloc(size + 1);

    memset(pool, 0, sizeof(pool));
    memcpy(copy, data, size);
    copy[size] = 0;
    if (!dlw_signature_read(copy, &arena, &read) && read.n_steps &&
        dlw_signature_write(&read, &line) &&
        (dlw_signature_read(text, &arena, &again) || again.number != read.number))
        abort();
    free(copy);
    return 0;
}
