/*
 * What libunwind says of a return address, as a rule. It is asked with made-up registers, and its
 * questions are answered from the tables of the object that the loader has found there.
 */
#include "interpose/stacks/libunwind.h"

#include "interpose/base/objects.h"
#include "interpose/base/proc.h"
#include "interpose/base/trampoline.h"
#include "interpose/stacks/signed.h"
#include "interpose/stacks/warmup.h"

#include <dlfcn.h>
#include <errno.h>
#include <libunwind.h>
#include <string.h>

/* Made-up registers lie outside the canonical address range: they meet no real address. */
static const uint64_t FAKE_SP = 0x1000000000000000;
static const uint64_t FAKE_FP = 0x2000000000000000;
static const uint64_t FAKE_LR = 0x3000000000000000;
static const uint64_t FAKE_VALUE = 0x4000000000000000; /* added to the address it was read from */
static const uint64_t FAKE_REACH = 0x0100000000000000;

static struct {
    unw_addr_space_t space;
    __typeof__(unw_create_addr_space) *create;
    __typeof__(unw_init_remote) *init;
    __typeof__(unw_step) *step;
    __typeof__(unw_get_reg) *get;
    int (*search)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *, unw_proc_info_t *, int, void *);
    bool ready;
} unwind;

/* ---- libunwind's questions ---- */

enum { PIECE = 256 };

struct question {
    uint64_t pc;
    bool no_tables;
    bool complex; /* asked for a register or memory the table doesn't model */
    uint64_t function;
    uintptr_t piece_start; /* of the memory that was read last */
    unsigned char piece[PIECE];
    uintptr_t map_start, map_end; /* of the object whose tables were found */
    struct dlw_signs signs;
};

static bool is_fake(uint64_t value, uint64_t origin)
{
    return value - (origin - FAKE_REACH / 2) < FAKE_REACH;
}

/* The tables of the object that the loader has found: its own, at addresses that it gave. The code
 * around the pc is not among them, since a stack that is not what it seems gives any pc. */
static bool is_in_tables(const struct question *q, uintptr_t address, size_t size)
{
    enum { AROUND = 64 };

    return address >= q->map_start && address + size <= q->map_end &&
           address - (q->pc - AROUND) >= (uintptr_t)2 * AROUND;
}

/*
 * What else there is the kernel copies, in pieces: the code at the pc may be unmapped, if another
 * thread closes the library or the pc is no code address. In a confined process, where the kernel
 * must not be asked, it is read in place.
 */
static bool read_checked(struct question *q, uintptr_t address, void *out, size_t size)
{
    if (is_in_tables(q, address, size)) {
        memcpy(out, (const void *)address, size); /* NOLINT(performance-no-int-to-ptr) */
        return true;
    }
    if (address - q->piece_start <= PIECE - size) {
        memcpy(out, q->piece + (address - q->piece_start), size);
        return true;
    }
    if (dlw_proc_read(address, q->piece, PIECE)) {
        q->piece_start = address;
        memcpy(out, q->piece, size);
        return true;
    }
    enum dlw_proc_reading reading = dlw_proc_try_read(address, out, size);
    if (reading == DLW_PROC_UNKNOWN)
        memcpy(out, (const void *)address, size); /* NOLINT(performance-no-int-to-ptr) */
    return reading != DLW_PROC_GONE;
}

static int answer_memory(unw_addr_space_t space, unw_word_t address, unw_word_t *value, int write,
                         void *arg)
{
    struct question *q = arg;

    (void)space;
    if (write)
        return -UNW_EINVAL;
    if (is_fake(address, FAKE_SP) || is_fake(address, FAKE_FP)) {
        *value = FAKE_VALUE + address;
        return 0;
    }
    if (address >> 48 != 0) {
        q->complex = true;
        return -UNW_EINVAL;
    }
    if (!read_checked(q, address, value, sizeof(*value))) {
        q->complex = true;
        return -UNW_EINVAL;
    }
    if (DLW_SIGNS_RETURNS)
        dlw_signs_hide(&q->signs, address, value, sizeof(*value));
    return 0;
}

static int answer_register(unw_addr_space_t space, unw_regnum_t number, unw_word_t *value,
                           int write, void *arg)
{
    struct question *q = arg;

    (void)space;
    if (write)
        return -UNW_EREADONLYREG;
    switch (number) {
    case DLW_PC_REGISTER:
        *value = q->pc;
        return 0;
    case DLW_SP_REGISTER:
        *value = FAKE_SP;
        return 0;
    case DLW_FP_REGISTER:
        *value = FAKE_FP;
        return 0;
    case DLW_LR_REGISTER:
        *value = FAKE_LR;
        return 0;
    default:
        q->complex = true;
        *value = 0;
        return 0;
    }
}

static int answer_float(unw_addr_space_t space, unw_regnum_t number, unw_fpreg_t *value, int write,
                        void *arg)
{
    (void)space, (void)number, (void)value, (void)write, (void)arg;
    return -UNW_EBADREG;
}

static int answer_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
    (void)space, (void)cursor, (void)arg;
    return -UNW_EINVAL;
}

static int answer_name(unw_addr_space_t space, unw_word_t address, char *buffer, size_t size,
                       unw_word_t *offset, void *arg)
{
    (void)space, (void)address, (void)buffer, (void)size, (void)offset, (void)arg;
    return -UNW_ENOINFO;
}

static void answer_put(unw_addr_space_t space, unw_proc_info_t *info, void *arg)
{
    (void)space, (void)info, (void)arg;
}

static int answer_dynamic(unw_addr_space_t space, unw_word_t *address, void *arg)
{
    (void)space, (void)address, (void)arg;
    return -UNW_ENOINFO;
}

/* {start, FDE} of a function, as offsets from the header. */
struct table_entry {
    int32_t start, fde;
};

/*
 * .eh_frame_hdr (Linux Standard Base, "Exception Frames"): version 1, encodings of the three values
 * that follow. Linkers write a table of {start, FDE} as signed 32-bit offsets from the header,
 * sorted; other forms don't occur on these systems and count as no tables.
 */
static const struct table_entry *table_of(const unsigned char *header, uint32_t *count)
{
    enum { PCREL_SDATA4 = 0x1b, UDATA4 = 0x03, DATAREL_SDATA4 = 0x3b };

    if (!header || header[0] != 1 || header[1] != PCREL_SDATA4 || header[2] != UDATA4 ||
        header[3] != DATAREL_SDATA4)
        return NULL;
    memcpy(count, header + 8, sizeof(*count));
    return (const void *)(header + 12);
}

/* The last entry that starts no later; NULL: none does. */
static const struct table_entry *find_entry(const struct table_entry *table, uint32_t count,
                                            int64_t offset)
{
    while (count > 1) {
        uint32_t half = count / 2;
        if (table[half].start <= offset) {
            table += half;
            count -= half;
        } else {
            count = half;
        }
    }
    return count && table->start <= offset ? table : NULL;
}

/* A table of the one entry that the address is of: libunwind asks for every word that it looks at,
 * and would look at some thirty to find it. */
static bool describe_table(const struct dl_find_object *object, uintptr_t address,
                           unw_dyn_info_t *out)
{
    uintptr_t header = (uintptr_t)object->dlfo_eh_frame;
    uint32_t count = 0;
    const struct table_entry *entry = table_of(object->dlfo_eh_frame, &count);

    if (entry)
        entry = find_entry(entry, count, (int64_t)(address - header));
    if (!entry)
        return false;
    memset(out, 0, sizeof(*out));
    out->format = UNW_INFO_FORMAT_REMOTE_TABLE;
    out->start_ip = (uintptr_t)object->dlfo_map_start;
    out->end_ip = (uintptr_t)object->dlfo_map_end;
    out->u.rti.segbase = header;
    out->u.rti.table_data = (uintptr_t)entry;
    out->u.rti.table_len = sizeof(*entry) / sizeof(unw_word_t);
    return true;
}

static void find_signs(struct question *q, const unw_dyn_info_t *table)
{
    const struct table_entry *entry = (const void *)table->u.rti.table_data; /* NOLINT */

    dlw_signs_find(table->u.rti.segbase + (uintptr_t)(intptr_t)entry->fde, q->map_start, q->map_end,
                   &q->signs);
}

static int answer_procedure(unw_addr_space_t space, unw_word_t address, unw_proc_info_t *info,
                            int need_unwind_info, void *arg)
{
    struct question *q = arg;
    struct dl_find_object object;
    unw_dyn_info_t table;

    int result = -UNW_ENOINFO;
    if (dlw_object_find(address, &object) && describe_table(&object, address, &table)) {
        q->map_start = (uintptr_t)object.dlfo_map_start;
        q->map_end = (uintptr_t)object.dlfo_map_end;
        if (DLW_SIGNS_RETURNS)
            find_signs(q, &table);
        result = unwind.search(space, address, &table, info, need_unwind_info, arg);
    }
    if (result < 0)
        q->no_tables = true;
    else
        q->function = info->start_ip;
    return result;
}

static unw_accessors_t accessors = {
    .find_proc_info = answer_procedure,
    .put_unwind_info = answer_put,
    .get_dyn_info_list_addr = answer_dynamic,
    .access_mem = answer_memory,
    .access_reg = answer_register,
    .access_fpreg = answer_float,
    .resume = answer_resume,
    .get_proc_name = answer_name,
};

/* ---- rules ---- */

/* 0: that is no value out of a slot. */
static int32_t slot_of(uint64_t value, uint64_t cfa)
{
    int64_t offset = (int64_t)(value - FAKE_VALUE - cfa);

    return offset % 8 == 0 && offset < 0 && offset / 8 >= DLW_LOWEST_SLOT ? (int32_t)(offset / 8)
                                                                          : 0;
}

/* Slot 0: it is where the call left it, in the link register, if there is one. */
static bool set_return(struct dlw_rule *rule, uint64_t pc, uint64_t cfa)
{
    int32_t slot = pc == FAKE_LR ? 0 : slot_of(pc, cfa);

    return (slot || pc == FAKE_LR) && DLW_RULE_SET_PC_SLOT(rule, slot);
}

/* Reads the rule off the registers after one step. */
static struct dlw_rule interpret(uint64_t pc, uint64_t sp, uint64_t fp)
{
    struct dlw_rule rule = {.base = DLW_RULE_COMPLEX};
    uint64_t origin = is_fake(sp, FAKE_SP) ? FAKE_SP : FAKE_FP;
    int64_t offset = (int64_t)(sp - origin);

    if (!is_fake(sp, origin) || offset < INT32_MIN || offset > INT32_MAX)
        return rule;
    if (!set_return(&rule, pc, sp))
        return rule;
    if (fp != FAKE_FP) {
        rule.fp_slot = (__typeof__(rule.fp_slot))slot_of(fp, sp);
        if (!rule.fp_slot)
            return rule;
    }
    rule.cfa_offset = (int32_t)offset;
    rule.base = origin == FAKE_SP ? DLW_RULE_SP : DLW_RULE_FP;
    return rule;
}

/* Where a signal handler returns to. The code is libc's, or the kernel's: that of an emulator lies
 * in no object that the loader knows. */
static bool is_signal_return(uintptr_t pc)
{
    static const unsigned char code[] = DLW_SIGNAL_RETURN;
    unsigned char there[sizeof(code)];
    struct dl_find_object object;

    if (dlw_object_find(pc, &object))
        return (uintptr_t)object.dlfo_map_end - pc >= sizeof(code) &&
               memcmp((const void *)pc, code, sizeof(code)) == 0; /* NOLINT */
    return !DLW_SIGNAL_RETURN_IS_OF_LIBC && dlw_proc_read(pc, there, sizeof(there)) &&
           memcmp(there, code, sizeof(code)) == 0;
}

static struct dlw_rule step_once(uintptr_t pc, uint64_t *function)
{
    struct question q = {.pc = pc - 1};
    unw_cursor_t cursor;
    unw_word_t next_pc = 0;
    unw_word_t sp = 0;
    unw_word_t fp = 0;

    if (!unwind.ready || unwind.init(&cursor, unwind.space, &q) < 0)
        return (struct dlw_rule){.base = DLW_RULE_NO_TABLES};
    int stepped = unwind.step(&cursor);
    *function = q.function;
    if (q.no_tables)
        return (struct dlw_rule){.base = DLW_RULE_NO_TABLES};
    if (stepped == 0)
        return (struct dlw_rule){.base = DLW_RULE_END};
    if (stepped < 0 || unwind.get(&cursor, UNW_REG_IP, &next_pc) < 0 ||
        unwind.get(&cursor, UNW_REG_SP, &sp) < 0 || unwind.get(&cursor, DLW_FP_REGISTER, &fp) < 0)
        return (struct dlw_rule){.base = DLW_RULE_COMPLEX};
    return interpret(next_pc, sp, fp);
}

struct dlw_rule dlw_libunwind_ask_locked(uintptr_t pc, uint64_t *function)
{
    int kept = errno; /* libunwind sets it to 0 */

    *function = 0;
    if (dlw_starts_thread(pc))
        return (struct dlw_rule){.base = DLW_RULE_END};
    if (is_signal_return(pc))
        return (struct dlw_rule){.base = DLW_RULE_SIGNAL};
    struct dlw_rule rule = step_once(pc, function);
    errno = kept;
    return rule;
}

/* ---- life ---- */

/* From code of libc, which has tables. */
static void first_step(void)
{
    uint64_t function;

    step_once((uintptr_t)dlsym(RTLD_DEFAULT, "exit") + 1, &function);
}

bool dlw_libunwind_open(void)
{
    void *library = dlopen(DLW_UNWIND_LIBRARY, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return false;
    unwind.create = (__typeof__(unwind.create))dlsym(library, DLW_UNWIND_NAME("create_addr_space"));
    unwind.init = (__typeof__(unwind.init))dlsym(library, DLW_UNWIND_NAME("init_remote"));
    unwind.step = (__typeof__(unwind.step))dlsym(library, DLW_UNWIND_NAME("step"));
    unwind.get = (__typeof__(unwind.get))dlsym(library, DLW_UNWIND_NAME("get_reg"));
    unwind.search =
        (__typeof__(unwind.search))dlsym(library, DLW_UNWIND_NAME("dwarf_search_unwind_table"));
    if (!unwind.create || !unwind.init || !unwind.step || !unwind.get || !unwind.search)
        return false;
    unwind.space = unwind.create(&accessors, 0);
    unwind.ready = unwind.space != NULL;
    dlw_warmup(first_step);
    return unwind.ready;
}
