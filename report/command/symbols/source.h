/* Lines of the program's source. */
#ifndef DLW_COMMAND_SYMBOLS_SOURCE_H
#define DLW_COMMAND_SYMBOLS_SOURCE_H

#include "report/command/document/model.h"

/* The line of a source file, without its end, into `buffer`; false: not to be had. */
bool dlw_source_line(const struct dlw_frame *frame, const char *working_folder, char *buffer,
                     size_t size);

#endif
