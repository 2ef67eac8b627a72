// A C++ library with its C++ library linked into it, for a C program.
extern "C" int guard_twice(void);

struct Again {
    int value;
    Again();
};

static int value()
{
    static Again one;
    return one.value;
}

Again::Again() : value(::value())
{
}

int guard_twice(void)
{
    return value();
}
