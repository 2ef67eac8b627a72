/* Stacks, source lines and broken prose of the readable report. */
#include "report/command/format/text/parts.h"

#include "report/command/base/clean.h"

#include <string.h>

enum { INDENT = 4 }; /* of frames that don't share a line with what was done */

static bool is_mark(char c)
{
    return c > 0 && c < 8;
}

/* Continuation bytes of UTF-8 and marks take no column. */
static unsigned columns(const char *text, size_t n)
{
    unsigned width = 0;
    for (size_t i = 0; i < n; i++)
        width += !is_mark(text[i]) && ((unsigned char)text[i] & 0xc0) != 0x80;
    return width;
}

void dlw_readable_prose(struct dlw_readable *text, const char *first, unsigned indent,
                        const char *prose)
{
    fputs(first, text->out);
    unsigned at = columns(first, strlen(first));
    bool is_fresh = true;
    while (*prose) {
        size_t n = strcspn(prose, " ");
        unsigned width = columns(prose, n);
        /* A line of a CI log that begins with "::" is a command to GitHub, indented or not. */
        bool may_begin = strncmp(prose, "::", 2) != 0;
        if (!is_fresh && may_begin && at + 1 + width > text->width) {
            fprintf(text->out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!is_fresh) {
            fputc(' ', text->out);
            at++;
        }
        fwrite(prose, 1, n, text->out);
        at += width;
        is_fresh = false;
        prose += n;
        prose += *prose == ' ';
    }
    fputc('\n', text->out);
}

const char *dlw_readable_path(const struct dlw_readable *text, const struct dlw_frame *frame)
{
    bool is_plain = frame->file[0] != '/' && !strstr(frame->file, "..");
    return is_plain ? frame->file
                    : dlw_frame_path(&text->doc->region, frame, text->options->folder);
}

/* As the language's own traces have it: the place first. */
static const char *interpreted_words(struct dlw_readable *text, const struct dlw_frame *frame)
{
    struct dlw_region *region = &text->doc->region;
    const char *line = frame->line ? dlw_region_print(region, ":%u", frame->line) : "";
    return dlw_region_print(region, CYAN "%s%s" PLAIN " in " BOLD "%s" PLAIN,
                            frame->file ? dlw_readable_path(text, frame) : "?", line,
                            frame->function ? frame->function : "?");
}

/* "transfer  bank.c:22" */
static const char *frame_words(struct dlw_readable *text, const struct dlw_frame *frame)
{
    struct dlw_region *region = &text->doc->region;
    if (frame->unknown)
        return dlw_region_print(region, FAINT "(%s)" PLAIN, frame->unknown);
    if (frame->language)
        return interpreted_words(text, frame);
    const char *function = frame->function ? dlw_function_title(region, frame->function) : "??";
    const char *place = frame->file ? dlw_region_print(region, CYAN "%s:%u" PLAIN,
                                                       dlw_readable_path(text, frame), frame->line)
                        : frame->module
                            ? dlw_region_print(region, "%s+0x%llx", dlw_base_name(frame->module),
                                               (unsigned long long)frame->offset)
                            : dlw_region_print(region, "0x%llx", (unsigned long long)frame->pc);
    const char *caller = dlw_frame_caller(frame);
    return dlw_region_print(region, BOLD "%s" PLAIN "  %s%s%s%s%s", function, place,
                            caller ? FAINT " (" : "", caller ? caller : "", caller ? ")" PLAIN : "",
                            frame->inlined ? FAINT " (inlined)" PLAIN : "");
}

/* A frame; the first on the line of what was done there where it fits, else on its own. */
static void frame_line(struct dlw_readable *text, const char *lead, const char *words)
{
    if (lead &&
        2 + columns(lead, strlen(lead)) + 1 + columns(words, strlen(words)) <= text->width) {
        fprintf(text->out, "  %s %s\n", lead, words);
        return;
    }
    if (lead)
        dlw_readable_prose(text, "  ", INDENT, lead);
    fprintf(text->out, "%*s%s\n", INDENT, "", words);
}

static void source_line(struct dlw_readable *text, unsigned indent, const struct dlw_frame *frame,
                        const struct dlw_doc_process *process)
{
    char line[512];
    if (text->options->no_source || frame->unknown ||
        !dlw_source_line(frame, process ? process->folder : NULL, line, sizeof(line)))
        return;
    int room = (int)text->width - (int)indent - 9;
    const char *start = line + strspn(line, " \t");
    size_t most = room > 20 ? (size_t)room : 20;
    bool is_long = strlen(start) > most || strlen(line) == sizeof(line) - 1;
    fprintf(text->out, "%*s" FAINT "%5u |" PLAIN " %.*s%s\n", (int)indent, "", frame->line,
            (int)dlw_clean_fit(start, is_long ? most - 1 : most), start, is_long ? "…" : "");
}

/* Python's own library, and packages that were installed beside it. */
static bool is_installed(const struct dlw_frame *frame)
{
    return frame->language && !frame->unknown && frame->file &&
           (frame->file[0] == '<' || strstr(frame->file, "/lib/python3"));
}

/* How many frames of such stand together from `i` on. */
static size_t installed_run(const struct dlw_stack *stack, size_t i, size_t n)
{
    size_t end = i;
    while (end < n && is_installed(&stack->frames[end]))
        end++;
    return end - i;
}

/* "flask" of ".../site-packages/flask/app.py", "runpy" of "<frozen runpy>". */
static const char *package_of(struct dlw_region *region, const char *file)
{
    static const char *const folders[] = {"/site-packages/", "/dist-packages/", "/lib/python3"};
    const char *at = NULL;
    for (size_t i = 0; !at && i < sizeof(folders) / sizeof(folders[0]); i++)
        if ((at = strstr(file, folders[i])) != NULL)
            at = i < 2 ? at + strlen(folders[i]) : strchr(at + strlen(folders[i]), '/');
    if (!at)
        at = strncmp(file, "<frozen ", 8) == 0 ? file + 8 : file;
    at += *at == '/';
    return dlw_region_print(region, "%.*s", (int)strcspn(at, "/.>"), at);
}

/* "13 frames of flask, werkzeug, http, socketserver" */
static const char *installed_words(struct dlw_region *region, const struct dlw_frame *frames,
                                   size_t n)
{
    enum { MOST = 5 };
    const char *names[MOST];
    const char *words = dlw_region_print(region, FAINT "%zu frames of ", n);
    size_t n_names = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = package_of(region, frames[i].file);
        size_t k = 0;
        while (k < n_names && strcmp(names[k], name) != 0)
            k++;
        if (k < n_names)
            continue;
        if (n_names == MOST)
            return dlw_region_print(region, "%s and others" PLAIN, words);
        words = dlw_region_print(region, "%s%s%s", words, n_names ? ", " : "", name);
        names[n_names++] = name;
    }
    return dlw_region_print(region, "%s" PLAIN, words);
}

/* Where code of the program's own stands in the stack, what others called each other to get there
 * is told in a line. */
static bool has_own_python(const struct dlw_stack *stack, size_t first, size_t n)
{
    for (size_t i = first; i < n; i++)
        if (stack->frames[i].language && !stack->frames[i].unknown &&
            !is_installed(&stack->frames[i]))
            return true;
    return false;
}

/* Beyond the place, frames of libraries that nobody here can look up; --advice lists them. Fewer
 * than two stay. */
static size_t nameless_after(const struct dlw_readable *text, const struct dlw_stack *stack,
                             size_t place, size_t n)
{
    size_t nameless = 0;
    for (size_t i = place + 1; i < n && !text->doc->explains; i++)
        nameless +=
            dlw_frame_is_nameless(&stack->frames[i]) && !dlw_frame_is_plumbing(&stack->frames[i]);
    return nameless < 2 ? 0 : nameless;
}

static bool is_left_out(const struct dlw_frame *frame, size_t nameless)
{
    return dlw_frame_is_plumbing(frame) || (nameless && dlw_frame_is_nameless(frame));
}

/* Which frames of a stack are shown, and how. */
struct shown {
    const struct dlw_stack *stack;
    size_t last;     /* the outermost */
    size_t nameless; /* so many are left out; 0: none is */
    bool folds;      /* frames of Python's installed packages */
};

/* A caller and those that share its line: a run of Python's packages, or calls of itself. `*i`
 * becomes the last of them. */
static const char *caller_words(struct dlw_readable *text, const struct shown *shown, size_t *i)
{
    enum { FEW = 3 };
    struct dlw_region *region = &text->doc->region;
    const struct dlw_frame *frames = shown->stack->frames;
    size_t first = *i, times = 1;
    size_t run = shown->folds ? installed_run(shown->stack, first, shown->last + 1) : 0;
    if (run >= FEW) {
        *i += run - 1;
        return installed_words(region, &frames[first], run);
    }
    const char *words = frame_words(text, &frames[first]);
    for (size_t k = first + 1; k <= shown->last; k++) {
        if (is_left_out(&frames[k], shown->nameless))
            continue;
        if (strcmp(words, frame_words(text, &frames[k])) != 0)
            break;
        *i = k;
        times++;
    }
    return times > 1 ? dlw_region_print(region, "%s, %zu times", words, times) : words;
}

void dlw_readable_stack(struct dlw_readable *text, const struct dlw_lead *lead,
                        const struct dlw_stack *stack, const struct dlw_doc_process *process)
{
    struct dlw_region *region = &text->doc->region;
    size_t place = dlw_stack_place(stack), n = dlw_stack_depth(stack);
    if (!stack->n) {
        dlw_readable_prose(
            text, "  ", INDENT,
            dlw_region_print(region, "%s " FAINT "(where is not known)" PLAIN, lead->line));
        return;
    }
    /* Frames that could not be known stand above the place and matter. */
    size_t first = place == stack->n ? 0 : place;
    while (first > 0 && stack->frames[first - 1].unknown)
        first--;
    const struct dlw_frame *entry = first == place ? dlw_stack_entry(stack) : NULL;
    const char *line = lead->line;
    if (entry) {
        frame_line(text, line, dlw_region_print(region, "in %s", frame_words(text, entry)));
        line = NULL;
    }
    struct shown shown = {.stack = stack,
                          .last = n - 1,
                          .nameless = nameless_after(text, stack, place, n),
                          .folds = has_own_python(stack, first, n)};
    while (shown.last > place && is_left_out(&stack->frames[shown.last], shown.nameless))
        shown.last--;
    for (size_t i = first; i <= shown.last; i++) {
        if (i > place && is_left_out(&stack->frames[i], shown.nameless))
            continue;
        const char *joint = i == first ? "at" : "by";
        const struct dlw_frame *frame = &stack->frames[i];
        const char *words = i > place ? caller_words(text, &shown, &i) : frame_words(text, frame);
        frame_line(
            text, line,
            dlw_region_print(region, "%s %s%s", joint, words, i == shown.last ? lead->end : ""));
        line = NULL;
        if (i == place)
            source_line(text, INDENT + 2, frame, process);
    }
    if (line) /* the place lies beyond what a thread begins with */
        dlw_readable_prose(text, "  ", INDENT, line);
    if (shown.nameless)
        fprintf(text->out, "%*s" FAINT "(%zu functions without a name left out)" PLAIN "\n", INDENT,
                "", shown.nameless);
    if (stack->cut)
        fprintf(text->out, "%*s" FAINT "(deeper frames were not kept)" PLAIN "\n", INDENT, "");
}

static void print_byte(FILE *out, char c, bool color)
{
    static const char *const escapes[] = {"",           "\033[0m",  "\033[1m", "\033[1;31m",
                                          "\033[1;33m", "\033[36m", "\033[2m"};
    if (is_mark(c)) {
        if (color && c < 7)
            fputs(escapes[(int)c], out);
    } else if (((unsigned char)c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
        fputc('?', out);
    } else {
        fputc(c, out);
    }
}

/* An empty line gets no space at its end. */
static int prefix_length(const char *prefix, bool is_empty)
{
    size_t n = strlen(prefix);
    return (int)(n && is_empty && prefix[n - 1] == ' ' ? n - 1 : n);
}

void dlw_readable_print(FILE *out, const char *bytes, size_t size, const char *prefix, bool color)
{
    bool at_start = true;
    for (size_t i = 0; i < size; i++) {
        if (at_start)
            fprintf(out, "%.*s", prefix_length(prefix, bytes[i] == '\n'), prefix);
        at_start = bytes[i] == '\n';
        /* C1 controls are two bytes: 0xc2 0x80-0x9f. */
        if ((unsigned char)bytes[i] == 0xc2 && i + 1 < size && (unsigned char)bytes[i + 1] < 0xa0) {
            fputc('?', out);
            i++;
            continue;
        }
        print_byte(out, bytes[i], color);
    }
}
