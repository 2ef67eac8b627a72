// A C++ plugin of a C program. Built twice: as static_cxx.so with its C++ library linked into it,
// and as shared_cxx.so with the shared one. Its constructor starts a thread and waits for it, which
// meets the first function-local static of the process while the loader's lock is held.
#include <pthread.h>
#include <sched.h>
#include <stdexcept>
#include <string>

extern "C" int plugin_size(void);
extern "C" int plugin_tries(void);
extern "C" int plugin_meet(void);

struct Text {
    std::string text;
    explicit Text(const char *from) : text(from)
    {
    }
};

static void *first_static(void *)
{
    static Text one("a text that lies on the heap");
    return nullptr;
}

static struct Starter {
    Starter()
    {
        pthread_t thread;
        pthread_create(&thread, nullptr, first_static, nullptr);
        pthread_join(thread, nullptr);
    }
} starter;

extern "C" int plugin_size(void)
{
    static Text one("hello");
    return (int)one.text.size();
}

struct Fails {
    explicit Fails(int times)
    {
        if (times < 3)
            throw std::runtime_error("not yet");
    }
};

// How often a static had to be tried whose constructor throws.
extern "C" int plugin_tries(void)
{
    for (int times = 1;; times++) {
        try {
            static Fails one(times);
            return times;
        } catch (const std::exception &) {
        }
    }
}

static int arrived, made;

struct Slow {
    Slow()
    {
        __atomic_fetch_add(&made, 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 4)
            sched_yield();
        for (int i = 0; i < 1000; i++)
            sched_yield();
    }
};

static void *meet(void *)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    static Slow one;
    return nullptr;
}

// Four threads want one static; how often it was made.
extern "C" int plugin_meet(void)
{
    pthread_t threads[4];

    for (pthread_t &thread : threads)
        pthread_create(&thread, nullptr, meet, nullptr);
    for (pthread_t &thread : threads)
        pthread_join(thread, nullptr);
    return made;
}
