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

/* Does a text in one piece and of ASCII letters alone, as the names in the library's files are, end
 * so? Its last eight characters tell most apart. */
static bool ends_with(const struct dlw_python_layout *layout, uintptr_t text, const char *end,
                      size_t n)
{
    enum { LENGTH = 16, STATE = 32, COMPACT_ASCII = 3 << 5, LONGEST = 4096 };
    unsigned header = layout->version >= 0x030c ? 40 : 48;
    uint64_t a, b;

    if (!text || (*(const uint32_t *)(text + STATE) & COMPACT_ASCII) != COMPACT_ASCII) /* NOLINT */
        return false;
    size_t length = word_at(text + LENGTH);
    if (length < n || length >= LONGEST)
        return false;
    const char *last = (const char *)(text + header + length - n); /* NOLINT */
    __builtin_memcpy(&a, last + n - sizeof(a), sizeof(a));
    __builtin_memcpy(&b, end + n - sizeof(b), sizeof(b));
    return a == b && memcmp(last, end, n) == 0;
}

/* `end` is a literal of at least eight letters. */
#define ENDS_WITH(text, end)                                                                       \
    (sizeof(end) > sizeof(uint64_t) && ends_with(&dlw_python()->layout, text, end, sizeof(end) - 1))

static uintptr_t file_of(const struct dlw_python_request *request)
{
    return request->code ? word_at(request->code + dlw_python()->layout.code_filename) : 0;
}

bool dlw_python_is_threading(const struct dlw_python_request *request)
{
    return ENDS_WITH(file_of(request), "/threading.py");
}

bool dlw_python_makes_end(const struct dlw_python_request *request)
{
    unsigned name = request->code ? dlw_python()->layout.code_name : 0;

    return name && ENDS_WITH(word_at(request->code + name), "_set_tstate_lock") &&
           dlw_python_is_threading(request);
}

bool dlw_python_is_importing(const struct dlw_python_request *request)
{
    return ENDS_WITH(file_of(request), "<frozen importlib._bootstrap>");
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
    request.code = word_at(frame + layout->frame_code);
    return request;
}
