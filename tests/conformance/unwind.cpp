/* Exceptions, longjmp, cancellation and pthread_exit through locks; destructors run as ever. */
#include "tell.h"
#include <condition_variable>
#include <csetjmp>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

static std::mutex m, n;
static std::condition_variable condition;
static std::once_flag flag;
static pthread_once_t c_once = PTHREAD_ONCE_INIT;
static jmp_buf back;
/* Before, pthread_once() waits for ever after an exception (glibc bug 18435). */
static const bool once_may_throw = __GLIBC_PREREQ(2, 34);

struct Witness {
    const char *name;
    ~Witness()
    {
        say("destructor of %s", name);
    }
};

static void thrower(int depth)
{
    std::lock_guard<std::mutex> lock(depth ? n : m);
    Witness witness{"thrower"};
    if (depth)
        throw std::runtime_error("from below");
    thrower(depth + 1);
}

static void exceptions()
{
    try {
        thrower(0);
    } catch (const std::runtime_error &e) {
        say("caught %s", e.what());
    }
    say("m is free: %d", m.try_lock());
    m.unlock();
    try {
        m.lock();
        std::unique_lock<std::mutex> deferred(n, std::defer_lock);
        deferred.unlock();
    } catch (const std::system_error &e) {
        say("caught %s", e.code().message().c_str());
        m.unlock();
    }
}

static int attempts;

static void call_once()
{
    for (int i = 0; i < 3; i++) {
        try {
            std::call_once(flag, [] {
                say("attempt %d", attempts);
                if (attempts++ == 0)
                    throw 5;
            });
        } catch (int number) {
            say("caught %d", number);
        }
    }
}

struct Slow {
    Slow()
    {
        say("constructing");
        if (attempts++ < 3)
            throw 6;
    }
};

static void static_guard()
{
    for (int i = 0; i < 3; i++) {
        try {
            static Slow slow;
            say("constructed");
        } catch (int number) {
            say("caught %d", number);
        }
    }
}

static void throw_out_of_once()
{
    say("c once");
    if (attempts++ < 5)
        throw 7;
}

static void c_once_exception()
{
    for (int i = 0; i < 2; i++) {
        try {
            say("pthread_once %d", pthread_once(&c_once, throw_out_of_once));
        } catch (int number) {
            say("caught %d", number);
        }
    }
}

static void use_stack()
{
    volatile char bytes[8192];
    for (char &byte : reinterpret_cast<char(&)[8192]>(const_cast<char &>(bytes[0])))
        byte = 0x5a;
}

/* A thread that ends after an exception has left a once-routine: nothing of that call may be left.
 */
static void ends_after_exception()
{
    Witness witness{"the end after an exception"};
    pthread_once_t once = PTHREAD_ONCE_INIT;
    attempts = 0;
    try {
        pthread_once(&once, throw_out_of_once);
    } catch (int number) {
        say("caught %d", number);
    }
    use_stack();
    pthread_exit(nullptr);
}

static void jump()
{
    static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;
    if (setjmp(back) == 0) {
        LOCK(held);
        longjmp(back, 1);
    }
    TELL(pthread_mutex_trylock(&held));
    TELL(pthread_mutex_unlock(&held));
}

static void cancelled_wait()
{
    Witness witness{"a cancelled wait"};
    std::unique_lock<std::mutex> lock(m);
    step();
    condition.wait(lock, [] { return false; });
}

static void leave()
{
    Witness witness{"pthread_exit"};
    std::lock_guard<std::mutex> lock(m);
    pthread_exit(nullptr);
}

static void thread_ends()
{
    pthread_t t = spawn("cancelled", cancelled_wait);
    await(1);
    pthread_cancel(t);
    TELL(pthread_join(t, nullptr));
    t = spawn("leaving", leave);
    TELL(pthread_join(t, nullptr));
    if (once_may_throw) {
        t = spawn("after once", ends_after_exception);
        TELL(pthread_join(t, nullptr));
    }
    say("m is free: %d", m.try_lock());
    m.unlock();
}

int main()
{
    exceptions();
    if (once_may_throw)
        call_once();
    static_guard();
    if (once_may_throw)
        c_once_exception();
    jump();
    thread_ends();
    std::thread([] { say("a thread"); }).join();
    return 0;
}
