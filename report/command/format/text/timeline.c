/* A finding's time line in words: what its threads did last (report --timeline). */
#include "report/command/document/classify.h"
#include "report/command/document/labels.h"
#include "report/command/document/words.h"
#include "report/command/format/text/costs.h"
#include "report/command/format/text/parts.h"

const char *dlw_event_lock(struct dlw_region *region, const struct dlw_doc_finding *finding,
                           const struct dlw_doc_event *event, bool has_legend)
{
    if (dlw_doc_is_thread(event->lock) && !event->lock->thread)
        return "a thread";
    for (size_t i = 0; i < finding->n_locks; i++)
        if (finding->locks[i] == event->lock)
            return has_legend ? dlw_lock_label(region, finding, event->lock)
                              : dlw_finding_lock_title(region, finding, event->lock);
    return dlw_lock_title(region, event->lock); /* it only passes by, and is in no legend */
}

static const char *asked_words(struct dlw_region *region, const struct dlw_doc_event *event,
                               const char *lock)
{
    if (event->waits == DLW_WAIT_LOCK || event->waits == DLW_WAIT_GIL)
        return dlw_region_print(region, "asked for %s", lock);
    return dlw_region_print(region, "%s %s", dlw_wait_words(event->waits)->phrase, lock);
}

const char *dlw_event_words(struct dlw_region *region, const struct dlw_doc_finding *finding,
                            const struct dlw_doc_event *event, bool has_legend)
{
    const char *lock = dlw_event_lock(region, finding, event, has_legend);
    const char *how = event->mode != DLW_SHARED ? "" : " for reading";
    switch (event->what) {
    case DLW_TRAIL_TOOK:
        return dlw_region_print(region, "took %s%s", lock, how);
    case DLW_TRAIL_TOOK_BY_TRY:
        return dlw_region_print(region, "tried for %s%s, and took it", lock, how);
    case DLW_TRAIL_GAVE:
        return dlw_region_print(region, "gave back %s", lock);
    case DLW_TRAIL_TRIED:
        return dlw_region_print(region, "tried for %s in vain", lock);
    case DLW_TRAIL_ASKED:
    case DLW_TRAIL_CONFUSED:
        break;
    }
    return dlw_region_print(region, "%s%s", asked_words(region, event, lock), how);
}

const char *dlw_event_time(struct dlw_region *region, const struct dlw_doc_event *event)
{
    if (event->ago < 0)
        return NULL;
    const char *began = dlw_cost_time(region, (uint64_t)(event->ago * 1e9));
    if (event->until < 0)
        return dlw_region_print(region, "%s before, and waits", began);
    double waited = event->ago > event->until ? event->ago - event->until : 0;
    return dlw_region_print(region, "%s before, and waited %s", began,
                            dlw_cost_time(region, (uint64_t)(waited * 1e9)));
}

const char *dlw_event_place(struct dlw_region *region, const struct dlw_doc_event *event,
                            const char *folder)
{
    size_t place = dlw_stack_place(&event->place);
    if (!event->place.frames || place == event->place.n)
        return NULL;
    const struct dlw_frame *frame = &event->place.frames[place];
    if (frame->file)
        return dlw_region_print(region, "%s:%u", dlw_frame_path(region, frame, folder),
                                frame->line);
    return dlw_frame_place(region, frame);
}

static void event_line(struct dlw_readable *text, const struct dlw_doc_finding *finding,
                       const struct dlw_doc_event *event)
{
    struct dlw_region *region = &text->doc->region;
    size_t at = dlw_stack_place(&event->place);
    const struct dlw_frame *frame = at < event->place.n ? &event->place.frames[at] : NULL;
    const char *place =
        !frame || !frame->file
            ? dlw_event_place(region, event, NULL)
            : dlw_region_print(region, "%s:%u", dlw_readable_path(text, frame), frame->line);
    const char *time = dlw_event_time(region, event);
    dlw_readable_prose(text, "    ", 6,
                       dlw_region_print(region, "%s%s%s%s%s",
                                        dlw_event_words(region, finding, event, true),
                                        place ? "  " : "", place ? place : "", time ? ", " : "",
                                        time ? time : ""));
}

void dlw_readable_timeline(struct dlw_readable *text, const struct dlw_doc_finding *finding)
{
    struct dlw_region *region = &text->doc->region;
    if (!finding->n_trails)
        return;
    fputc('\n', text->out);
    dlw_readable_prose(text, "  " BOLD "The last steps:" PLAIN " ", 4,
                       "what each thread did before this was found, in its order. Only waits have "
                       "times: where two threads have none, nobody knows which came first.");
    for (size_t i = 0; i < finding->n_trails; i++) {
        const struct dlw_doc_trail *trail = &finding->trails[i];
        const char *more = trail->is_cut ? " (and more before)" : "";
        const char *went_on = trail->is_running ? " (it went on meanwhile)" : "";
        fprintf(text->out, "\n");
        dlw_readable_prose(text, "  ", 4,
                           dlw_region_print(region, BOLD "%s" PLAIN "%s%s",
                                            dlw_thread_label(region, finding, trail->thread), more,
                                            went_on));
        for (size_t k = 0; k < trail->n; k++)
            event_line(text, finding, &trail->events[k]);
    }
}
