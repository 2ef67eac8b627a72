// A C++ plugin of a C program, with its C++ library linked into it: a static that asks for itself
// while it is made. As long as the process has one thread that is an exception, which nobody
// catches.
extern "C" int plugin_again(void);

static int value();

struct Again {
    int inner;
    Again() : inner(value())
    {
    }
};

static int value()
{
    static Again one;
    return one.inner;
}

extern "C" int plugin_again(void)
{
    return value();
}
