/* Lines that, put into a file of suppressions, silence what was found. */
#include "report/command/format/format.h"

#include <string.h>

/* Characters of a glob are escaped; a '#' would begin a comment. */
static void literal(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (strchr("*?[\\", *text))
            fputc('\\', out);
        fputc(*text == '#' || (unsigned char)*text < 0x20 ? '?' : *text, out);
    }
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static const char *pattern_of(const struct dlw_doc_finding *finding)
{
    const struct dlw_frame *frame = dlw_finding_frame(finding);
    if (frame && frame->function)
        return frame->function;
    for (size_t i = 0; i < finding->n_locks; i++)
        if (finding->locks[i]->name)
            return finding->locks[i]->name;
    if (frame && frame->module)
        return base_name(frame->module);
    return NULL;
}

int dlw_format_suppressions(FILE *out, struct dlw_doc *doc,
                            const struct dlw_format_options *options)
{
    (void)options;
    for (size_t i = 0; i < doc->n_findings; i++) {
        const struct dlw_doc_finding *finding = doc->findings[i];
        if (!dlw_doc_is_listed(finding))
            continue;
        const char *pattern = pattern_of(finding);
        fputs("# ", out);
        for (const char *at = finding->message; *at; at++)
            fputc((unsigned char)*at < 0x20 ? '?' : *at, out);
        fprintf(out, "\n%s:", dlw_kind_word(finding->kind));
        if (pattern)
            literal(out, pattern);
        else
            fputc('*', out);
        fputc('\n', out);
    }
    return 0;
}
