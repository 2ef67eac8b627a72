/*
 * A thread's trail: the last things that it took, asked for, gave back and tried in vain, in order,
 * for a finding's time line. The thread writes it as it goes, the library reads it when something
 * is found.
 *
 * A taking is one entry of two words. To give back in the reverse order costs nothing: each entry
 * says how many locks were held before it, and so which of the earlier ones were gone by then. Only
 * what is given back in another order has an entry of its own. No clock is read but where the
 * thread waits: such times stand in a ring of their own.
 *
 * The entries are numbered from 1, number n in slot n mod DLW_TRAIL_ENTRIES. A number is given away
 * before its entry is written, so that a signal handler that comes in between has another. Who
 * reads the trail of a thread that runs takes the number, the entries, and the number again, and
 * believes what was complete at the first and not written over at the second
 * (dlw_trail_copy_entries).
 */
#ifndef DLW_EMIT_TRAIL_H
#define DLW_EMIT_TRAIL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    DLW_TRAIL_ENTRIES = 32, /* a power of two */
    DLW_TRAIL_WAITS = 16,
    DLW_TRAIL_TOLD = 32, /* events of a thread in a report */
};

enum dlw_trail_what {
    DLW_TRAIL_TOOK, /* 0: with that a plain mutex is its address alone */
    DLW_TRAIL_TOOK_BY_TRY,
    DLW_TRAIL_GAVE,
    DLW_TRAIL_ASKED,    /* it was to wait */
    DLW_TRAIL_TRIED,    /* in vain */
    DLW_TRAIL_CONFUSED, /* entries were lost: what is held is not known from here on */
};

/* `subject`: the address in the low 48 bits, above it kind (8 bits, enum dlw_lock_kind), shared
 * (1), what (3), and of ASKED the kind of wait (4, enum dlw_wait_kind). `place`: the return
 * address, 0: not known, in the low 48 bits, above it how many locks were held before; of a taking
 * how many are held with it, 0 for the only one. */
struct dlw_trail_entry {
    _Atomic uint64_t subject, place;
};
enum { DLW_TRAIL_KIND = 48, DLW_TRAIL_SHARED = 56, DLW_TRAIL_WHAT = 57, DLW_TRAIL_WAIT = 60 };
#define DLW_TRAIL_ADDRESS (((uint64_t)1 << 48) - 1)

/* ns of CLOCK_MONOTONIC. */
struct dlw_trail_wait {
    _Atomic uint64_t number;       /* of the entry that asked; 0: none */
    _Atomic uint64_t began, ended; /* ended 0: it lasts, or was left without a return */
};

/* A copy of it. */
struct dlw_trail {
    uint64_t first, last; /* the numbers of the entries that are there; last < first: none */
    struct {
        uint64_t subject, place;
    } entries[DLW_TRAIL_ENTRIES];
    struct {
        uint64_t number, began, ended;
    } waits[DLW_TRAIL_WAITS];
    uint32_t held;      /* how many locks the thread holds now... */
    bool held_is_known; /* ...where it stands still */
};

struct dlw_trail_event {
    uint8_t what;  /* enum dlw_trail_what; never CONFUSED */
    uint8_t kind;  /* enum dlw_lock_kind */
    uint8_t waits; /* of ASKED: enum dlw_wait_kind */
    bool is_shared;
    uint64_t lock;         /* its address */
    uint64_t place;        /* a return address; 0: not known, as of all that is given back */
    uint64_t began, ended; /* of ASKED, ns of CLOCK_MONOTONIC; 0: not known; the wait lasts */
};

/* "took", "asked", … as the journal and reports say it; and back, -1 for a word that is none. */
const char *dlw_trail_word(enum dlw_trail_what what);
int dlw_trail_find(const char *word);

/* What happened, oldest first: at most DLW_TRAIL_TOLD, the last ones. Sets *is_cut where there was
 * more. Returns how many. */
uint32_t dlw_trail_tell(const struct dlw_trail *trail, struct dlw_trail_event *out, bool *is_cut);

#endif
