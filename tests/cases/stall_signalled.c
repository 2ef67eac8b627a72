// options: stall_after=0
// Turns that are handed on need no watch, until one is not taken up: the second waits again for
// what never comes, and so does the first, which has signalled it under its mutex just before.
#include "case.h"
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t first_turn = PTHREAD_COND_INITIALIZER;
static pthread_cond_t second_turn = PTHREAD_COND_INITIALIZER;
static int turn;

static void first(void)
{
    LOCK(m);
    for (int i = 0; i < 100; i++) {
        turn = 1;
        pthread_cond_signal(&second_turn);
        while (turn != 0)
            pthread_cond_wait(&first_turn, &m);
    }
    turn = 2;
    pthread_cond_signal(&second_turn);
    for (;;)
        pthread_cond_wait(&first_turn, &m);
}

static void second(void)
{
    LOCK(m);
    for (;;) {
        while (turn != 1)
            pthread_cond_wait(&second_turn, &m);
        turn = 0;
        pthread_cond_signal(&first_turn);
    }
}

int main(void)
{
    pthread_t f = spawn("first", first), s = spawn("second", second);
    JOIN(f);
    JOIN(s);
    return 0;
}
