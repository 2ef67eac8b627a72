#include "report/command/generate/generate.h"

#include "report/emit/options.h"

#include <string.h>

enum { LINE_WIDTH = 72 };

static void characters(FILE *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

/* A line that begins with one of these would be a command. */
static void begin_line(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
}

void dlw_troff_text(FILE *out, const char *text)
{
    begin_line(out, text);
    characters(out, text, strlen(text));
}

void dlw_troff_prose(FILE *out, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t n = strcspn(text, " ");
        if (column && column + 1 + n > LINE_WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column)
            fputc(' ', out);
        else
            begin_line(out, text);
        characters(out, text, n);
        column += n + 1;
        text += n + strspn(text + n, " ");
    }
    fputc('\n', out);
}

void dlw_troff_heading(FILE *out, const char *page, const char *section)
{
    /* No hyphens in names, nor spaces that justify. */
    fprintf(out, ".TH %s %s \"" DLW_RELEASED "\" \"dlwatch " DLW_VERSION "\"\n.nh\n.ad l\n", page,
            section);
}

void dlw_troff_paragraph(FILE *out, const char *text)
{
    fputs(".PP\n", out);
    dlw_troff_prose(out, text);
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
    dlw_troff_prose(out, text);
}

void dlw_troff_section(FILE *out, const char *title, const char *text)
{
    fprintf(out, ".SH %s\n", title);
    if (text)
        dlw_troff_prose(out, text);
}

void dlw_troff_lines(FILE *out, const char *const *lines, size_t n)
{
    fputs(".nf\n", out);
    for (size_t i = 0; i < n; i++) {
        dlw_troff_text(out, lines[i]);
        fputc('\n', out);
    }
    fputs(".fi\n", out);
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
