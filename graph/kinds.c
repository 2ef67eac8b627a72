#include "graph/kinds.h"

#include <string.h>

static const struct {
    const char *word;
    uint8_t form, severity;
} findings[] = {
#define FINDING(name, word, form, severity, ...) {word, DLW_FORM_##form, DLW_##severity},
#include "graph/kinds.def"
};

static const char *const waits[] = {
#define WAIT(name, word, ...) word,
#include "graph/kinds.def"
};

static const char *const locks[] = {
#define LOCK(name, word) word,
#include "graph/kinds.def"
};

static const char *const reasons[] = {
#define HARMLESS(name, word) word,
#include "graph/kinds.def"
};

static const char *const doubts[] = {
#define DOUBT(name, word) word,
#include "graph/kinds.def"
};

static const char *const modes[] = {
#define MODE(name, word) word,
#include "graph/kinds.def"
};

static const char *const severities[] = {
#define SEVERITY(name, word) word,
#include "graph/kinds.def"
};

const char *dlw_kind_word(unsigned kind)
{
    return kind < DLW_N_KINDS ? findings[kind].word : "";
}

const char *dlw_wait_word(unsigned kind)
{
    return kind < DLW_N_WAIT_KINDS ? waits[kind] : "";
}

const char *dlw_lock_kind_word(unsigned kind)
{
    return kind < DLW_N_LOCK_KINDS ? locks[kind] : "";
}

const char *dlw_harmless_word(unsigned harmless)
{
    return harmless < DLW_N_HARMLESS ? reasons[harmless] : "";
}

const char *dlw_doubt_word(unsigned doubt)
{
    return doubt < DLW_N_DOUBTS ? doubts[doubt] : "";
}

const char *dlw_mode_word(unsigned mode)
{
    return mode < DLW_N_MODES ? modes[mode] : "";
}

const char *dlw_severity_word(unsigned severity)
{
    return severity < DLW_N_SEVERITIES ? severities[severity] : "";
}

static int find(const char *(*word_of)(unsigned), unsigned n, const char *word)
{
    for (unsigned i = 0; i < n && *word; i++)
        if (strcmp(word_of(i), word) == 0)
            return (int)i;
    return -1;
}

int dlw_kind_find(const char *word)
{
    return find(dlw_kind_word, DLW_N_KINDS, word);
}

int dlw_wait_find(const char *word)
{
    return find(dlw_wait_word, DLW_N_WAIT_KINDS, word);
}

int dlw_doubt_find(const char *word)
{
    return find(dlw_doubt_word, DLW_N_DOUBTS, word);
}

int dlw_harmless_find(const char *word)
{
    return find(dlw_harmless_word, DLW_N_HARMLESS, word);
}

enum dlw_severity dlw_kind_severity(unsigned kind)
{
    return kind < DLW_N_KINDS ? findings[kind].severity : DLW_ERROR;
}

enum dlw_form dlw_kind_form(unsigned kind)
{
    return kind < DLW_N_KINDS ? findings[kind].form : DLW_FORM_CALL;
}
