/* For cases/glib_closed_plugin.c: calls GLib, and leaves it to others to bring it. */
#include "glib.h"

static GMutex mutex;

void unlinked_lock(void)
{
    g_mutex_lock(&mutex);
    g_mutex_unlock(&mutex);
}
