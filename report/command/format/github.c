/* GitHub Actions: workflow commands on standard output become annotations beside the code. */
#include "report/command/document/classify.h"
#include "report/command/format/format.h"

#include <string.h>

/* GitHub shows this many of a kind for one step, and drops the rest without a word. */
enum { MAX_SHOWN = 10 };

static void escaped(FILE *out, const char *text, bool is_property)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '%' || c == '\r' || c == '\n' || (is_property && (c == ':' || c == ',')))
            fprintf(out, "%%%02X", c);
        else
            fputc(c < 0x20 ? '?' : c, out);
    }
}

static const char *command_of(enum dlw_severity severity)
{
    static const char *const words[] = {"error", "warning", "notice"};
    return words[severity];
}

static void annotation(FILE *out, struct dlw_doc *doc, const struct dlw_doc_finding *finding,
                       const struct dlw_format_options *options)
{
    struct dlw_region *region = &doc->region;
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    fprintf(out, "::%s ", command_of(finding->severity));
    if (frame && frame->file) {
        fputs("file=", out);
        escaped(out, dlw_frame_path(region, frame, options->folder), true);
        fprintf(out, ",line=%u,", frame->line);
    }
    fprintf(out, "title=%s::", dlw_kind_word(finding->kind));
    escaped(out, finding->message, false);
    struct dlw_remedy remedy = dlw_finding_remedy(region, finding);
    if (remedy.n) {
        fprintf(out, "%%0A%s: ", remedy.title);
        escaped(out, remedy.paragraphs[0], false);
    }
    fputc('\n', out);
}

int dlw_format_github(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    size_t shown[3] = {0}, cut = 0;
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        if (shown[finding->severity]++ < MAX_SHOWN)
            annotation(out, doc, finding, options);
        else
            cut++;
    }
    /* A plain line of the log, not one more annotation. */
    if (cut)
        fprintf(out,
                "dlwatch: %zu more findings are not annotated: GitHub shows %d of a kind for "
                "a step\n",
                cut, MAX_SHOWN);
    return 0;
}
