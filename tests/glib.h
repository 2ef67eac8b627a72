/* What the cases use of GLib, as its headers have it; tests/cases/lib/libglib-2.0.c behaves as the
 * real one does. */
#ifndef DLW_TESTS_GLIB_H
#define DLW_TESTS_GLIB_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned i[2];
} GMutex;
typedef struct {
    void *p;
    unsigned i[2];
} GCond;
typedef struct {
    void *p;
    unsigned i[2];
} GRecMutex;
typedef GRecMutex GRWLock;
void g_mutex_init(GMutex *mutex);
void g_mutex_clear(GMutex *mutex);
void g_mutex_lock(GMutex *mutex);
int g_mutex_trylock(GMutex *mutex);
void g_mutex_unlock(GMutex *mutex);
void g_cond_wait(GCond *cond, GMutex *mutex);
void g_cond_signal(GCond *cond);
void g_rec_mutex_lock(GRecMutex *mutex);
int g_rec_mutex_trylock(GRecMutex *mutex);
void g_rec_mutex_unlock(GRecMutex *mutex);
void g_rw_lock_writer_lock(GRWLock *lock);
int g_rw_lock_writer_trylock(GRWLock *lock);
void g_rw_lock_writer_unlock(GRWLock *lock);
void g_rw_lock_reader_lock(GRWLock *lock);
void g_rw_lock_reader_unlock(GRWLock *lock);
int g_once_init_enter(volatile void *location);
void g_once_init_leave(volatile void *location, size_t result);

#endif
