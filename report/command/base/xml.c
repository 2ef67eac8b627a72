#include "report/command/base/xml.h"

static const char *escape_of(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    case '\n':
        return "&#10;";
    default:
        return c < 0x20 && c != '\t' ? "\xef\xbf\xbd" : NULL;
    }
}

void dlw_xml_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        const char *escape = escape_of((unsigned char)*text);
        if (escape)
            fputs(escape, out);
        else
            fputc(*text, out);
    }
}
