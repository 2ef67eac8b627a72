/* Files that are made from the same tables as the parsers: `dlwatch --generate NAME`. Not for
 * users; `make install` calls it. */
#ifndef DLW_COMMAND_GENERATE_GENERATE_H
#define DLW_COMMAND_GENERATE_GENERATE_H

#include <stdio.h>

/* dlwatch.1 libdlwatch.7 dlwatch.bash dlwatch.zsh dlwatch.fish; returns the status. */
int dlw_generate(const char *name, FILE *out);

void dlw_generate_command_page(FILE *out);
void dlw_generate_library_page(FILE *out);
void dlw_generate_bash(FILE *out);
void dlw_generate_zsh(FILE *out);
void dlw_generate_fish(FILE *out);

/* ---- troff.c: the manual's markup ---- */

void dlw_troff_heading(FILE *out, const char *page, const char *section);
/* Text with what troff would take for a command escaped. */
void dlw_troff_text(FILE *out, const char *text);
/* Text of any length, with the line's end. */
void dlw_troff_prose(FILE *out, const char *text);
/* A heading, and its first paragraph (NULL: none). */
void dlw_troff_section(FILE *out, const char *title, const char *text);
/* Lines as they are. */
void dlw_troff_lines(FILE *out, const char *const *lines, size_t n);
/* A further paragraph. */
void dlw_troff_paragraph(FILE *out, const char *text);
/* A tagged paragraph: `tag` bold, `value` after it in italics (NULL: none). */
void dlw_troff_item(FILE *out, const char *tag, const char *value, const char *text);
/* The options table as tagged paragraphs; `prefix` is "--" or "". */
void dlw_troff_options(FILE *out, const char *prefix, int under_run);

#endif
