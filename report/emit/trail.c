/* What a trail says without words: which locks were given back between two of its entries. */
#include "report/emit/trail.h"

#include <string.h>

static const char *const words[] = {[DLW_TRAIL_TOOK] = "took",
                                    [DLW_TRAIL_TOOK_BY_TRY] = "took by try",
                                    [DLW_TRAIL_GAVE] = "gave back",
                                    [DLW_TRAIL_ASKED] = "asked",
                                    [DLW_TRAIL_TRIED] = "tried"};
enum { N_WORDS = sizeof(words) / sizeof(words[0]) };

const char *dlw_trail_word(enum dlw_trail_what what)
{
    return (unsigned)what < N_WORDS ? words[what] : "";
}

int dlw_trail_find(const char *word)
{
    for (int i = 0; i < (int)N_WORDS; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

/* More than the entries can tell of: each lock that is taken is given back once. */
enum { MOST_EVENTS = 2 * DLW_TRAIL_ENTRIES };

struct story {
    struct dlw_trail_event events[MOST_EVENTS];
    uint32_t n_events;
    uint8_t held[DLW_TRAIL_ENTRIES]; /* its takings of what it holds, as events, outermost first */
    uint32_t n_held;
    uint32_t below; /* so many locks are held that it took before its trail begins */
};

static void add(struct story *story, const struct dlw_trail_event *event)
{
    if (story->n_events < MOST_EVENTS)
        story->events[story->n_events++] = *event;
}

static void gave(struct story *story, const struct dlw_trail_event *taking)
{
    struct dlw_trail_event event = *taking;

    event.what = DLW_TRAIL_GAVE;
    event.place = 0;
    add(story, &event);
}

/* No more than `n` are held. Entries have room for 16 bits of it. */
static void falls_to(struct story *story, uint16_t n)
{
    while ((int16_t)(uint16_t)(story->below + story->n_held - n) > 0) {
        if (story->n_held)
            gave(story, &story->events[story->held[--story->n_held]]);
        else if (story->below)
            story->below--;
        else
            return;
    }
}

/* In another order than they were taken: an entry says it. */
static void gives(struct story *story, const struct dlw_trail_event *event)
{
    for (uint32_t i = story->n_held; i-- > 0;) {
        const struct dlw_trail_event *taking = &story->events[story->held[i]];
        if (taking->lock != event->lock || taking->kind != event->kind)
            continue;
        gave(story, taking);
        for (story->n_held--; i < story->n_held; i++)
            story->held[i] = story->held[i + 1];
        return;
    }
    story->below -= story->below > 0;
    gave(story, event);
}

static void find_wait(const struct dlw_trail *trail, uint64_t number, struct dlw_trail_event *event)
{
    for (unsigned i = 0; i < DLW_TRAIL_WAITS; i++)
        if (trail->waits[i].number == number) {
            event->began = trail->waits[i].began;
            event->ended = trail->waits[i].ended;
        }
}

static void take_entry(struct story *story, const struct dlw_trail *trail, uint64_t number)
{
    unsigned slot = number % DLW_TRAIL_ENTRIES;
    uint64_t subject = trail->entries[slot].subject, place = trail->entries[slot].place;
    struct dlw_trail_event event = {
        .what = subject >> DLW_TRAIL_WHAT & 7,
        .kind = subject >> DLW_TRAIL_KIND & 255,
        .waits = subject >> DLW_TRAIL_WAIT & 15,
        .is_shared = subject >> DLW_TRAIL_SHARED & 1,
        .lock = subject & DLW_TRAIL_ADDRESS,
        .place = place & DLW_TRAIL_ADDRESS,
    };
    bool is_taking = event.what == DLW_TRAIL_TOOK || event.what == DLW_TRAIL_TOOK_BY_TRY;
    uint16_t before = (uint16_t)(place >> 48);

    before -= is_taking && before > 0;
    if (number == trail->first)
        story->below = before;
    if (event.what != DLW_TRAIL_CONFUSED)
        falls_to(story, before);
    switch ((enum dlw_trail_what)event.what) {
    case DLW_TRAIL_TOOK:
    case DLW_TRAIL_TOOK_BY_TRY:
        story->held[story->n_held++] = (uint8_t)story->n_events;
        add(story, &event);
        break;
    case DLW_TRAIL_GAVE:
        gives(story, &event);
        break;
    case DLW_TRAIL_ASKED:
        find_wait(trail, number, &event);
        add(story, &event);
        break;
    case DLW_TRAIL_TRIED:
        add(story, &event);
        break;
    case DLW_TRAIL_CONFUSED:
        story->n_held = 0;
        story->below = before;
        break;
    }
}

uint32_t dlw_trail_tell(const struct dlw_trail *trail, struct dlw_trail_event *out, bool *is_cut)
{
    struct story story;

    story.n_events = story.n_held = story.below = 0;
    for (uint64_t number = trail->first; number <= trail->last; number++)
        take_entry(&story, trail, number);
    if (trail->held_is_known && trail->last >= trail->first)
        falls_to(&story, (uint16_t)trail->held);
    uint32_t n = story.n_events < DLW_TRAIL_TOLD ? story.n_events : DLW_TRAIL_TOLD;
    for (uint32_t i = 0; i < n; i++)
        out[i] = story.events[story.n_events - n + i];
    *is_cut = trail->first > 1 || n < story.n_events;
    return n;
}
