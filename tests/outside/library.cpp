// Waits on futexes of libraries, which only the names of functions tell apart. Prints "ready PID".
//
//   library future        a thread waits for a std::future, which is set when input ends
//   library qt            a thread waits for a lock as Qt makes them (Qt itself is not needed)
//   library qt-abba       two threads, two such locks, each holds one and asks for the other
//   library half          main waits for a future with a mutex in hand that its keeper asks for
#include <atomic>
#include <cstdio>
#include <cstring>
#include <future>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

// 0 free, 1 held: enough for locks that are waited for, and given back once.
class QBasicMutex
{
  public:
    void lock()
    {
        int free = 0;
        if (!word.compare_exchange_strong(free, 1))
            lockInternal();
    }
    void unlock()
    {
        word = 0;
        syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
    }

  private:
    __attribute__((noinline)) void lockInternal()
    {
        int free = 0;
        while (!word.compare_exchange_strong(free, 1)) {
            free = 0;
            syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
        }
    }
    std::atomic<int> word{0};
};

static QBasicMutex first, second;
static std::promise<int> promise;
static pthread_barrier_t both;

static void *wait_for_future(void *)
{
    promise.get_future().wait();
    return nullptr;
}

static void *wait_for_lock(void *)
{
    first.lock();
    first.unlock();
    return nullptr;
}

static void *cross(void *is_other)
{
    QBasicMutex &own = is_other ? second : first, &next = is_other ? first : second;
    own.lock();
    pthread_barrier_wait(&both);
    next.lock();
    return nullptr;
}

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER;

static void *keep_promise(void *)
{
    pthread_mutex_lock(&ledger);
    promise.set_value(1);
    return nullptr;
}

static void wait_with_ledger()
{
    pthread_t auditor;
    pthread_mutex_lock(&ledger);
    pthread_create(&auditor, nullptr, keep_promise, nullptr);
    pthread_setname_np(auditor, "auditor");
    std::printf("ready %d\n", (int)getpid());
    std::fflush(stdout);
    promise.get_future().wait();
}

static void wait_until_let_go()
{
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

int main(int argc, char **argv)
{
    const char *way = argc > 1 ? argv[1] : "future";
    bool is_abba = !std::strcmp(way, "qt-abba"), is_qt = !std::strcmp(way, "qt");
    pthread_t threads[2];
    pthread_barrier_init(&both, nullptr, 2);
    if (!std::strcmp(way, "half"))
        wait_with_ledger();
    if (is_qt)
        first.lock();
    pthread_create(&threads[0], nullptr,
                   is_abba ? cross
                   : is_qt ? wait_for_lock
                           : wait_for_future,
                   nullptr);
    if (is_abba)
        pthread_create(&threads[1], nullptr, cross, &threads);
    std::printf("ready %d\n", (int)getpid());
    std::fflush(stdout);
    if (!is_abba)
        wait_until_let_go();
    if (is_qt)
        first.unlock();
    else if (!is_abba)
        promise.set_value(1);
    pthread_join(threads[0], nullptr);
    if (is_abba)
        pthread_join(threads[1], nullptr);
    std::puts("done");
    return 0;
}
