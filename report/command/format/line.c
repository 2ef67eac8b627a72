/* One line a finding, as compilers write: what editors and logs already know how to read. */
#include "report/command/document/classify.h"
#include "report/command/format/format.h"

#include <string.h>

static const char *place_of(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const char *folder)
{
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    if (frame && frame->file && frame->line)
        return dlw_region_print(region, "%s:%u", dlw_frame_path(region, frame, folder),
                                frame->line);
    if (frame && frame->module) {
        const char *slash = strrchr(frame->module, '/');
        return dlw_region_print(region, "%s+0x%llx", slash ? slash + 1 : frame->module,
                                (unsigned long long)frame->offset);
    }
    return finding->process && finding->process->exe ? finding->process->exe : "dlwatch";
}

const char *dlw_finding_line(struct dlw_region *region, const struct dlw_doc_finding *finding,
                             const char *folder)
{
    return dlw_region_print(region, "%s: %s: %s [%s]", place_of(region, finding, folder),
                            dlw_severity_word(finding->severity), finding->message,
                            dlw_kind_word(finding->kind));
}

int dlw_format_line(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    for (size_t i = 0; i < doc->n_findings; i++)
        if (dlw_doc_is_listed(doc->findings[i]))
            fprintf(out, "%s\n", dlw_finding_line(&doc->region, doc->findings[i], options->folder));
    return 0;
}
