/* Any bytes as a file of suppressions, held against a finding. */
#include "report/command/document/suppressions.h"
#include "tests/unit/command_sample.h"

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    FILE *in = fmemopen((void *)data, size, "r");
    struct dlw_suppressions *suppressions = dlw_suppressions_new();
    struct dlw_doc *doc = dlw_doc_new();
    struct dlw_doc_rules rules = {.suppressions = suppressions};
    dlw_suppressions_parse(suppressions, in, "fuzz");
    fclose(in);
    sample_cycle(doc, DLW_DEADLOCK, "(anonymous namespace)::Bank::transfer(int)", 10);
    dlw_doc_finish(doc, &rules);
    dlw_doc_free(doc);
    dlw_suppressions_free(suppressions);
    return 0;
}
