/* What extensions written against Python's C API do with a mutex of their own and the GIL; for
 * extension.py. bound.cpp is the same with pybind11. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

static pthread_mutex_t table = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static atomic_bool meets, is_in, may_go;

static void meet(void)
{
    is_in = true;
    while (meets && !may_go)
        sched_yield();
}

/* From here on who comes first waits for the other. */
static PyObject *meet_from_here(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    meets = true;
    Py_RETURN_NONE;
}

static PyObject *await_other(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    Py_BEGIN_ALLOW_THREADS;
    while (meets && !is_in)
        sched_yield();
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

/* Takes the mutex without the GIL, and the GIL under the mutex. */
static PyObject *publish(PyObject *module, PyObject *callback)
{
    (void)module;
    PyThreadState *saved = PyEval_SaveThread();
    pthread_mutex_lock(&table); /* taken: publish */
    meet();
    PyEval_RestoreThread(saved); /* wanted: publish */
    PyObject *result = PyObject_CallObject(callback, NULL);
    pthread_mutex_unlock(&table);
    return result;
}

/* Takes the mutex with the GIL in hand. */
static PyObject *lookup(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    may_go = true;
    pthread_mutex_lock(&table); /* wanted: lookup */
    pthread_mutex_unlock(&table);
    Py_RETURN_NONE;
}

static PyObject *lookup_fixed(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    may_go = true;
    Py_BEGIN_ALLOW_THREADS;
    pthread_mutex_lock(&table);
    Py_END_ALLOW_THREADS;
    pthread_mutex_unlock(&table);
    Py_RETURN_NONE;
}

/* The initialiser drops the GIL, as one does that imports or reads a file, and takes it again. */
static void initialise(void)
{
    PyThreadState *saved = PyEval_SaveThread();
    meet();
    PyEval_RestoreThread(saved); /* wanted: once */
}

static PyObject *enter_once(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    pthread_once(&once, initialise); /* taken: once */
    Py_RETURN_NONE;
}

static PyObject *enter_once_later(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    may_go = true;
    pthread_once(&once, initialise);
    Py_RETURN_NONE;
}

static PyObject *enter_once_fixed(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    may_go = true;
    Py_BEGIN_ALLOW_THREADS;
    pthread_once(&once, initialise);
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"meet_from_here", meet_from_here, METH_NOARGS, NULL},
    {"await_other", await_other, METH_NOARGS, NULL},
    {"publish", publish, METH_O, NULL},
    {"lookup", lookup, METH_NOARGS, NULL},
    {"lookup_fixed", lookup_fixed, METH_NOARGS, NULL},
    {"enter_once", enter_once, METH_NOARGS, NULL},
    {"enter_once_later", enter_once_later, METH_NOARGS, NULL},
    {"enter_once_fixed", enter_once_fixed, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "capi", NULL, -1, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit_capi(void)
{
    return PyModule_Create(&definition);
}
