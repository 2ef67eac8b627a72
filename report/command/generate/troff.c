#include "report/command/generate/generate.h"

#include "report/emit/options.h"

#include <string.h>

void dlw_troff_text(FILE *out, const char *text)
{
    char last = '\n';
    for (; *text; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else if (last == '\n' && (*text == '.' || *text == '\''))
            fprintf(out, "\\&%c", *text);
        else
            fputc(*text, out);
        last = *text;
    }
}

void dlw_troff_heading(FILE *out, const char *page, const char *section)
{
    fprintf(out, ".TH %s %s \"\" \"dlwatch " DLW_VERSION "\" \"dlwatch\"\n", page, section);
}

void dlw_troff_paragraph(FILE *out, const char *text)
{
    fputs(".PP\n", out);
    dlw_troff_text(out, text);
    fputc('\n', out);
}

void dlw_troff_item(FILE *out, const char *tag, const char *value, const char *text)
{
    fputs(".TP\n\\fB", out);
    dlw_troff_text(out, tag);
    fputs("\\fR", out);
    if (value) {
        fputs("\\fI", out);
        dlw_troff_text(out, value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    dlw_troff_text(out, text);
    fputc('\n', out);
}

void dlw_troff_options(FILE *out, const char *prefix, int under_run)
{
    static const struct {
        const char *key, *preload, *run, *values, *help;
    } rows[] = {
#define DLW_OPTION(key, type, preload, run, values, help_text)                                     \
    {#key, preload, run, values, help_text},
#include "report/emit/options.def"
#undef DLW_OPTION
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char tag[128], text[1024];
        const char *value = under_run ? rows[i].run : rows[i].preload;
        if (under_run && strcmp(rows[i].key, "help") == 0)
            continue;
        snprintf(tag, sizeof(tag), "%s%s=", prefix, rows[i].key);
        snprintf(text, sizeof(text), "%s%s%s%s", rows[i].help, *value ? " (default: " : "", value,
                 *value ? ")" : "");
        dlw_troff_item(out, tag, rows[i].values, text);
    }
}
