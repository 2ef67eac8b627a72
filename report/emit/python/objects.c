#include "report/emit/python/objects.h"

#include <string.h>

enum {
    TYPE = 8,       /* in an object */
    BASICSIZE = 32, /* in a type */
    FLAGS = 168,
    DICTOFFSET = 288,
    DICT_KEYS = 32, /* in a dict */
    DICT_VALUES = 40,
    MOST_NAMES = 256,
    MOST_DISTANCE = 1 << 12,
};

/* In a type that a class statement made: names that its objects share. By offsetof() on the headers
 * of each release. */
static uint64_t shared_names(unsigned version)
{
    return version == 0x0309 ? 864 : version >= 0x030c ? 880 : 872;
}

static bool read_memory(const struct dlw_python_reader *python, uint64_t address, void *out,
                        size_t size)
{
    return address >= 4096 && python->memory.read(python->memory.context, address, out, size);
}

static bool read_pointer(const struct dlw_python_reader *python, uint64_t address, uint64_t *out)
{
    return address % 8 == 0 && read_memory(python, address, out, sizeof *out);
}

/* The entries of a table of names: from where on, how long each is, and the places in it of the
 * name and, where the table is of one dict alone, its value. */
struct names {
    uint64_t entries, n;
    unsigned size, key, value;
};

static bool read_names_3_9(const struct dlw_python_reader *python, uint64_t keys, struct names *out)
{
    enum { SIZE = 8, N = 32, INDICES = 40, ENTRY = 24 };
    uint64_t size;
    if (!read_pointer(python, keys + SIZE, &size) || size > MOST_NAMES * 2 ||
        !read_pointer(python, keys + N, &out->n))
        return false;
    out->entries = keys + INDICES + size * (size > 0xff ? 2 : 1);
    out->size = ENTRY;
    out->key = 8;
    out->value = 16;
    return true;
}

static bool read_names(const struct dlw_python_reader *python, uint64_t keys, struct names *out)
{
    enum { LOG2_INDEX_BYTES = 9, KIND = 10, GENERAL = 0, N = 24, INDICES = 32 };
    uint8_t log2, kind;
    if (python->layout->version < 0x030b)
        return read_names_3_9(python, keys, out);
    if (!read_memory(python, keys + LOG2_INDEX_BYTES, &log2, 1) || log2 > 10 ||
        !read_memory(python, keys + KIND, &kind, 1) || kind > 2 ||
        !read_pointer(python, keys + N, &out->n))
        return false;
    out->entries = keys + INDICES + (1ULL << log2);
    out->size = kind == GENERAL ? 24 : 16;
    out->key = kind == GENERAL ? 8 : 0;
    out->value = out->key + 8;
    return true;
}

/* The place of this name in a table; *value where the entry has one itself. */
static bool find_name(const struct dlw_python_reader *python, uint64_t keys, const char *name,
                      uint64_t *index, uint64_t *value)
{
    struct names names;
    char text[64];
    uint64_t key;
    if (!read_names(python, keys, &names) || names.n > MOST_NAMES)
        return false;
    for (uint64_t i = 0; i < names.n; i++) {
        uint64_t entry = names.entries + i * names.size;
        if (!read_pointer(python, entry + names.key, &key))
            return false;
        if (!key || !dlw_python_text(python, key, text, sizeof text) || strcmp(text, name) != 0)
            continue;
        *index = i;
        return read_pointer(python, entry + names.value, value);
    }
    return false;
}

/* Where its row of values begins, or its dict is; one of both is 0. */
struct kept {
    uint64_t values, dict;
};

static bool find_kept(const struct dlw_python_reader *python, uint64_t object, uint64_t type,
                      struct kept *out)
{
    enum { HAS_ROW = 1 << 2, IS_VALID = 3, HEADER = 8 };
    unsigned version = python->layout->version;
    uint64_t word;
    uint8_t is_valid = 0;
    *out = (struct kept){0};
    if (version < 0x030b)
        return read_pointer(python, type + DICTOFFSET, &word) && word >= 16 &&
               word < MOST_DISTANCE && read_pointer(python, object + word, &out->dict);
    if (version == 0x030b)
        return read_pointer(python, object - 32, &out->values) &&
               (out->values || read_pointer(python, object - 24, &out->dict));
    if (version == 0x030c) {
        if (!read_pointer(python, object - 24, &word))
            return false;
        *(word & 1 ? &out->values : &out->dict) = word + (word & 1);
        return true;
    }
    if (read_pointer(python, type + FLAGS, &word) && word & HAS_ROW &&
        read_pointer(python, type + BASICSIZE, &word) && word < MOST_DISTANCE &&
        read_memory(python, object + word + IS_VALID, &is_valid, 1) && is_valid) {
        out->values = object + word + HEADER;
        return true;
    }
    return read_pointer(python, object - 24, &out->dict);
}

bool dlw_python_attribute(const struct dlw_python_reader *python, uint64_t object, const char *name,
                          uint64_t *out)
{
    unsigned version = python->layout->version;
    uint64_t type, keys, row = 0, index;
    struct kept kept;
    if (version < 0x0309 || version > 0x030d || !read_pointer(python, object + TYPE, &type) ||
        !find_kept(python, object, type, &kept))
        return false;
    if (kept.values)
        return read_pointer(python, type + shared_names(version), &keys) &&
               find_name(python, keys, name, &index, out) &&
               read_pointer(python, kept.values + index * 8, out) && *out;
    if (!read_pointer(python, kept.dict + DICT_KEYS, &keys) ||
        !read_pointer(python, kept.dict + DICT_VALUES, &row) ||
        !find_name(python, keys, name, &index, out))
        return false;
    return (!row || read_pointer(python, row + (version >= 0x030d ? 8 : 0) + index * 8, out)) &&
           *out;
}

bool dlw_python_first_argument(const struct dlw_python_reader *python,
                               const struct dlw_python_frame *frame, uint64_t *out)
{
    unsigned version = python->layout->version;
    uint64_t locals = version == 0x0309 ? 360 : version == 0x030a ? 352 : 72;
    return version >= 0x0309 && version <= 0x030d &&
           read_pointer(python, frame->address + locals, out) && *out;
}

static bool is_in_threading(const struct dlw_python_reader *python,
                            const struct dlw_python_frame *frame, const char *function)
{
    static const char file[] = "/threading.py";
    struct dlw_python_place place;
    if (!dlw_python_describe(python, frame, &place))
        return false;
    size_t n = strlen(place.file), m = strlen(place.function), k = strlen(function);
    return n >= sizeof file - 1 && strcmp(place.file + n - (sizeof file - 1), file) == 0 &&
           m >= k && strcmp(place.function + m - k, function) == 0;
}

bool dlw_python_thread_name(const struct dlw_python_reader *python,
                            const struct dlw_python_frame *outermost, char *out, size_t room)
{
    uint64_t thread, again, name;
    return is_in_threading(python, outermost, "_bootstrap") &&
           dlw_python_first_argument(python, outermost, &thread) &&
           dlw_python_attribute(python, thread, "_name", &name) &&
           dlw_python_text(python, name, out, room) && *out &&
           /* Another name may have been set meanwhile, and this one's text be gone. */
           dlw_python_attribute(python, thread, "_name", &again) && again == name;
}

bool dlw_python_has_inline_locks(const struct dlw_python_reader *python,
                                 const struct dlw_python_frame *starting)
{
    enum { A_POINTER_MORE = 32 }; /* object, lock, list of weak references and a flag are longer */
    uint64_t thread, event, condition, lock, type, size;
    return is_in_threading(python, starting, "start") &&
           dlw_python_first_argument(python, starting, &thread) &&
           dlw_python_attribute(python, thread, "_started", &event) &&
           dlw_python_attribute(python, event, "_cond", &condition) &&
           dlw_python_attribute(python, condition, "_lock", &lock) &&
           read_pointer(python, lock + TYPE, &type) &&
           read_pointer(python, type + BASICSIZE, &size) && size < A_POINTER_MORE;
}
