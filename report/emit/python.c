#include "report/emit/python.h"

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
     .code_filename = 104},
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
     .code_filename = 104},
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
     .code_filename = 112},
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
     .code_filename = 112},
};

/* ---- the interpreter's own table, from 3.13 on ---- */

/* Words of it, as in 3.13. 3.14 has one more in the second group, before the GIL's, and two more
 * after those. */
enum { COOKIE, VERSION, FREE_THREADED, RUNTIME_SIZE, FINALIZING, INTERPRETERS_HEAD };
enum { INTERPRETER_NEXT = 8, THREADS_HEAD = 9, CEVAL_GIL = 14, GIL = 15, LOCKED = 17, HOLDER = 18 };
enum { INTERPRETER_OF_THREAD = 22, FRAME = 23, THREAD_ID = 24, NATIVE_ID = 25 };
enum { FRAME_CODE = 30, FRAME_INSTRUCTION = 31 };
_Static_assert((FRAME_INSTRUCTION + 4) * 8 <= DLW_PYTHON_HEAD, "the head holds them");

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
    return true;
}

bool dlw_python_layout_of(unsigned version, const void *head, struct dlw_python_layout *out,
                          const char **why)
{
    uint64_t word[DLW_PYTHON_HEAD / 8];

    memcpy(word, head, sizeof(word));
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
