/*
 * Three threads with guards of the C++ library, which take their own account and then the next one,
 * some ms apart; all begin at once.
 *
 * avoid_guards mutex|shared
 */
#include <array>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <shared_mutex>
#include <thread>
#include <unistd.h>

static const int LENGTH = 3, ROUNDS = 3;

struct account {
    std::mutex mutex;
    std::shared_mutex shared;
    int n = 0;
};

static std::array<account, LENGTH> accounts;
static pthread_barrier_t start;

static void by_mutex(account &from, account &to)
{
    std::lock_guard<std::mutex> one(from.mutex);
    usleep(3000);
    std::unique_lock<std::mutex> other(to.mutex);
    to.n += ROUNDS;
}

static void by_shared(account &from, account &to)
{
    std::shared_lock<std::shared_mutex> one(from.shared);
    usleep(3000);
    std::unique_lock<std::shared_mutex> other(to.shared);
    to.n += ROUNDS;
}

int main(int argc, char **argv)
{
    bool is_shared = argc > 1 && strcmp(argv[1], "shared") == 0;
    std::array<std::thread, LENGTH> threads;

    pthread_barrier_init(&start, nullptr, LENGTH);
    for (int i = 0; i < LENGTH; i++)
        threads[i] = std::thread([i, is_shared] {
            for (int round = 0; round < ROUNDS; round++) {
                pthread_barrier_wait(&start);
                (is_shared ? by_shared : by_mutex)(accounts[i], accounts[(i + 1) % LENGTH]);
            }
        });
    for (std::thread &thread : threads)
        thread.join();
    printf("%d %d %d\n", accounts[0].n, accounts[1].n, accounts[2].n);
    return 0;
}
