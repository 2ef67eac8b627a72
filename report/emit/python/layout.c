#include "report/emit/python/layout.h"

#include <string.h>

const char dlw_python_unknown[] = "where it keeps its state is not known";

/* 3.9 to 3.12, by offsetof() on the headers of each. */
static const struct dlw_python_layout layouts[] = {
    {.version = 0x0309,
     .gil = 352,
     .finalizing = 16,
     .interpreters_head = 32,
     .thread_interpreter = 16,
     .thread_id = 176,
     .thread_frame = 24,
     .frame_code = 32,
     .frame_instruction = 104,
     .code_bytes = 48,
     .code_filename = 104,
     .has_lines = true,
     .interpreter_threads = 8,
     .thread_next = 8,
     .frame_previous = 24,
     .code_name = 112,
     .code_first_line = 40,
     .code_lines = 120,
     .bytes_size = 16,
     .bytes_data = 32,
     .text_length = 16,
     .text_state = 32,
     .ascii_size = 48,
     .compact_size = 72},
    {.version = 0x030a,
     .gil = 352,
     .finalizing = 16,
     .interpreters_head = 32,
     .thread_interpreter = 16,
     .thread_id = 176,
     .thread_frame = 24,
     .frame_code = 32,
     .frame_instruction = 96,
     .code_bytes = 48,
     .code_filename = 104,
     .has_lines = true,
     .interpreter_threads = 8,
     .thread_next = 8,
     .thread_cframe = 48,
     .cframe_previous = 8,
     .frame_previous = 24,
     .code_name = 112,
     .code_first_line = 40,
     .code_lines = 120,
     .bytes_size = 16,
     .bytes_data = 32,
     .text_length = 16,
     .text_state = 32,
     .ascii_size = 48,
     .compact_size = 72},
    {.version = 0x030b,
     .gil = 360,
     .finalizing = 24,
     .interpreters_head = 40,
     .thread_interpreter = 16,
     .thread_id = 152,
     .native_id = 160,
     .thread_frame = 56,
     .has_cframe = true,
     .cframe_frame = 8,
     .frame_code = 32,
     .frame_instruction = 56,
     .code_filename = 112,
     .has_lines = true,
     .interpreter_threads = 16,
     .thread_next = 8,
     .thread_cframe = 56,
     .cframe_previous = 16,
     .frame_previous = 48,
     .frame_owner = 69,
     .frame_is_entry = 68,
     .code_name = 120,
     .code_qualified_name = 128,
     .code_first_line = 72,
     .code_lines = 136,
     .code_instructions = 184,
     .bytes_size = 16,
     .bytes_data = 32,
     .text_length = 16,
     .text_state = 32,
     .ascii_size = 48,
     .compact_size = 72},
    {.version = 0x030c,
     .is_per_interpreter = true,
     .gil = 1040,
     .gil_pointer = 384,
     .finalizing = 24,
     .interpreters_head = 40,
     .interpreter_finalizing = 104,
     .thread_interpreter = 16,
     .thread_id = 136,
     .native_id = 144,
     .thread_frame = 56,
     .has_cframe = true,
     .frame_instruction = 56,
     .code_filename = 112,
     .has_lines = true,
     .interpreter_threads = 72,
     .thread_next = 8,
     .thread_cframe = 56,
     .cframe_previous = 8,
     .frame_previous = 8,
     .frame_owner = 70,
     .code_name = 120,
     .code_qualified_name = 128,
     .code_first_line = 68,
     .code_lines = 136,
     .code_instructions = 192,
     .bytes_size = 16,
     .bytes_data = 32,
     .text_length = 16,
     .text_state = 32,
     .ascii_size = 40,
     .compact_size = 56},
};

/* ---- the interpreter's own table, from 3.13 on ---- */

/* Words of it, as in 3.13. 3.14 has one more in the second group, before the GIL's, and two more
 * after those. */
enum { COOKIE, VERSION, FREE_THREADED, RUNTIME_SIZE, FINALIZING, INTERPRETERS_HEAD };
enum { INTERPRETER_NEXT = 8, THREADS_HEAD = 9, CEVAL_GIL = 14, GIL = 15, LOCKED = 17, HOLDER = 18 };
enum { INTERPRETER_OF_THREAD = 22, FRAME = 23, THREAD_ID = 24, NATIVE_ID = 25 };
enum { FRAME_CODE = 30, FRAME_INSTRUCTION = 31 };
/* And of those behind, 3.14's own: 3.13 has less in front of each group. */
enum { THREAD_NEXT = 21, FRAME_PREVIOUS = 29, FRAME_OWNER = 33 };
enum { CODE = 40, CODE_INSTRUCTIONS = 48, BYTES_SIZE = 75, BYTES_DATA = 76 };
enum { TEXT_SIZE = 77, TEXT_STATE = 78, TEXT_LENGTH = 79, ASCII_SIZE = 80 };
_Static_assert((ASCII_SIZE + 1) * 8 <= DLW_PYTHON_HEAD, "the head holds them");

static bool is_table(const uint64_t *word)
{
    return memcmp(&word[COOKIE], "xdebugpy", 8) == 0;
}

unsigned dlw_python_version_of(const void *head)
{
    uint64_t word[VERSION + 1];

    memcpy(word, head, sizeof(word));
    return is_table(word) ? (unsigned)(word[VERSION] >> 16) & 0xFFFF : 0;
}

static bool is_distance(uint32_t distance)
{
    return distance >= 8 && distance < 1 << 16;
}

/* A length and a hash stand before the bytes of a bytes object, a length and a state before the
 * characters of a str. */
static bool are_plausible(const struct dlw_python_layout *layout)
{
    return is_distance(layout->frame_previous) && is_distance(layout->frame_owner) &&
           is_distance(layout->code_filename) && is_distance(layout->code_lines) &&
           is_distance(layout->code_instructions) && is_distance(layout->thread_next) &&
           layout->bytes_data == layout->bytes_size + 16 &&
           layout->text_length < layout->text_state && layout->text_state < layout->ascii_size &&
           layout->ascii_size < layout->compact_size && layout->compact_size < 1 << 16;
}

static void lines_from_table(const uint64_t *word, struct dlw_python_layout *out)
{
    bool is_first = out->version == 0x030d;
    const uint64_t *thread = word + (is_first ? 0 : 3);
    const uint64_t *code = word - (is_first ? 5 : 0), *data = word - (is_first ? 10 : 0);

    out->interpreter_threads = (uint32_t)word[THREADS_HEAD];
    out->thread_next = (uint32_t)thread[THREAD_NEXT];
    out->frame_previous = (uint32_t)thread[FRAME_PREVIOUS];
    out->frame_owner = (uint32_t)thread[FRAME_OWNER];
    out->code_filename = (uint32_t)code[CODE];
    out->code_name = (uint32_t)code[CODE + 1];
    out->code_qualified_name = (uint32_t)code[CODE + 2];
    out->code_lines = (uint32_t)code[CODE + 3];
    out->code_first_line = (uint32_t)code[CODE + 4];
    out->code_instructions = (uint32_t)code[CODE_INSTRUCTIONS];
    out->bytes_size = (uint32_t)data[BYTES_SIZE];
    out->bytes_data = (uint32_t)data[BYTES_DATA];
    out->text_state = (uint32_t)data[TEXT_STATE];
    out->text_length = (uint32_t)data[TEXT_LENGTH];
    out->ascii_size = (uint32_t)data[ASCII_SIZE];
    /* A compact str has no data pointer, which is the last word of the general one. */
    out->compact_size = (uint32_t)data[TEXT_SIZE] - 8;
    out->has_lines = are_plausible(out);
}

/* 3.13 and 3.14 as released. The distances within a GIL tell that the words are where they are
 * looked for. */
static bool from_table(const uint64_t *word, struct dlw_python_layout *out)
{
    unsigned version = (unsigned)(word[VERSION] >> 16) & 0xFFFF;
    unsigned more = version >= 0x030e, later = more * 3;

    if (version < 0x030d || version > 0x030e || word[LOCKED + more] != word[HOLDER + more] + 8 ||
        word[HOLDER + more] - word[GIL + more] > 16 || word[GIL + more] > 1 << 24)
        return false;
    *out = (struct dlw_python_layout){
        .version = (uint16_t)version,
        .is_per_interpreter = true,
        .gil = (uint32_t)word[HOLDER + more] - DLW_GIL_HOLDER,
        .gil_pointer = (uint32_t)word[CEVAL_GIL + more],
        .finalizing = (uint32_t)word[FINALIZING],
        .interpreters_head = (uint32_t)word[INTERPRETERS_HEAD],
        .interpreter_next = (uint32_t)word[INTERPRETER_NEXT],
        .interpreter_finalizing = version == 0x030d ? 7384 : 0,
        .thread_interpreter = (uint32_t)word[INTERPRETER_OF_THREAD + later],
        .thread_frame = (uint32_t)word[FRAME + later],
        .thread_id = (uint32_t)word[THREAD_ID + later],
        .native_id = (uint32_t)word[NATIVE_ID + later],
        .frame_code = (uint32_t)word[FRAME_CODE + later],
        .frame_instruction = (uint32_t)word[FRAME_INSTRUCTION + later],
        .code_filename = 112,
    };
    lines_from_table(word, out);
    return true;
}

bool dlw_python_layout_of(unsigned version, const void *head, struct dlw_python_layout *out,
                          const char **why)
{
    uint64_t word[DLW_PYTHON_HEAD / 8];

    memcpy(word, head, sizeof(word));
    *out = (struct dlw_python_layout){0};
    *why = dlw_python_unknown;
    if (version >= 0x030d && is_table(word)) {
        bool fits = dlw_python_version_of(head) == version && from_table(word, out);
        if (fits && word[FREE_THREADED] == 1)
            *why = "a free-threaded build";
        return fits && word[FREE_THREADED] == 0;
    }
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if (layouts[i].version == version) {
            *out = layouts[i];
            return true;
        }
    return false;
}
