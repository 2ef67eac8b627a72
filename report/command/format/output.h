/* Writes a document to standard output or a file, in a format by name. */
#ifndef DLW_COMMAND_FORMAT_OUTPUT_H
#define DLW_COMMAND_FORMAT_OUTPUT_H

#include "report/command/document/model.h"

/* `path` NULL: standard output. False after a message. A file appears whole or not at all. */
bool dlw_output_write(struct dlw_doc *doc, const char *format, const char *path,
                      enum dlw_color color, bool live);

#endif
