/* Programs that the command starts for itself: Graphviz, what unpacks a core. */
#ifndef DLW_COMMAND_BASE_HELPER_H
#define DLW_COMMAND_BASE_HELPER_H

/* Our environment without what makes dlwatch watch a program: nobody asked for these. Lasts; NULL
 * at its end. */
char **dlw_helper_environment(void);

#endif
