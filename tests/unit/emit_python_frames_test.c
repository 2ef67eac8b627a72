/* Python's frames and line tables, read from memory that is made up here. */
#include "report/emit/python/frames.h"
#include "report/emit/python/lines.h"

#include <check.h>
#include <string.h>

Suite *emit_python_frames_suite(void);

enum { END = -1 };

/* What an interpreter of that release says of its own table: where each line begins, 0 for none.
 *
 *  1 def f(a,
 *  2       b):
 *  3     x = [i
 *  4          for i in a
 *  5          if i]
 *  6     for y in x:
 *  7         try:
 *  8             b(y,
 *  9               a)
 * 10         finally:
 * 11             pass
 * 12     return (b(a)
 * 13             + x[0])
 */
struct range {
    int from, line;
};
static const unsigned char lnotab[] = {0x00, 0x02, 0x06, 0x01, 0x02, 0xff, 0x06, 0x03,
                                       0x08, 0x01, 0x02, 0x01, 0x04, 0x01, 0x02, 0xff,
                                       0x06, 0x03, 0x06, 0x01, 0x06, 0x01, 0x06, 0xff};
static const struct range lnotab_ranges[] = {{0, 3},   {6, 4},   {8, 3},   {14, 6},  {22, 7},
                                             {24, 8},  {28, 9},  {30, 8},  {36, 11}, {42, 12},
                                             {48, 13}, {54, 12}, {58, END}};

static const unsigned char linetable[] = {0x06, 0x02, 0x02, 0x01, 0x06, 0xff, 0x08, 0x03,
                                          0x02, 0x01, 0x04, 0x01, 0x02, 0x01, 0x06, 0xff,
                                          0x04, 0x03, 0x06, 0x01, 0x06, 0x01, 0x04, 0xff};
static const struct range linetable_ranges[] = {{0, 3},   {6, 4},   {8, 3},   {14, 6},  {22, 7},
                                                {24, 8},  {28, 9},  {30, 8},  {36, 11}, {40, 12},
                                                {46, 13}, {52, 12}, {56, END}};

static const unsigned char locations_3_11[] = {
    0x80, 0x00, 0xf0, 0x04, 0x02, 0x09, 0x0f, 0xf0, 0x00, 0x02, 0x09, 0x0f, 0xd8, 0x12, 0x13, 0xf0,
    0x03, 0x02, 0x09, 0x0f, 0xf1, 0x00, 0x02, 0x09, 0x0f, 0xf4, 0x00, 0x02, 0x09, 0x0f, 0x80, 0x41,
    0xf0, 0x06, 0x00, 0x0e, 0x0f, 0xf0, 0x00, 0x05, 0x05, 0x11, 0xf0, 0x00, 0x05, 0x05, 0x11, 0x88,
    0x01, 0xf0, 0x02, 0x04, 0x09, 0x11, 0xd8, 0x0c, 0x0d, 0x88, 0x41, 0x88, 0x61, 0xd8, 0x0e, 0x0f,
    0xf1, 0x03, 0x01, 0x0d, 0x11, 0xf4, 0x00, 0x01, 0x0d, 0x11, 0xf0, 0x00, 0x01, 0x0d, 0x11, 0xf0,
    0x06, 0x00, 0x0d, 0x11, 0xf8, 0x88, 0x44, 0x88, 0x44, 0x88, 0x44, 0x88, 0x44, 0xd8, 0x0c, 0x0d,
    0x88, 0x41, 0x88, 0x61, 0x89, 0x44, 0x8c, 0x44, 0xd8, 0x0e, 0x0f, 0x90, 0x01, 0x8c, 0x64, 0xf1,
    0x03, 0x01, 0x0d, 0x13, 0xf0, 0x00, 0x01, 0x05, 0x14};
static const struct range locations_3_11_ranges[] = {
    {0, 1},  {2, 3},   {6, 4},  {8, 3},   {26, 6},  {34, 7},  {36, 8},   {42, 9},
    {44, 8}, {60, 11}, {62, 0}, {64, 11}, {72, 12}, {92, 13}, {106, 12}, {112, END}};

static const unsigned char locations_3_13[] = {
    0x80, 0x00, 0xf1, 0x06, 0x00, 0x13, 0x14, 0xf3, 0x03, 0x02, 0x09, 0x0f, 0xd9, 0x12, 0x13, 0x88,
    0x51, 0xdc, 0x0c, 0x0d, 0xf7, 0x05, 0x00, 0x0a, 0x0b, 0xd9, 0x12, 0x13, 0xf0, 0x03, 0x00, 0x05,
    0x06, 0xf0, 0x00, 0x02, 0x09, 0x0f, 0xf3, 0x06, 0x00, 0x0e, 0x0f, 0x88, 0x01, 0xf0, 0x02, 0x04,
    0x09, 0x11, 0xd9, 0x0c, 0x0d, 0x88, 0x61, 0xd8, 0x0e, 0x0f, 0xf4, 0x03, 0x01, 0x0d, 0x11, 0xf1,
    0x06, 0x00, 0x0d, 0x11, 0xf1, 0x0b, 0x00, 0x0e, 0x0f, 0xf1, 0x0c, 0x00, 0x0d, 0x0e, 0x88, 0x61,
    0x8b, 0x44, 0xd8, 0x0e, 0x0f, 0x90, 0x01, 0x89, 0x64, 0xf1, 0x03, 0x01, 0x0d, 0x13, 0xf0, 0x00,
    0x01, 0x05, 0x14, 0xf9, 0xf2, 0x13, 0x02, 0x09, 0x0f, 0xf8, 0xf0, 0x10, 0x00, 0x0d, 0x11, 0xfa};
static const struct range locations_3_13_ranges[] = {
    {0, 1},    {2, 4},    {6, 3},   {14, 4},  {20, 5},  {30, 3},   {46, 4},  {50, 3},
    {54, 6},   {64, 7},   {66, 8},  {72, 9},  {74, 8},  {84, 11},  {88, 6},  {92, 12},
    {106, 13}, {114, 12}, {120, 0}, {124, 3}, {130, 0}, {132, 11}, {134, 0}, {140, END}};

static unsigned line_at(unsigned version, const unsigned char *table, size_t size, uint32_t offset,
                        size_t piece)
{
    struct dlw_python_line_search search;
    dlw_python_line_begin(&search, version, 1, offset);
    for (size_t at = 0; at < size; at += piece)
        if (dlw_python_line_feed(&search, table + at, size - at < piece ? size - at : piece))
            break;
    return dlw_python_line_end(&search);
}

static void check_table(unsigned version, const unsigned char *table, size_t size,
                        const struct range *range)
{
    for (int offset = 0; range->line != END; offset += 2) {
        if (offset == range[1].from && (++range)->line == END)
            break;
        for (size_t piece = 1; piece < 8; piece++)
            ck_assert_msg(line_at(version, table, size, (uint32_t)offset, piece) ==
                              (unsigned)range->line,
                          "version %x, offset %d: not line %d", version, offset, range->line);
    }
}

START_TEST(test_each_release_has_its_line_table)
{
    check_table(0x0309, lnotab, sizeof lnotab, lnotab_ranges);
    check_table(0x030a, linetable, sizeof linetable, linetable_ranges);
    check_table(0x030b, locations_3_11, sizeof locations_3_11, locations_3_11_ranges);
    check_table(0x030b, locations_3_13, sizeof locations_3_13, locations_3_13_ranges);
}
END_TEST

START_TEST(test_a_damaged_table_gives_no_line)
{
    static const unsigned char no_begin[] = {0x05, 0x80},
                               endless[] = {0xf0, 0x7f, 0x7f, 0x7f, 0x7f,
                                            0x7f, 0x7f, 0x7f, 0x7f, 0x7f};
    static const unsigned char below[] = {0xe8, 0x41, 0x01}; /* by more lines than stand above */
    ck_assert_uint_eq(line_at(0x030b, no_begin, sizeof no_begin, 0, 1), 0);
    ck_assert_uint_eq(line_at(0x030b, endless, sizeof endless, 0, 3), 0);
    ck_assert_uint_eq(line_at(0x030b, below, sizeof below, 0, 3), 0);
    ck_assert_uint_eq(line_at(0x030b, below, 0, 0, 3), 0);
    ck_assert_uint_eq(line_at(0x030a, linetable, sizeof linetable, 56, 3), 0);
    ck_assert_uint_eq(line_at(0x0309, lnotab, 0, 4, 3), 1);
}
END_TEST

/* A process with one block of memory. */
enum { BASE = 0x100000, ROOM = 0x4000 };
static unsigned char memory[ROOM];

static bool read_made_up(void *context, uint64_t address, void *out, size_t size)
{
    (void)context;
    if (address < BASE || size > ROOM || address - BASE > ROOM - size)
        return false;
    memcpy(out, memory + (address - BASE), size);
    return true;
}

static void put(uint64_t address, uint64_t value)
{
    memcpy(memory + (address - BASE), &value, sizeof value);
}

static void put_byte(uint64_t address, uint8_t value)
{
    memory[address - BASE] = value;
}

static struct dlw_python_reader made_up(unsigned version)
{
    static struct dlw_python_layout layout;
    static const uint64_t head[DLW_PYTHON_HEAD / 8];
    const char *why;
    memset(memory, 0, sizeof memory);
    ck_assert(dlw_python_layout_of(version, head, &layout, &why));
    return (struct dlw_python_reader){
        .layout = &layout, .memory = {read_made_up, NULL}, .runtime = BASE};
}

enum { STATE = BASE + 0x1000, CODE = BASE + 0x2000, FRAME = BASE + 0x3000, SHIM = BASE + 0x800 };

/* Two frames in one call of the evaluation function, one in another; then a shim each. */
static struct dlw_python_reader three_frames(void)
{
    struct dlw_python_reader python = made_up(0x030c);
    put(STATE + python.layout->thread_cframe, STATE + 0x200);
    put(STATE + 0x200, FRAME);
    static const uint64_t frames[] = {FRAME, FRAME + 0x100, SHIM, FRAME + 0x200, SHIM + 0x100, 0};
    for (size_t i = 0; frames[i]; i++) {
        bool is_shim = frames[i] < FRAME;
        put(frames[i] + python.layout->frame_code, is_shim ? 0 : CODE);
        put(frames[i] + python.layout->frame_previous, frames[i + 1]);
        put(frames[i] + python.layout->frame_instruction,
            CODE + python.layout->code_instructions + 2 * i);
        put_byte(frames[i] + python.layout->frame_owner, is_shim ? 3 : 0);
    }
    return python;
}

START_TEST(test_frames_know_who_ran_them)
{
    struct dlw_python_reader python = three_frames();
    struct dlw_python_frame frames[8];
    size_t n;
    bool is_cut;
    ck_assert(dlw_python_frames(&python, STATE, frames, 8, &n, &is_cut));
    ck_assert_uint_eq(n, 3);
    ck_assert(!is_cut);
    ck_assert_uint_eq(frames[0].code, CODE);
    ck_assert_uint_eq(frames[1].instruction, 2);
    ck_assert_uint_eq(frames[0].anchor, SHIM);
    ck_assert_uint_eq(frames[1].anchor, SHIM);
    ck_assert_uint_eq(frames[2].anchor, SHIM + 0x100);
    ck_assert(dlw_python_frames(&python, STATE, frames, 2, &n, &is_cut));
    ck_assert(is_cut);
}
END_TEST

START_TEST(test_frames_that_are_none_end_the_walk)
{
    struct dlw_python_reader python = three_frames();
    struct dlw_python_frame frames[8];
    size_t n;
    bool is_cut;
    put(FRAME + 0x100 + python.layout->frame_previous, 0xdead);
    ck_assert(!dlw_python_frames(&python, STATE, frames, 8, &n, &is_cut));
    ck_assert_uint_eq(n, 2);
    put(FRAME + 0x100 + python.layout->frame_previous, FRAME); /* round and round */
    ck_assert(dlw_python_frames(&python, STATE, frames, 8, &n, &is_cut));
    ck_assert(is_cut && n == 8);
    /* A circle of shims has no frame to be cut at. */
    put(SHIM + python.layout->frame_previous, SHIM);
    put(FRAME + 0x100 + python.layout->frame_previous, SHIM);
    ck_assert(dlw_python_frames(&python, STATE, frames, 8, &n, &is_cut));
    ck_assert(is_cut && n == 2);
    put(STATE + python.layout->thread_cframe, 12);
    ck_assert(!dlw_python_frames(&python, STATE, frames, 8, &n, &is_cut));
    ck_assert_uint_eq(n, 0);
}
END_TEST

static void put_text(const struct dlw_python_reader *python, uint64_t at, unsigned width,
                     bool is_ascii, const void *characters, size_t n)
{
    put(at + python->layout->text_length, n);
    put(at + python->layout->text_state, (width | 8 | (is_ascii ? 16 : 0)) << 2);
    memcpy(memory + (at - BASE) +
               (is_ascii ? python->layout->ascii_size : python->layout->compact_size),
           characters, n * width);
}

START_TEST(test_names_are_utf8_whatever_their_width)
{
    struct dlw_python_reader python = made_up(0x030b);
    struct dlw_python_frame frame = {.code = CODE};
    struct dlw_python_place place;
    enum { FILE_TEXT = BASE + 0x400, NAME_TEXT = BASE + 0x600, TABLE = BASE + 0x700 };
    static const uint16_t wide[] = {'f', 0xfc, 0x20ac};
    put(CODE + python.layout->code_filename, FILE_TEXT);
    put(CODE + python.layout->code_qualified_name, NAME_TEXT);
    put(CODE + python.layout->code_first_line, 7);
    put(CODE + python.layout->code_lines, TABLE);
    put(TABLE + python.layout->bytes_size, 3);
    memcpy(memory + (TABLE - BASE) + python.layout->bytes_data, "\xd8\x01\x02", 3);
    put_text(&python, FILE_TEXT, 1, true, "app.py", 6);
    put_text(&python, NAME_TEXT, 2, false, wide, 3);
    ck_assert(dlw_python_describe(&python, &frame, &place));
    ck_assert_str_eq(place.file, "app.py");
    ck_assert_str_eq(place.function, "f\xc3\xbc\xe2\x82\xac");
    ck_assert_uint_eq(place.line, 8);
    put_text(&python, NAME_TEXT, 1, false, "caf\xe9", 4);
    ck_assert(dlw_python_describe(&python, &frame, &place));
    ck_assert_str_eq(place.function, "caf\xc3\xa9");
    put(NAME_TEXT + python.layout->text_length, 1u << 30);
    ck_assert(!dlw_python_describe(&python, &frame, &place));
}
END_TEST

/* 3.14 as released first, as released later, and free-threaded. */
START_TEST(test_the_state_of_a_name_lies_where_its_build_has_it)
{
    struct dlw_python_reader python = made_up(0x030b);
    struct dlw_python_layout layout = *python.layout;
    struct dlw_python_frame frame = {.code = CODE};
    struct dlw_python_place place;
    enum { TEXT = BASE + 0x400, INTERNED = 3, WIDTH = 1, COMPACT = 8, ASCII = 16, STATIC = 32 };
    static const unsigned char shifts[] = {16, 2, 8};
    layout.version = 0x030e;
    python.layout = &layout;
    put(CODE + layout.code_filename, TEXT);
    put(CODE + layout.code_qualified_name, TEXT);
    put_text(&python, TEXT, 1, true, "app.py", 6);
    for (size_t i = 0; i < sizeof shifts; i++) {
        put(TEXT + layout.text_state, (WIDTH | COMPACT | ASCII | STATIC) << shifts[i] | INTERNED);
        ck_assert(dlw_python_describe(&python, &frame, &place));
        ck_assert_str_eq(place.file, "app.py");
        put(TEXT + layout.text_state, (WIDTH | ASCII) << shifts[i] | INTERNED);
        ck_assert(!dlw_python_describe(&python, &frame, &place));
        put(TEXT + layout.text_state, (3 | COMPACT) << shifts[i] | INTERNED);
        ck_assert(!dlw_python_describe(&python, &frame, &place));
    }
    put(TEXT + layout.text_state, INTERNED);
    ck_assert(!dlw_python_describe(&python, &frame, &place));
}
END_TEST

Suite *emit_python_frames_suite(void)
{
    Suite *suite = suite_create("emit_python_frames");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, test_each_release_has_its_line_table);
    tcase_add_test(tcase, test_a_damaged_table_gives_no_line);
    tcase_add_test(tcase, test_frames_know_who_ran_them);
    tcase_add_test(tcase, test_frames_that_are_none_end_the_walk);
    tcase_add_test(tcase, test_names_are_utf8_whatever_their_width);
    tcase_add_test(tcase, test_the_state_of_a_name_lies_where_its_build_has_it);
    suite_add_tcase(suite, tcase);
    return suite;
}
