/*
 * generate FIRST-SEED COUNT FOLDER: writes one program a seed into FOLDER/plays.c, and beside it
 * SEED.expected, the findings that it must give.
 */
#include "tests/random/locks.h"
#include "tests/random/scenes.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    scene *make;
    int weight;
    bool hangs;
} all_scenes[] = {
#define SCENE(name, weight, hangs) {#name, scene_##name, weight, hangs},
#include "tests/random/scenes.def"
#undef SCENE
};
enum { N_SCENES = sizeof(all_scenes) / sizeof(*all_scenes) };

static int draw_scene(struct program *p, bool hangs)
{
    int sum = 0, drawn;
    for (int i = 0; i < N_SCENES; i++)
        sum += all_scenes[i].hangs == hangs ? all_scenes[i].weight : 0;
    if (!sum)
        return -1;
    drawn = pick(p, sum);
    for (int i = 0;; i++) {
        drawn -= all_scenes[i].hangs == hangs ? all_scenes[i].weight : 0;
        if (drawn < 0)
            return i;
    }
}

static void add_scene(struct program *p, bool hangs)
{
    int i = draw_scene(p, hangs);
    if (i < 0)
        return;
    p->is_over = hangs;
    text_put(&p->title, "%s%s", p->title.length ? ", " : "", all_scenes[i].name);
    all_scenes[i].make(p);
}

static void make_program(struct program *p, unsigned seed)
{
    *p = (struct program){.seed = seed, .random = seed};
    snprintf(p->main.name, sizeof(p->main.name), "main");
    snprintf(p->main.function, sizeof(p->main.function), "p%u_main", seed);
    bool hangs = chance(p, 40);
    for (int n = pick(p, 3) + !hangs; n > 0; n--)
        add_scene(p, false);
    if (hangs)
        add_scene(p, true);
    p->is_forked = chance(p, 12);
}

static const char *chars_of(struct text text)
{
    return text.chars ? text.chars : "";
}

static void write_program(const struct program *p, FILE *file)
{
    fprintf(file, "// %u: %s\n%s\n%s", p->seed, chars_of(p->title), chars_of(p->globals),
            chars_of(p->functions));
    for (int i = 0; i < p->n_roles; i++)
        fprintf(file, "static void %s(void)\n{\n%s}\n\n", p->roles[i].function,
                chars_of(p->roles[i].body));
    fprintf(file, "static int %s(void)\n{\n    name_main();\n%s%s    return 0;\n}\n\n",
            p->main.function, chars_of(p->setup), chars_of(p->main.body));
    fprintf(file, "static int p%u_start(void)\n{\n    return %s(%s);\n}\n\n", p->seed,
            p->is_forked ? "in_child" : "in_place", p->main.function);
}

static FILE *open_in(const char *folder, const char *name)
{
    const char *path = keep("%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(2);
    }
    return file;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_expected(struct program *p, const char *folder)
{
    FILE *file = open_in(folder, keep("%u.expected", p->seed));
    int is_bad = 0;
    qsort(p->expected, (size_t)p->n_expected, sizeof(*p->expected), compare);
    for (int i = 0; i < p->n_expected; i++)
        is_bad |= strstr(p->expected[i], " error ") != NULL;
    fprintf(file, "status %d\n", is_bad ? 66 : 0);
    for (int i = 0; i < p->n_expected; i++)
        fprintf(file, "%s\n", p->expected[i]);
    fclose(file);
}

static bool priority_works(void)
{
    struct sched_param high = {.sched_priority = 1}, normal = {0};
    return sched_setscheduler(0, SCHED_FIFO, &high) == 0 &&
           sched_setscheduler(0, SCHED_OTHER, &normal) == 0;
}

int main(int argc, char **argv)
{
    static struct program program;
    if (argc != 4) {
        fprintf(stderr, "usage: %s FIRST-SEED COUNT FOLDER\n", argv[0]);
        return 2;
    }
    unsigned first = (unsigned)strtoul(argv[1], NULL, 10);
    unsigned count = (unsigned)strtoul(argv[2], NULL, 10);
    priority_is_allowed = priority_works();
    FILE *file = open_in(argv[3], "plays.c");
    fprintf(file, "#include \"tests/random/play.h\"\n\n");
    for (unsigned seed = first; seed < first + count; seed++) {
        make_program(&program, seed);
        write_program(&program, file);
        write_expected(&program, argv[3]);
    }
    fprintf(file, "const struct play plays[] = {\n");
    for (unsigned seed = first; seed < first + count; seed++)
        fprintf(file, "    {%u, p%u_start},\n", seed, seed);
    fprintf(file, "    {0, NULL},\n};\n");
    return fclose(file) ? 2 : 0;
}
