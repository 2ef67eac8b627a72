/* Any bytes as a baseline: a report in JSON, or a journal. */
#include "report/command/journal/baseline.h"

#include "tests/fuzz/mutate.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dlw_symbols *symbols;
    char path[64];
    int memory = memfd_create("baseline", MFD_CLOEXEC);
    if (!symbols)
        symbols = dlw_symbols_new("/nonexistent", "");
    if (memory < 0 || write(memory, data, size) != (ssize_t)size)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
    dlw_baseline_free(dlw_baseline_read(path, symbols));
    close(memory);
    return 0;
}
