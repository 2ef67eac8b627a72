/* Lines that, put into a file of suppressions, silence what was found, and nothing else. */
#include "report/command/format/format.h"

int dlw_format_suppressions(FILE *out, struct dlw_doc *doc,
                            const struct dlw_format_options *options)
{
    (void)options;
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        fprintf(out, "# %s: ", dlw_kind_word(finding->kind));
        for (const char *at = finding->message; *at; at++)
            fputc((unsigned char)*at < 0x20 ? '?' : *at, out);
        fprintf(out, "\nfingerprint:%s\n", finding->fingerprint);
    }
    return 0;
}
