/*
 * Builds JSON lines in memory, one after the other. Commas come by themselves: a value or a key
 * that does not follow an opening bracket or a key gets one.
 *
 * Where the text does not fit, `more` is asked for room; when it can't give any, the builder fails:
 * it takes nothing any more, and the line begun is gone.
 */
#ifndef DLW_EMIT_JOURNAL_JSONL_H
#define DLW_EMIT_JOURNAL_JSONL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dlw_jsonl {
    char *text;
    size_t used, room;
    size_t line; /* where the line under construction begins: all before it is whole lines */
    bool failed;
    /* Makes room for `size` bytes behind `used`: may move the text, and may first take whole lines
     * away. False: fail. */
    bool (*more)(struct dlw_jsonl *json, size_t size);
};

void dlw_jsonl_line_begin(struct dlw_jsonl *json, const char *type);
void dlw_jsonl_line_end(struct dlw_jsonl *json);

void dlw_jsonl_open(struct dlw_jsonl *json, const char *key, char bracket); /* key may be NULL */
void dlw_jsonl_close(struct dlw_jsonl *json, char bracket);

/* Escaped; what is not UTF-8 becomes U+FFFD. */
void dlw_jsonl_text(struct dlw_jsonl *json, const char *text);
void dlw_jsonl_number(struct dlw_jsonl *json, uint64_t number);
void dlw_jsonl_hex(struct dlw_jsonl *json, uint64_t number); /* "0x…" */

void dlw_jsonl_text_field(struct dlw_jsonl *json, const char *key, const char *text);
void dlw_jsonl_number_field(struct dlw_jsonl *json, const char *key, uint64_t number);
void dlw_jsonl_hex_field(struct dlw_jsonl *json, const char *key, uint64_t number);
void dlw_jsonl_true_field(struct dlw_jsonl *json, const char *key);
/* Microseconds are kept, and always a digit behind the point. */
void dlw_jsonl_real_field(struct dlw_jsonl *json, const char *key, double number);
/* Room between two fields, for what is known later. */
void dlw_jsonl_spare(struct dlw_jsonl *json, size_t size);
void dlw_jsonl_bytes_field(struct dlw_jsonl *json, const char *key, const unsigned char *bytes,
                           size_t size); /* as hexadecimal digits */

#endif
