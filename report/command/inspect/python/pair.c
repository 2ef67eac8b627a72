/*
 * Which native frames ran which Python frames. CPython leaves a mark on the C stack in each call of
 * its evaluation function (from 3.10), and the native frame that holds it is found by its bounds:
 * names don't tell, since compilers move parts of that function out of it. 3.9 leaves none; there
 * each call is one Python frame, and the exported name must do.
 */
#include "report/command/inspect/python/python.h"

#include "report/command/inspect/target/modules.h"
#include "report/command/inspect/target/sections.h"

#include <string.h>

/* The interpreter itself, its program of one call, its own extensions and how ctypes calls. */
static bool is_interpreter(const struct dlw_python_seen *seen, const struct dlw_target *target,
                           const struct dlw_place *place)
{
    Dwfl_Module *module = dlw_sections_module(target->dwfl, place->pc - place->is_return);
    const char *path = module ? dlw_modules_path(target, place->pc - place->is_return) : NULL;
    if (module == seen->module)
        return true;
    return path && (strstr(path, "/lib-dynload/") ||
                    !strncmp(dlw_modules_base_name(path), "python3", strlen("python3")) ||
                    !strncmp(dlw_modules_base_name(path), "libffi.so", strlen("libffi.so")));
}

static bool is_named_evaluation(const struct dlw_target *target, const struct dlw_place *place)
{
    static const char name[] = "_PyEval_EvalFrameDefault";
    uint64_t pc = place->pc - place->is_return;
    Dwfl_Module *module = dlw_sections_module(target->dwfl, pc);
    GElf_Off offset;
    GElf_Sym symbol;
    const char *function =
        module ? dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL) : NULL;
    return function && !strncmp(function, name, sizeof name - 1);
}

static bool is_within(const struct dlw_seen_thread *thread, size_t i, uint64_t anchor)
{
    return thread->places[i].sp && i + 1 < thread->n_places && anchor >= thread->places[i].sp &&
           anchor < thread->places[i + 1].sp;
}

/* How many of the lines from `next` on were run in that native frame. */
static uint32_t count(const struct dlw_target *target, const struct dlw_seen_thread *thread,
                      size_t i, size_t next)
{
    uint32_t n = 0;
    if (next < thread->n_lines && !thread->lines[next].anchor)
        return is_named_evaluation(target, &thread->places[i]);
    while (next + n < thread->n_lines && is_within(thread, i, thread->lines[next + n].anchor))
        n++;
    return n;
}

void dlw_python_pair(const struct dlw_python_seen *seen, const struct dlw_target *target,
                     struct dlw_seen_thread *thread)
{
    size_t next = 0;
    for (size_t i = 0; i < thread->n_places; i++) {
        struct dlw_place *place = &thread->places[i];
        place->is_folded = thread->n_lines && is_interpreter(seen, target, place);
        place->n_lines = count(target, thread, i, next);
        next += place->n_lines;
    }
}
