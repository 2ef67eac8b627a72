#include "interpose/python/calls.h"

#include "interpose/python/runtime.h"

#include <string.h>

/* The thread's own state and frames: they are there, and nobody changes them meanwhile. */
static uintptr_t word_at(uintptr_t address)
{
    return *(const uintptr_t *)address; /* NOLINT(performance-no-int-to-ptr) */
}

static uintptr_t frame_of(const struct dlw_python_layout *layout, uintptr_t thread)
{
    uintptr_t at = word_at(thread + layout->thread_frame);

    return at && layout->has_cframe ? word_at(at + layout->cframe_frame) : at;
}

/* The address of the instruction: an opcode and its argument, a byte each. 0: none runs. */
static uintptr_t instruction_of(const struct dlw_python_layout *layout, uintptr_t frame)
{
    if (layout->version >= 0x030b)
        return word_at(frame + layout->frame_instruction);
    int last = *(const int *)(frame + layout->frame_instruction); /* NOLINT */
    uintptr_t code = word_at(frame + layout->frame_code);
    uintptr_t bytes = word_at(code + layout->code_bytes);
    enum { BYTES_HEADER = 32 };
    unsigned scale = layout->version >= 0x030a ? 2 : 1;
    return last < 0 ? 0 : bytes + BYTES_HEADER + (unsigned)last * scale;
}

/* Opcodes of one version, 0 where there are no more. Where a call is specialised for what is
 * called, only forms that a lock's methods get. */
static const struct opcodes {
    uint16_t version;
    uint8_t with, calls[4];
} opcodes[] = {
    {0x0309, 143, {131, 161}},        /* SETUP_WITH, CALL_FUNCTION, CALL_METHOD */
    {0x030a, 143, {131, 161}},        /* */
    {0x030b, 53, {166, 64, 171, 22}}, /* BEFORE_WITH, PRECALL and CALL, both adaptive too */
    {0x030c, 53, {171, 241}},         /* CALL, instrumented too */
    {0x030d, 2, {53, 176, 244}},      /* CALL, of what is not in Python, instrumented */
};

static enum dlw_python_asks asks_of(unsigned version, const uint8_t *instruction)
{
    for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
        if (opcodes[i].version != version)
            continue;
        if (instruction[0] == opcodes[i].with)
            return DLW_PYTHON_WITH;
        for (size_t k = 0; k < sizeof(opcodes[i].calls) && opcodes[i].calls[k]; k++)
            if (instruction[0] == opcodes[i].calls[k] && instruction[1] == 0)
                return DLW_PYTHON_CALLS;
    }
    return DLW_PYTHON_UNKNOWN;
}

/* The last `n` characters of a text in one piece and of ASCII letters alone, as the names in the
 * library's files are. NULL: it is another, or shorter. */
static const char *last_of(const struct dlw_python_layout *layout, uintptr_t text, size_t n)
{
    enum { LENGTH = 16, STATE = 32, COMPACT_ASCII = 3 << 5, LONGEST = 4096 };
    unsigned header = layout->version >= 0x030c ? 40 : 48;

    if (!text || (*(const uint32_t *)(text + STATE) & COMPACT_ASCII) != COMPACT_ASCII) /* NOLINT */
        return NULL;
    size_t length = word_at(text + LENGTH);
    return length >= n && length < LONGEST ? (const char *)(text + header + length - n) /* NOLINT */
                                           : NULL;
}

static bool ends_with(const struct dlw_python_layout *layout, uintptr_t text, const char *end)
{
    size_t n = strlen(end);
    const char *last = last_of(layout, text, n);

    return last && memcmp(last, end, n) == 0;
}

struct dlw_python_request dlw_python_request(uintptr_t gil, pthread_t self)
{
    struct dlw_python_request request = {.asks = DLW_PYTHON_UNKNOWN};
    const struct dlw_python *python = dlw_python();
    if (!python)
        return request;
    const struct dlw_python_layout *layout = &python->layout;
    uintptr_t thread = word_at(gil + DLW_GIL_HOLDER);

    if (!thread || word_at(thread + layout->thread_id) != (uintptr_t)self)
        return request;
    uintptr_t frame = frame_of(layout, thread);
    uintptr_t instruction = frame ? instruction_of(layout, frame) : 0;
    if (!instruction)
        return request;
    request.asks = asks_of(layout->version, (const uint8_t *)instruction); /* NOLINT */
    uintptr_t code = word_at(frame + layout->frame_code);
    if (!code)
        return request;
    uintptr_t file = word_at(code + layout->code_filename);
    request.is_threading = ends_with(layout, file, "/threading.py");
    request.makes_end = request.is_threading && layout->code_name &&
                        ends_with(layout, word_at(code + layout->code_name), "_set_tstate_lock");
    request.is_importing = ends_with(layout, file, "<frozen importlib._bootstrap>");
    return request;
}
