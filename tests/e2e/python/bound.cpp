/* What extensions bound with pybind11 do with C++'s locks and the GIL; for extension.py. capi.c is
 * the same against the C API alone. */
#include <atomic>
#include <mutex>
#include <pybind11/pybind11.h>
#include <thread>

namespace py = pybind11;

static std::mutex table;
static std::once_flag once;
static std::atomic<bool> meets, is_in, may_go;

static void meet()
{
    is_in = true;
    while (meets && !may_go)
        std::this_thread::yield();
}

static void await_other()
{
    py::gil_scoped_release without;
    while (meets && !is_in)
        std::this_thread::yield();
}

static void publish(const py::function &callback)
{
    py::gil_scoped_release without;
    std::lock_guard<std::mutex> guard(table); // taken: publish
    meet();
    py::gil_scoped_acquire with; // wanted: publish
    callback();
}

static void lookup()
{
    may_go = true;
    std::lock_guard<std::mutex> guard(table); // wanted: lookup
}

static void lookup_fixed()
{
    may_go = true;
    py::gil_scoped_release without;
    std::lock_guard<std::mutex> guard(table);
}

// The initialisers drop the GIL, as one does that imports or reads a file, and take it again.
static int initialise()
{
    py::gil_scoped_release without;
    meet();
    return 1;
}

static int call_static()
{
    static int value = initialise(); // taken: static
    return value;
}

static int call_static_later()
{
    may_go = true;
    return call_static();
}

static int call_static_fixed()
{
    may_go = true;
    py::gil_scoped_release without;
    return call_static();
}

static void enter_once()
{
    std::call_once(once, initialise); // taken: once
}

static void enter_once_later()
{
    may_go = true;
    enter_once();
}

static void enter_once_fixed()
{
    may_go = true;
    py::gil_scoped_release without;
    enter_once();
}

// Has the GIL for a moment in the initialiser and is at its end when the other comes.
static int initialise_for_a_moment()
{
    {
        py::gil_scoped_acquire with;
    }
    meet();
    return 1;
}

static int early_value()
{
    static int value = initialise_for_a_moment();
    return value;
}

static int call_early()
{
    py::gil_scoped_release without;
    return early_value();
}

static int call_early_later()
{
    may_go = true;
    return early_value();
}

PYBIND11_MODULE(bound, m)
{
    m.def("meet_from_here", [] { meets = true; });
    m.def("await_other", await_other);
    m.def("publish", publish);
    m.def("lookup", lookup);
    m.def("lookup_fixed", lookup_fixed);
    m.def("call_static", call_static);
    m.def("call_static_later", call_static_later);
    m.def("call_static_fixed", call_static_fixed);
    m.def("enter_once", enter_once);
    m.def("enter_once_later", enter_once_later);
    m.def("enter_once_fixed", enter_once_fixed);
    m.def("call_early", call_early);
    m.def("call_early_later", call_early_later);
}
