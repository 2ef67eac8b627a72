/*
 * The dining philosophers, for the cases that begin with dining_. Fork i lies between seat i and
 * seat i - 1. dinner() seats one thread each and ends when all have got up.
 */
#ifndef DLW_TESTS_DINING_H
#define DLW_TESTS_DINING_H

#include "case.h"

#include <semaphore.h>
#include <stdbool.h>

enum { SEATS = 5, ROUNDS = 20 };

static inline int left(int seat)
{
    return seat;
}

static inline int right(int seat)
{
    return (seat + 1) % SEATS;
}

struct guest {
    void (*dine)(int seat);
    int seat;
};

static inline void *be_guest(void *arg)
{
    static const char *const names[SEATS] = {"Anna", "Berta", "Clara", "Dora", "Emma"};
    struct guest *guest = (struct guest *)arg;
    pthread_setname_np(pthread_self(), names[guest->seat]);
    guest->dine(guest->seat);
    return NULL;
}

static inline void dinner(void (*dine)(int seat))
{
    static struct guest guests[SEATS];
    pthread_t threads[SEATS];
    name_main();
    for (int i = 0; i < SEATS; i++) {
        guests[i].dine = dine;
        guests[i].seat = i;
        if (pthread_create(&threads[i], NULL, be_guest, &guests[i]))
            exit(99);
    }
    for (int i = 0; i < SEATS; i++)
        JOIN(threads[i]);
}

/* All have come as far as this; it orders nothing for dlwatch. */
static inline void meet(void)
{
    step();
    await(SEATS);
}

#endif
