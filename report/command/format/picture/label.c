/* Words that fit their node, in the font of whoever looks: widths are those of a wide sans-serif.
 */
#include "report/command/format/picture/picture.h"

#include <string.h>

#define LEAST_HALF 58.0
#define MOST_HALF 100.0
#define ROOM (2 * MOST_HALF - 20)
#define HALF_LINE 20.0
#define HALF_LINES 25.0

static size_t next(const char *text)
{
    size_t n = 1;
    while (((unsigned char)text[n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* Of a character at 13 px. */
static double advance(const char *text)
{
    unsigned char c = (unsigned char)*text;
    if (c >= 0xe1) /* beyond Latin, Greek and Cyrillic: may be a wide one */
        return 14;
    if (strchr("ijlI.,:;'|!()[] f", c) && c)
        return 5.2;
    if (strchr("mwMW@%&", c) && c)
        return 13;
    return c >= 'A' && c <= 'Z' ? 9.6 : 8.2;
}

static double width_of(const char *text, size_t n)
{
    double width = 0;
    for (size_t i = 0; i < n; i += next(text + i))
        width += advance(text + i);
    return width;
}

/* As much as fits, ending where a name has a joint if there is one in its second half. */
static size_t break_at(const char *text)
{
    double width = 0;
    size_t n = 0, joint = 0;
    while (text[n] && width + advance(text + n) <= ROOM) {
        width += advance(text + n);
        n += next(text + n);
        if (strchr(" ->.:_/(,", text[n - 1]) && width > ROOM / 2)
            joint = n;
    }
    return text[n] && joint ? joint : n;
}

static const char *cut(struct dlw_region *region, const char *text)
{
    static const char dots[] = "\xe2\x80\xa6";
    double width = advance(dots);
    size_t n = 0;
    if (width_of(text, strlen(text)) <= ROOM)
        return text;
    while (text[n] && width + advance(text + n) <= ROOM) {
        width += advance(text + n);
        n += next(text + n);
    }
    return dlw_region_print(region, "%.*s%s", (int)n, text, dots);
}

void dlw_picture_label(struct dlw_region *region, struct dlw_picture_node *node)
{
    const char *text = node->title + (strncmp(node->title, "the ", 4) == 0 ? 4 : 0);
    size_t n = break_at(text), rest = n;
    double width = width_of(text, n);
    node->lines[0] = dlw_region_cut(region, text, n);
    while (text[rest] == ' ')
        rest++;
    if (text[rest]) {
        node->lines[1] = cut(region, text + rest);
        double second = width_of(node->lines[1], strlen(node->lines[1]));
        width = second > width ? second : width;
    }
    node->half_width = width / 2 + 10 < LEAST_HALF ? LEAST_HALF : width / 2 + 10;
    node->half_height = node->lines[1] ? HALF_LINES : HALF_LINE;
}
