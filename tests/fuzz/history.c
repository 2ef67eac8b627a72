/* Any bytes as a journal or a history to merge; what comes out must be read without a complaint,
 * and merging it again must change nothing. */
#include "report/command/merge/history.h"

#include "tests/fuzz/mutate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool merge(struct dlw_symbols *symbols, const char *bytes, size_t size, char **out,
                  size_t *out_size)
{
    struct dlw_history *history = dlw_history_new(symbols);
    struct dlw_collector *collector = dlw_collector_new(history);
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_reading reading = {
        .doc = doc, .symbols = symbols, .sink = dlw_collector_sink(collector)};
    struct dlw_reader *reader = dlw_reader_new(&reading, "fuzz");
    dlw_reader_feed(reader, bytes, size);
    bool whole = dlw_reader_close(reader);
    dlw_history_cross(history);
    FILE *memory = open_memstream(out, out_size);
    dlw_history_write(history, memory);
    fclose(memory);
    dlw_doc_free(doc);
    dlw_collector_free(collector);
    dlw_history_free(history);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dlw_symbols *symbols;
    char *once = NULL, *twice = NULL;
    size_t n_once = 0, n_twice = 0;
    if (!symbols)
        symbols = dlw_symbols_new("/nonexistent", "");
    merge(symbols, (const char *)data, size, &once, &n_once);
    bool whole = merge(symbols, once, n_once, &twice, &n_twice);
    if (!whole || n_once != n_twice || memcmp(once, twice, n_once) != 0)
        abort();
    free(once);
    free(twice);
    return 0;
}
