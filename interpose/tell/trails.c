#include "interpose/tell/trails.h"

#include "graph/base/arena.h"
#include "graph/kinds.h"
#include "interpose/base/state.h"
#include "interpose/stacks/capture.h"
#include "interpose/stacks/intern.h"
#include "interpose/threads/trail.h"

struct workspace { /* mapped: the thread may have a small stack */
    struct dlw_trail trail;
    struct dlw_trail_event events[DLW_TRAIL_TOLD];
    struct dlw_journal_trail_event told[DLW_TRAIL_TOLD];
    uint32_t threads[DLW_TRAILS_MOST];
    uint32_t n_threads;
};

static void want(struct workspace *work, uint32_t thread)
{
    for (uint32_t i = 0; i < work->n_threads; i++)
        if (work->threads[i] == thread)
            return;
    if (thread && work->n_threads < DLW_TRAILS_MOST)
        work->threads[work->n_threads++] = thread;
}

struct copying {
    uint32_t id;
    struct dlw_trail *out;
    bool is_done;
};

static bool copy_if(void *context, struct dlw_thread *thread)
{
    struct copying *copying = context;

    if (thread->id != copying->id)
        return true;
    dlw_trail_copy(thread, copying->out);
    copying->is_done = true;
    return false;
}

static struct dlw_journal_trail_event resolve(const struct dlw_trail_event *event, uint64_t now)
{
    return (struct dlw_journal_trail_event){
        .what = dlw_trail_word((enum dlw_trail_what)event->what),
        .kind = dlw_lock_kind_word(event->kind),
        .waits = event->what == DLW_TRAIL_ASKED ? dlw_wait_word(event->waits) : NULL,
        .is_shared = event->is_shared,
        .address = event->lock,
        .module = dlw_module_of(event->lock),
        .place = event->place ? dlw_stack_of_pc(event->place) : 0,
        .has_times = event->began != 0,
        .is_over = event->ended != 0,
        .ago = event->began && event->began < now ? (double)(now - event->began) / 1e9 : 0,
        .until = event->ended && event->ended < now ? (double)(now - event->ended) / 1e9 : 0,
    };
}

static void tell_one(struct workspace *work, uint32_t id, uint32_t thread, uint64_t now,
                     void (*write)(const struct dlw_journal_trail *trail))
{
    struct copying copying = {.id = thread, .out = &work->trail};
    struct dlw_journal_trail told = {.finding = id, .thread = thread, .events = work->told};

    dlw_threads_each(copy_if, &copying);
    if (!copying.is_done)
        return;
    told.n = dlw_trail_tell(&work->trail, work->events, &told.is_cut);
    told.is_running = !work->trail.held_is_known;
    for (uint32_t i = 0; i < told.n; i++)
        work->told[i] = resolve(&work->events[i], now);
    if (told.n)
        write(&told);
}

void dlw_trails_tell(uint32_t id, const struct dlw_finding *finding,
                     void (*write)(const struct dlw_journal_trail *trail))
{
    struct workspace *work = dlw_pages_map(sizeof(*work));
    uint64_t now = dlw_now();

    if (!work)
        return;
    for (uint32_t i = 0; i < finding->n_cycle; i++)
        want(work, finding->cycle[i].thread);
    for (uint32_t i = 0; i < finding->n_threads; i++)
        want(work, finding->threads[i].thread);
    for (uint32_t i = 0; i < work->n_threads; i++)
        tell_one(work, id, work->threads[i], now, write);
    dlw_pages_unmap(work, sizeof(*work));
}
