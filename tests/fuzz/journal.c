/* Any bytes as a journal: read in two pieces, judged, and written in every format. */
#include "report/command/format/format.h"
#include "report/command/journal/reader.h"

#include "tests/fuzz/mutate.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_all(struct dlw_doc *doc)
{
    static dlw_format_write *const formats[] = {
        dlw_format_text,  dlw_format_json,     dlw_format_sarif,
        dlw_format_junit, dlw_format_github,   dlw_format_dot,
        dlw_format_html,  dlw_format_perfetto, dlw_format_suppressions};
    struct dlw_format_options options = {.folder = "/"};
    FILE *out = fopen("/dev/null", "w");
    for (size_t i = 0; out && i < sizeof(formats) / sizeof(formats[0]); i++)
        formats[i](out, doc, &options);
    if (out)
        fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dlw_symbols *symbols;
    if (!symbols)
        symbols = dlw_symbols_new("/nonexistent", "");
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_rules rules = {.show = DLW_SHOW_ALL};
    struct dlw_reading reading = {.doc = doc, .symbols = symbols, .edges = true};
    struct dlw_reader *reader = dlw_reader_new(&reading, "fuzz");
    dlw_reader_feed(reader, (const char *)data, size / 2);
    dlw_reader_feed(reader, (const char *)data + size / 2, size - size / 2);
    dlw_reader_close(reader);
    dlw_doc_finish(doc, &rules);
    doc->explains = doc->has_timeline = size % 2;
    write_all(doc);
    dlw_doc_free(doc);
    return 0;
}
