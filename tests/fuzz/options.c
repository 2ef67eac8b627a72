/* Any text as DLWATCH_OPTIONS, or as one option of `run`. */
#include "report/emit/options.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void warn(void *context, const char *line)
{
    *(size_t *)context += strlen(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dlw_options options;
    char storage[256], path[64];
    size_t said = 0;
    char *text = malloc(size + 1);

    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    dlw_options_parse(&options, text, storage, sizeof(storage), warn, &said);
    dlw_options_watches(options.exe, "/usr/bin/program");
    dlw_options_path(path, sizeof(path), text, 4711, "program", 2);
    free(text);
    return 0;
}
