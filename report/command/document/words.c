/* The sentences of graph/kinds.def. */
#include "report/command/document/words.h"

#include <string.h>

static const struct dlw_kind_words kinds[] = {
#define FINDING(name, word, form, severity, verb, message, summary, description, advice)           \
    {verb, message, summary, description, advice},
#include "graph/kinds.def"
};

static const struct dlw_wait_words waits[] = {
#define WAIT(name, word, phrase, one, many) {phrase, one, many},
#include "graph/kinds.def"
};

const struct dlw_kind_words *dlw_kind_words(enum dlw_kind kind)
{
    return &kinds[kind];
}

const struct dlw_wait_words *dlw_wait_words(enum dlw_wait_kind kind)
{
    return &waits[kind];
}

const char *dlw_wait_phrase_for(struct dlw_region *region, const char *phrase, const char *title)
{
    if (strncmp(title, "the Python ", strlen("the Python ")) == 0)
        return "waits for"; /* that it is made of a semaphore is no concern of the program's */
    const char *kind = strncmp(title, "the ", 4) == 0 ? strstr(phrase, " the ") : NULL;
    for (const char *next; kind && (next = strstr(kind + 1, " the ")) != NULL;)
        kind = next;
    return kind ? dlw_region_cut(region, phrase, (size_t)(kind - phrase)) : phrase;
}

const char *dlw_wait_phrase_of(struct dlw_region *region, const struct dlw_doc_state *state,
                               const char *title)
{
    /* That Python makes its locks of semaphores is no concern of the program's. */
    if (state->on && dlw_lock_sort(region, state->on))
        return "waits for";
    return dlw_wait_phrase_for(region, dlw_wait_words(state->waits)->phrase, title);
}

const char *dlw_words_fill(struct dlw_region *region, const char *text, const char *lock,
                           const char *place)
{
    const char *filled = "";
    for (const char *brace; (brace = strchr(text, '{')) != NULL; text = strchr(brace, '}') + 1)
        filled = dlw_region_print(region, "%s%.*s%s", filled, (int)(brace - text), text,
                                  strncmp(brace, "{lock}", 6) == 0 ? lock : place);
    return dlw_region_print(region, "%s%s", filled, text);
}
