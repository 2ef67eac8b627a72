/* For cases/glib_plugin.c: brings GLib along. */
#include "glib.h"
GMutex plugin_a, plugin_b;

void plugin_forward(void)
{
    g_mutex_lock(&plugin_a);
    g_mutex_lock(&plugin_b);
    g_mutex_unlock(&plugin_b);
    g_mutex_unlock(&plugin_a);
}

void plugin_backward(void)
{
    g_mutex_lock(&plugin_b);
    g_mutex_lock(&plugin_a);
    g_mutex_unlock(&plugin_a);
    g_mutex_unlock(&plugin_b);
}
