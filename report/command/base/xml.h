/* Text for XML and HTML. */
#ifndef DLW_COMMAND_BASE_XML_H
#define DLW_COMMAND_BASE_XML_H

#include <stdio.h>

/* Escapes markup; what XML can't hold at all becomes U+FFFD. Safe in attributes too. */
void dlw_xml_text(FILE *out, const char *text);

#endif
