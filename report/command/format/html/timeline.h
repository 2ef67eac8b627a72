/* The time line of a finding as the page draws it. */
#ifndef DLW_COMMAND_FORMAT_HTML_TIMELINE_H
#define DLW_COMMAND_FORMAT_HTML_TIMELINE_H

#include "report/command/document/model.h"

#include <stdio.h>

/* Of a finding with trails. Titles of bars tell places relative to `folder`, as of dlw_frame_path.
 */
void dlw_html_timeline(FILE *out, struct dlw_region *region, const struct dlw_doc_finding *finding,
                       const char *folder);

#endif
