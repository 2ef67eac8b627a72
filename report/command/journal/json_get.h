/* Fields of untrusted JSON: what is absent or of another type is 0, NULL or the given default. */
#ifndef DLW_COMMAND_JOURNAL_JSON_GET_H
#define DLW_COMMAND_JOURNAL_JSON_GET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

uint64_t dlw_json_number(const json_t *object, const char *key);
double dlw_json_real(const json_t *object, const char *key, double otherwise);
const char *dlw_json_text(const json_t *object, const char *key);
bool dlw_json_flag(const json_t *object, const char *key);
/* "0x…" */
uint64_t dlw_json_address(const json_t *object, const char *key);
bool dlw_json_parse_address(const char *text, uint64_t *out);

#endif
