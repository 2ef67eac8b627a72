#include "report/command/inspect/glibc/entry.h"

#include "report/command/inspect/glibc/runtime.h"
#include "report/command/inspect/target/instructions.h"
#include "report/command/inspect/target/sections.h"

#include <string.h>

enum { DEEPEST = 8 }; /* the library's own frames between the call and the wait */

static const struct {
    const char *start;
    enum dlw_entry entry;
} names[] = {
    {"pthread_mutex_lock", DLW_ENTRY_MUTEX},
    {"pthread_mutex_timedlock", DLW_ENTRY_MUTEX},
    {"pthread_mutex_clocklock", DLW_ENTRY_MUTEX},
    {"pthread_mutex_cond_lock", DLW_ENTRY_MUTEX},
    {"mtx_lock", DLW_ENTRY_MUTEX},
    {"mtx_timedlock", DLW_ENTRY_MUTEX},
    {"pthread_cond_wait", DLW_ENTRY_CONDITION},
    {"pthread_cond_timedwait", DLW_ENTRY_CONDITION},
    {"pthread_cond_clockwait", DLW_ENTRY_CONDITION},
    {"cnd_wait", DLW_ENTRY_CONDITION},
    {"cnd_timedwait", DLW_ENTRY_CONDITION},
    {"pthread_rwlock_rdlock", DLW_ENTRY_READ},
    {"pthread_rwlock_timedrdlock", DLW_ENTRY_READ},
    {"pthread_rwlock_clockrdlock", DLW_ENTRY_READ},
    {"pthread_rwlock_wrlock", DLW_ENTRY_WRITE},
    {"pthread_rwlock_timedwrlock", DLW_ENTRY_WRITE},
    {"pthread_rwlock_clockwrlock", DLW_ENTRY_WRITE},
    {"sem_wait", DLW_ENTRY_SEMAPHORE},
    {"sem_timedwait", DLW_ENTRY_SEMAPHORE},
    {"sem_clockwait", DLW_ENTRY_SEMAPHORE},
    {"new_sem_wait", DLW_ENTRY_SEMAPHORE},
    {"pthread_barrier_wait", DLW_ENTRY_BARRIER},
    {"pthread_once", DLW_ENTRY_ONCE},
    {"call_once", DLW_ENTRY_ONCE},
    {"pthread_join", DLW_ENTRY_JOIN},
    {"pthread_timedjoin", DLW_ENTRY_JOIN},
    {"pthread_clockjoin", DLW_ENTRY_JOIN},
    {"thrd_join", DLW_ENTRY_JOIN},
    {"pthread_spin_lock", DLW_ENTRY_SPIN},
    {"cxa_guard_acquire", DLW_ENTRY_GUARD},
    {"pthread_cond_destroy", DLW_ENTRY_DESTROY_CONDITION},
    {"cnd_destroy", DLW_ENTRY_DESTROY_CONDITION},
    {"pthread_barrier_destroy", DLW_ENTRY_DESTROY_BARRIER},
    {"syscall", DLW_ENTRY_OTHER},
};

enum dlw_entry dlw_entry_of_name(const char *function)
{
    function += strspn(function, "_");
    if (!strncmp(function, "GI_", 3))
        function += 3;
    function += strspn(function, "_");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i].start);
        if (strncmp(function, names[i].start, length))
            continue;
        /* "syscall" must not catch every name that begins so. */
        if (names[i].entry == DLW_ENTRY_OTHER && function[length])
            continue;
        return names[i].entry;
    }
    return DLW_ENTRY_UNKNOWN;
}

static const char *name_at(const struct dlw_target *target, uint64_t pc)
{
    Dwfl_Module *module = dlw_sections_module(target->dwfl, pc);
    GElf_Off offset;
    GElf_Sym symbol;
    return module ? dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL) : NULL;
}

const char *dlw_entry_function(const struct dlw_target *target, const struct dlw_place *place)
{
    return name_at(target, place->pc - place->is_return);
}

static enum dlw_entry entry_of_call(struct dlw_target *target, const struct dlw_place *place)
{
    uint64_t function = place->is_return ? dlw_called_function(target, place->pc) : 0;
    const char *name = function ? name_at(target, function) : NULL;
    return name ? dlw_entry_of_name(name) : DLW_ENTRY_UNKNOWN;
}

enum dlw_entry dlw_entry_find(struct dlw_target *target, const struct dlw_seen_thread *thread)
{
    enum dlw_entry best = DLW_ENTRY_UNKNOWN;
    for (size_t i = 0; i < thread->n_places && i < DEEPEST; i++) {
        const struct dlw_place *place = &thread->places[i];
        if (!dlw_runtime_is_library(target, place->pc - place->is_return)) {
            enum dlw_entry entry = i ? entry_of_call(target, place) : DLW_ENTRY_OTHER;
            return entry == DLW_ENTRY_UNKNOWN ? best : entry;
        }
        const char *name = dlw_entry_function(target, place);
        enum dlw_entry entry = name ? dlw_entry_of_name(name) : DLW_ENTRY_UNKNOWN;
        /* `syscall` is how libstdc++ waits for a guard: what called it may tell more. */
        if (entry != DLW_ENTRY_UNKNOWN && entry != DLW_ENTRY_OTHER)
            return entry;
        if (entry == DLW_ENTRY_OTHER)
            best = entry;
    }
    return best;
}
