#include "interpose/steer/known.h"

#include "interpose/stacks/modules.h"
#include "interpose/tell/avoid_file.h"
#include "interpose/tell/reporter.h"
#include "report/emit/say.h"
#include "report/emit/signature.h"

#include <link.h>
#include <string.h>

static struct dlw_arena arena; /* the constructor's */
static struct dlw_role_file file;
static struct dlw_known *first;

struct dlw_known *dlw_known_first(void)
{
    return first;
}

struct dlw_known *dlw_known_find(uint64_t number)
{
    struct dlw_known *known = first;

    while (known && known->number != number)
        known = known->next;
    return known;
}

/* ---- another build ---- */

/* A module of the file is loaded under its path, with another build id. */
struct looking {
    const struct dlw_signature *signature;
    const char *other; /* its path */
};

static int look_at(struct dl_phdr_info *info, size_t size, void *context)
{
    struct looking *looking = context;
    struct dlw_module_described seen;
    uintptr_t start = 0;

    (void)size;
    for (unsigned i = 0; i < info->dlpi_phnum && !start; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
    if (!start || !dlw_module_describe(start, &seen))
        return 0;
    for (uint32_t i = 0; i < looking->signature->n_modules; i++) {
        const struct dlw_signature_module *module = &looking->signature->modules[i];
        if (strcmp(module->path, seen.module.path) == 0 &&
            (module->build_id_size != seen.module.build_id_size ||
             memcmp(module->build_id, seen.build_id, module->build_id_size) != 0))
            looking->other = module->path;
    }
    return looking->other != NULL;
}

static bool is_of_another_build(const struct dlw_signature *signature)
{
    struct looking looking = {signature, NULL};
    char digits[24];

    dl_iterate_phdr(look_at, &looking);
    if (!looking.other)
        return false;
    dlw_say_hex(digits, signature->number);
    dlw_report_note("avoid: the deadlock ", digits + 2, " is of another build of ", looking.other,
                    ", and is not avoided", NULL);
    return true;
}

/* ---- from a line to roles ---- */

static bool add_module(const struct dlw_signature_module *from)
{
    struct dlw_role_module *module = dlw_arena_alloc(&arena, sizeof(*module));

    if (file.n_modules == file.room) {
        uint32_t room = file.room ? file.room * 2 : 8;
        void *larger = dlw_arena_resize(&arena, file.modules, file.room * sizeof(*file.modules),
                                        room * sizeof(*file.modules));
        if (!larger)
            return false;
        file.modules = larger;
        file.room = room;
    }
    if (!module)
        return false;
    module->path = from->path;
    module->build_id_size = from->build_id_size;
    memcpy(module->build_id, from->build_id, from->build_id_size);
    file.modules[file.n_modules++] = module;
    return true;
}

static bool make_place(const struct dlw_signature_place *from, uint32_t modules,
                       struct dlw_role_place *out)
{
    _Static_assert((int)DLW_SIGNATURE_FRAMES <= (int)DLW_ROLE_FRAMES, "room for all");

    out->n = from->n;
    for (uint32_t i = 0; i < from->n; i++) {
        struct dlw_role_range *range = dlw_arena_alloc(&arena, sizeof(*range));
        if (!range)
            return false;
        range->module = modules + from->frames[i].module;
        range->from = from->frames[i].offset;
        range->to = range->from + 1;
        out->frames[i] = range;
    }
    return true;
}

static bool make_role(struct dlw_known *known, const struct dlw_signature *s, uint32_t i,
                      uint32_t modules)
{
    const struct dlw_signature_step *step = &s->steps[i];
    struct dlw_role *role = dlw_arena_alloc(&arena, sizeof(*role));

    if (!role)
        return false;
    role->cycle = &known->cycle;
    role->step = i;
    role->held_kind = step->kind;
    role->held_mode = step->hold.mode;
    role->wanted_kind = s->steps[(i + 1) % s->n_steps].kind;
    role->wanted_mode = step->want.mode;
    known->cycle.roles[i] = role;
    known->parts[i] = (struct dlw_part){step->hold.mode, step->want.mode, step->lock};
    return make_place(&step->hold, modules, &role->first) &&
           make_place(&step->want, modules, &role->second);
}

static bool is_one_place(const struct dlw_signature_place *a, const struct dlw_signature_place *b)
{
    for (uint32_t i = 0; i < a->n && i < b->n; i++)
        if (a->frames[i].module != b->frames[i].module ||
            a->frames[i].offset != b->frames[i].offset)
            return false;
    return a->n == b->n && a->mode == b->mode;
}

/* Each step is taken and asked for at the same places, and holds a lock of its own. */
static bool are_alike(const struct dlw_signature *s)
{
    for (uint32_t i = 1; i < s->n_steps; i++)
        if (s->steps[i].kind != s->steps[0].kind || s->steps[i].lock == s->steps[i - 1].lock ||
            !is_one_place(&s->steps[i].hold, &s->steps[0].hold) ||
            !is_one_place(&s->steps[i].want, &s->steps[0].want))
            return false;
    return true;
}

static void make_alike(struct dlw_known *known, const struct dlw_signature *s)
{
    enum { USUAL = 8 };

    known->most_alike = s->n_steps > USUAL ? s->n_steps : USUAL;
    for (uint32_t i = 0; i < known->most_alike; i++)
        known->parts[i] = (struct dlw_part){s->steps[0].hold.mode, s->steps[0].want.mode, i};
}

static void add(const struct dlw_signature *signature)
{
    _Static_assert((int)DLW_SIGNATURE_STEPS <= (int)DLW_ROLE_STEPS, "room for all");
    struct dlw_known *known = dlw_arena_alloc(&arena, sizeof(*known));
    uint32_t modules = file.n_modules, roles = are_alike(signature) ? 1 : signature->n_steps;
    char digits[24];
    bool is_whole = known != NULL;

    for (uint32_t i = 0; i < signature->n_modules && is_whole; i++)
        is_whole = add_module(&signature->modules[i]);
    for (uint32_t i = 0; i < roles && is_whole; i++)
        is_whole = make_role(known, signature, i, modules);
    if (!is_whole)
        return;
    known->number = signature->number;
    memset(known->name, '0', 16);
    dlw_say_hex(digits, known->number);
    size_t n = strlen(digits + 2);
    memcpy(known->name + 16 - n, digits + 2, n);
    known->cycle.fingerprint = known->name;
    known->cycle.n = roles;
    if (roles == 1)
        make_alike(known, signature);
    known->cycle.own = known;
    known->cycle.next = file.cycles;
    file.cycles = &known->cycle;
    known->next = first;
    first = known;
}

enum { NAMED = 8 }; /* of lines that are wrong */

/* False: it is. */
static bool read_line(char *line, unsigned number, unsigned n_wrong)
{
    struct dlw_signature signature;
    char digits[24];
    const char *wrong = dlw_signature_read(line, &arena, &signature);

    if (wrong && n_wrong < NAMED)
        dlw_report_note("avoid: ", dlw_avoid_file_path(), ":", dlw_say_number(digits, number),
                        ": the line is passed over: ", wrong, NULL);
    if (!wrong && signature.n_steps && !dlw_known_find(signature.number) &&
        !is_of_another_build(&signature))
        add(&signature);
    return !wrong;
}

void dlw_known_start(const char *folder, const struct dlw_role_user *user)
{
    char *text = dlw_avoid_file_start(folder), digits[24];
    unsigned number = 0, n_wrong = 0;

    while (text && *text) {
        char *end = strchrnul(text, '\n'), *next = *end ? end + 1 : end;
        *end = 0;
        n_wrong += !read_line(text, ++number, n_wrong);
        text = next;
    }
    if (n_wrong > NAMED)
        dlw_report_note("avoid: ", dlw_avoid_file_path(), ": ",
                        dlw_say_number(digits, n_wrong - NAMED), " more lines are passed over",
                        NULL);
    if (first)
        dlw_roles_add(&file, user);
}
