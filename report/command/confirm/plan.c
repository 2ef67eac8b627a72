/*
 * Which addresses of the binary at hand are the steps of a finding. Of each stack as many frames
 * count as it takes to come from the call out to the function in which both locks of the step are
 * asked for: what is further in are helpers, what is further out is another way to the same code.
 */
#include "report/command/confirm/confirm.h"

#include "report/command/base/command.h"
#include "report/command/base/temporary.h"
#include "report/command/symbols/places.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_FRAMES = 16, MOST_ROLES = DLW_STEERING_ROLES };

/* One return address, with what is inlined there. */
struct group {
    const struct dlw_frame *frames;
    size_t n;
};

struct binary {
    const char *module, *build_id; /* as recorded */
    const char *path, *found_id;   /* at hand; path NULL: none */
};

struct making {
    struct dlw_region *region;
    const struct dlw_confirm *confirm;
    struct binary *binaries;
    size_t n_binaries;
    const char *text;
    struct dlw_plan *plan;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- binaries ---- */

static const char *real_path(struct dlw_region *region, const char *path)
{
    char *real = realpath(path, NULL);
    const char *copy = dlw_region_copy(region, real);
    free(real);
    return copy;
}

/* The command's own file, as execvp finds it. */
static const char *command_path(struct dlw_region *region, const char *command)
{
    const char *path = getenv("PATH");
    if (strchr(command, '/'))
        return real_path(region, command);
    char *list = dlw_region_copy(region, path ? path : "/usr/local/bin:/bin:/usr/bin");
    while (list) {
        const char *folder = strsep(&list, ":");
        const char *file = dlw_region_print(region, "%s/%s", *folder ? folder : ".", command);
        if (access(file, X_OK) == 0)
            return real_path(region, file);
    }
    return NULL;
}

/* False: it is no program. */
static bool take_binary(struct making *making, struct binary *binary, const char *path)
{
    bool is_program = false;
    const char *found = path ? dlw_places_build_id(making->region, path, &is_program) : NULL;
    if (!is_program)
        return false;
    binary->path = path;
    binary->found_id = found;
    return true;
}

/* What is called like the command is the command, wherever it was built. */
static size_t binary_of(struct making *making, const struct dlw_frame *frame)
{
    struct dlw_region *region = making->region;
    for (size_t i = 0; i < making->n_binaries; i++)
        if (strcmp(making->binaries[i].module, frame->module) == 0)
            return i;
    making->binaries =
        dlw_region_grow(region, making->binaries, making->n_binaries, sizeof(struct binary));
    struct binary *binary = &making->binaries[making->n_binaries];
    *binary = (struct binary){.module = frame->module, .build_id = frame->build_id};
    const char *command = command_path(region, making->confirm->command[0]);
    bool is_command = command && strcmp(base_name(command), base_name(frame->module)) == 0;
    if (!(is_command && take_binary(making, binary, command)))
        take_binary(making, binary, real_path(region, frame->module));
    return making->n_binaries++;
}

static bool is_same_build(const struct binary *binary)
{
    return binary->path && binary->build_id && binary->found_id &&
           strcasecmp(binary->build_id, binary->found_id) == 0;
}

/* ---- frames ---- */

static struct group group_at(const struct dlw_stack *stack, size_t from)
{
    size_t n = 1;
    while (stack->frames[from + n - 1].inlined && from + n < stack->n)
        n++;
    return (struct group){&stack->frames[from], n};
}

/* Up to the first that is not known, and at most so many. */
static size_t groups_of(const struct dlw_stack *stack, struct group *out, size_t room)
{
    size_t n = 0;
    for (size_t at = 0; at < stack->n && n < room; at += out[n++].n) {
        out[n] = group_at(stack, at);
        if (out[n].frames->unknown || !out[n].frames->module)
            break;
    }
    return n;
}

static bool is_same_address(const struct group *a, const struct group *b)
{
    return a->frames->offset == b->frames->offset &&
           strcmp(a->frames->module, b->frames->module) == 0;
}

/* The outer ends don't fit together, as where an interpreter's own frames stand for native ones:
 * the innermost call that both came through, with what was called from there. 0: there is none. */
static size_t own_below_common(const struct group *a, size_t n, const struct group *b, size_t m)
{
    for (size_t i = 0; i + 1 < n; i++)
        for (size_t k = 0; k + 1 < m; k++)
            if (is_same_address(&a[i + 1], &b[k + 1]))
                return i + 1;
    return 0;
}

/* How many of `a` stand inside of what both share. */
static size_t own_frames(const struct dlw_stack *stack, const struct dlw_stack *other)
{
    struct group a[64], b[64];
    size_t n = groups_of(stack, a, 64), m = groups_of(other, b, 64), shared = 0;
    while (shared < n && shared < m && is_same_address(&a[n - 1 - shared], &b[m - 1 - shared]))
        shared++;
    size_t own = shared ? n - shared : own_below_common(a, n, b, m);
    if (!own && !shared)
        own = n;
    /* A helper has returned: what is known up to there is its own. */
    return own == 0 ? (n ? 1 : 0) : own < MOST_FRAMES ? own : MOST_FRAMES;
}

/* ---- text ---- */

static void add(struct making *making, const char *text)
{
    making->text = dlw_region_print(making->region, "%s%s", making->text, text);
}

struct ranges {
    struct making *making;
    size_t module, n;
    size_t covered; /* of the place's frames by each of them; 0: not by each the same */
};

static void add_range(void *context, uint64_t from, uint64_t to, size_t covered)
{
    enum { MOST_RANGES = 4096 };
    struct ranges *ranges = context;
    ranges->covered = ranges->n == 0 || ranges->covered == covered ? covered : 0;
    if (ranges->n++ < MOST_RANGES)
        add(ranges->making,
            dlw_region_print(ranges->making->region, "%s%zu+%llx-%llx", ranges->n > 1 ? "," : " ",
                             ranges->module + 1, (unsigned long long)from, (unsigned long long)to));
}

static bool fail(struct making *making, const char *why)
{
    if (!making->plan->trouble)
        making->plan->trouble = why;
    return false;
}

static const char *place_words(struct dlw_region *region, const struct dlw_frame *frame)
{
    return dlw_region_print(region, "%s (%s)", frame->function, dlw_frame_place(region, frame));
}

/* In another build: what was inlined then may be called now. How many of the frames are found in
 * the next function out; 0 after saying why. */
static size_t add_rebuilt(struct making *making, const char *word, const struct dlw_frame *frames,
                          size_t n)
{
    size_t index = binary_of(making, frames);
    const struct binary *binary = &making->binaries[index];
    struct ranges ranges = {.making = making, .module = index};
    making->plan->rebuilt = true;
    if (!frames->function) {
        fail(making, dlw_region_print(making->region,
                                      "%s is another build than the one that was watched, whose "
                                      "functions and lines are not known any more",
                                      binary->path));
        return 0;
    }
    add(making, word);
    size_t found =
        dlw_places_find(making->confirm->symbols, binary->path, frames, n, add_range, &ranges);
    add(making, "\n");
    if (!found)
        fail(making,
             dlw_region_print(making->region, "the place %s is not in %s as it is built now",
                              place_words(making->region, frames), binary->path));
    /* Where some of the ways differ further out, the place is known well enough. */
    return !found ? 0 : ranges.covered ? ranges.covered : n;
}

/* False: the binary is gone. */
static bool find_binary(struct making *making, const struct dlw_frame *frame, bool *is_same)
{
    size_t index = binary_of(making, frame);
    *is_same = is_same_build(&making->binaries[index]);
    return making->binaries[index].path ||
           fail(making, dlw_region_print(making->region, "the file %s is gone", frame->module));
}

static bool add_place(struct making *making, const char *word, const struct dlw_stack *stack,
                      const struct dlw_stack *other)
{
    struct group groups[MOST_FRAMES];
    size_t n = own_frames(stack, other), n_frames = 0;
    if (n == 0)
        return fail(making, "it is not known where one of the steps was done");
    groups_of(stack, groups, n);
    for (size_t i = 0; i < n; i++)
        n_frames += groups[i].n;
    for (size_t at = 0, i = 0; at < n_frames;) {
        const struct dlw_frame *frame = &stack->frames[at];
        bool is_same;
        if (!find_binary(making, frame, &is_same))
            return false;
        size_t covered = 0;
        while (is_same && i < n && groups[i].frames < frame)
            i++;
        if (is_same && i < n && groups[i].frames == frame) {
            struct ranges ranges = {.making = making, .module = binary_of(making, frame)};
            add(making, word);
            add_range(&ranges, frame->offset, frame->offset + 1, groups[i].n);
            add(making, "\n");
            covered = groups[i].n;
        } else {
            covered = add_rebuilt(making, word, frame, n_frames - at);
        }
        if (!covered)
            return false;
        at += covered;
    }
    return true;
}

/* The lock, where it is a variable of the same build. */
static void add_variable(struct making *making, const char *word, const struct dlw_doc_lock *lock)
{
    struct dlw_frame within = {.module = lock->module, .build_id = lock->build_id};
    if (!lock->module || dlw_doc_is_thread(lock))
        return;
    size_t index = binary_of(making, &within);
    if (is_same_build(&making->binaries[index]))
        add(making, dlw_region_print(making->region, "%s %zu+%llx\n", word, index + 1,
                                     (unsigned long long)lock->offset));
}

static bool add_role(struct making *making, const struct dlw_doc_step *step)
{
    add(making, dlw_region_print(making->region, "role %s %s %s %s\n", step->holds.lock->kind,
                                 dlw_mode_word(step->holds.mode), step->wants.lock->kind,
                                 dlw_mode_word(step->wants.mode)));
    add_variable(making, "holds", step->holds.lock);
    add_variable(making, "wants", step->wants.lock);
    return (dlw_confirm_has_no_first(step->holds.lock) ||
            add_place(making, "first", &step->holds.stack, &step->wants.stack)) &&
           add_place(making, "second", &step->wants.stack, &step->holds.stack);
}

struct dlw_plan dlw_plan_make(struct dlw_region *region, const struct dlw_confirm *confirm,
                              const struct dlw_doc_finding *finding)
{
    struct dlw_plan plan = {.modules = ""};
    struct making making = {.region = region, .confirm = confirm, .text = "", .plan = &plan};
    if (finding->n_cycle < 2 || finding->n_cycle > MOST_ROLES)
        plan.trouble = "it has too few steps, or too many";
    for (size_t i = 0; i < finding->n_cycle && !plan.trouble; i++)
        add_role(&making, &finding->cycle[i]);
    for (size_t i = 0; i < making.n_binaries; i++)
        plan.modules = dlw_region_print(
            region, "%smodule %zu %s %s\n", plan.modules, i + 1,
            making.binaries[i].found_id ? making.binaries[i].found_id : "-",
            making.binaries[i].path ? making.binaries[i].path : making.binaries[i].module);
    plan.cycle = dlw_region_print(region, "cycle %s\n%s", finding->fingerprint, making.text);
    return plan;
}

/* ---- tries ---- */

/* As long as the steps were apart when they were seen, and as much again. */
static long pause_of(const struct dlw_doc_finding *finding)
{
    enum { LEAST = 300, MOST = 10000, UNKNOWN = 1000 };
    double start = finding->process ? finding->process->start : 0;
    double apart = finding->time - start;
    if (finding->across_runs || start <= 0 || apart < 0 || apart > 3600)
        return UNKNOWN;
    double pause = LEAST + 2000 * apart;
    return pause > MOST ? MOST : (long)pause;
}

/* Which of so many arrivals at a place is the first that counts: mostly it is the last, when all
 * that begins has begun. */
static long skip_of(long round, uint64_t arrivals)
{
    static const int eighths[] = {8, 4, 6, 2, 7, 1, 5, 3};
    long skip = (long)(arrivals * (uint64_t)eighths[round % 8] / 8);
    return skip > 1 ? skip - 1 : 1;
}

/*
 * First every role pauses, as it is the likeliest; then each role leads alone, since another may
 * have to go on before that one can be reached; then what comes later at a place is what counts.
 * Round after round with other lengths. Every other try is with the finding's own locks only, where
 * they are variables: what else passes the same places costs nothing then.
 */
struct dlw_plan_try dlw_plan_try(const struct dlw_confirm *confirm,
                                 const struct dlw_doc_finding *finding, long n, uint64_t arrivals)
{
    static const int percent[] = {100, 40, 160, 15};
    long ways = (long)finding->n_cycle + 2, way = (n - 1) % ways, round = (n - 1) / ways;
    long pause = confirm->pause ? confirm->pause : pause_of(finding);
    struct dlw_plan_try how = {.pause = pause * percent[round % 4] / 100,
                               .is_strict = (way + round) % 2 == 0};
    if (how.pause < 1)
        how.pause = 1;
    if (way == ways - 1)
        how.skip = skip_of(round, arrivals);
    else
        how.leader = way;
    return how;
}

bool dlw_plan_write(const char *path, const struct dlw_plan *plan, const struct dlw_plan_try *how,
                    const char *progress)
{
    FILE *out = dlw_temporary_open(path);
    if (!out)
        return false;
    fprintf(out, "dlwatch-roles 1\nset pause %ld\nset leader %ld\nset skip %ld\nset strict %d\n",
            how->pause, how->leader, how->skip, how->is_strict);
    if (progress)
        fprintf(out, "set progress %s\n", progress);
    fprintf(out, "%s%s", plan->modules, plan->cycle);
    return dlw_temporary_close(out, true);
}
