/* One line a finding, as compilers write: what editors and logs already know how to read. */
#include "report/command/document/classify.h"
#include "report/command/format/format.h"

int dlw_format_line(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            fprintf(out, "%s\n", dlw_finding_line(&doc->region, doc->findings[i], options->folder));
    return 0;
}
