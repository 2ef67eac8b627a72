/* The contract's words for kinds, modes, severities and waits. */
#include "report/command/document/model.h"

#include <string.h>

static const char *const kinds[] = {
    [DLW_DEADLOCK] = "deadlock",
    [DLW_STALL] = "stall",
    [DLW_LOCK_ORDER_INVERSION] = "lock-order-inversion",
    [DLW_UNLOCK_NOT_OWNER] = "unlock-not-owner",
    [DLW_DESTROY_LOCKED] = "destroy-locked",
    [DLW_WAIT_WITHOUT_MUTEX] = "wait-without-mutex",
    [DLW_EXIT_HOLDING_LOCK] = "exit-holding-lock",
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == DLW_N_KINDS, "a word for each kind");

static const char *const waits[] = {
    [DLW_WAIT_NONE] = "",
    [DLW_WAIT_LOCK] = "lock",
    [DLW_WAIT_CONDITION] = "condition",
    [DLW_WAIT_SEMAPHORE] = "semaphore",
    [DLW_WAIT_JOIN] = "join",
    [DLW_WAIT_BARRIER] = "barrier",
    [DLW_WAIT_ONCE] = "once",
    [DLW_WAIT_GUARD] = "guard",
    [DLW_WAIT_SPIN] = "spin",
    [DLW_WAIT_FILE] = "file",
    [DLW_WAIT_SYSCALL] = "syscall",
};

static int find(const char *const *words, size_t n, const char *word)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

const char *dlw_kind_word(enum dlw_kind kind)
{
    return kinds[kind];
}

int dlw_kind_find(const char *word)
{
    return find(kinds, DLW_N_KINDS, word);
}

const char *dlw_wait_word(enum dlw_wait_kind kind)
{
    return waits[kind];
}

int dlw_wait_find(const char *word)
{
    return *word ? find(waits, sizeof(waits) / sizeof(waits[0]), word) : -1;
}

const char *dlw_mode_word(enum dlw_mode mode)
{
    return mode == DLW_SHARED ? "shared" : "exclusive";
}

const char *dlw_severity_word(enum dlw_severity severity)
{
    static const char *const words[] = {"error", "warning", "note"};
    return words[severity];
}
