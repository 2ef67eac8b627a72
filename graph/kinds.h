/*
 * The words of graph/kinds.def: the same for whoever writes a journal and whoever reads it. A
 * number that is none of the kind has the word "", a word that is none the number -1.
 */
#ifndef DLW_KINDS_H
#define DLW_KINDS_H

#include "graph/finding.h"

const char *dlw_kind_word(unsigned kind);
const char *dlw_wait_word(unsigned kind); /* "" for DLW_WAIT_NONE */
const char *dlw_lock_kind_word(unsigned kind);
const char *dlw_harmless_word(unsigned harmless); /* "" for DLW_FEASIBLE */
const char *dlw_doubt_word(unsigned doubt);       /* "" for DLW_NO_DOUBT */
const char *dlw_mode_word(unsigned mode);
const char *dlw_severity_word(unsigned severity);

int dlw_kind_find(const char *word);
int dlw_wait_find(const char *word);
int dlw_harmless_find(const char *word);
int dlw_doubt_find(const char *word);

/* Of a finding that nothing makes harmless. */
enum dlw_severity dlw_kind_severity(unsigned kind);
enum dlw_form dlw_kind_form(unsigned kind);

#endif
