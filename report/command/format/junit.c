/*
 * JUnit's XML, as CI servers read it: each finding is a test case; errors are failures, warnings
 * and notes pass and say so, suppressed ones are skipped. With nothing found one case passes, so
 * that a server sees the check ran.
 */
#include "report/command/base/xml.h"
#include "report/command/format/format.h"

#include <stdlib.h>
#include <string.h>

/* The readable block of this finding alone. */
static char *readable(struct dlw_doc *doc, struct dlw_doc_finding *finding)
{
    struct dlw_format_options options = {.width = 100, .live = true, .prefix = ""};
    struct dlw_doc_finding **findings = doc->findings, *alone[] = {finding};
    size_t n = doc->n_findings, size = 0;
    char *text = NULL;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return NULL;
    doc->findings = alone;
    doc->n_findings = 1;
    dlw_format_text(memory, doc, &options);
    doc->findings = findings;
    doc->n_findings = n;
    fclose(memory);
    return text;
}

static void body(FILE *out, struct dlw_doc *doc, struct dlw_doc_finding *finding,
                 const char *element)
{
    char *text = readable(doc, finding);
    if (finding->severity == DLW_ERROR) {
        fprintf(out, "   <%s type=\"%s\" message=\"", element, dlw_kind_word(finding->kind));
        dlw_xml_text(out, finding->message);
        fputs("\">", out);
    } else {
        fprintf(out, "   <%s>", element);
    }
    dlw_xml_text(out, text ? text : finding->message);
    fprintf(out, "</%s>\n", element);
    free(text);
}

static void test_case(FILE *out, struct dlw_doc *doc, struct dlw_doc_finding *finding)
{
    fputs("  <testcase classname=\"dlwatch.", out);
    dlw_xml_text(out, dlw_kind_word(finding->kind));
    fputs("\" name=\"", out);
    dlw_xml_text(out, finding->message);
    fprintf(out, " [%s]\"", finding->fingerprint);
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    if (frame && frame->file) {
        fputs(" file=\"", out);
        dlw_xml_text(out, dlw_frame_path(&doc->region, frame, NULL));
        fprintf(out, "\" line=\"%u\"", frame->line);
    }
    fputs(">\n", out);
    if (!dlw_doc_is_listed(finding))
        fputs("   <skipped/>\n", out);
    else
        body(out, doc, finding, finding->severity == DLW_ERROR ? "failure" : "system-out");
    fputs("  </testcase>\n", out);
}

static bool is_reported(const struct dlw_doc_finding *finding)
{
    return dlw_doc_is_listed(finding) || finding->suppressed;
}

int dlw_format_junit(FILE *out, struct dlw_doc *doc, const struct dlw_format_options *options)
{
    (void)options;
    size_t n = 0, skipped = 0;
    for (size_t i = 0; i < doc->n_findings; i++) {
        n += is_reported(doc->findings[i]);
        skipped += doc->findings[i]->suppressed;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites>\n <testsuite name=\"dlwatch\" tests=\"%zu\" failures=\"%llu\" "
            "errors=\"0\" skipped=\"%zu\">\n",
            n ? n : 1, (unsigned long long)doc->summary.errors, skipped);
    for (size_t i = 0; i < doc->n_findings; i++)
        if (is_reported(doc->findings[i]))
            test_case(out, doc, doc->findings[i]);
    if (!n)
        fputs("  <testcase classname=\"dlwatch\" name=\"no deadlocks, no misuse of locks\"/>\n",
              out);
    fputs(" </testsuite>\n</testsuites>\n", out);
    return 0;
}
