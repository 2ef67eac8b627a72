/* What stands behind a command, and whether the library can be loaded into it. */
#include "report/command/run/run.h"

#include "report/command/base/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
    struct stat state;
    return stat(path, &state) == 0 && S_ISREG(state.st_mode);
}

/* As execvp looks for it; a file that may not be executed is remembered for the message. */
static const char *find_in_path(struct dlw_region *region, const char *name, const char **denied)
{
    const char *path = getenv("PATH");
    char *list = dlw_region_copy(region, path ? path : "/usr/local/bin:/bin:/usr/bin");
    while (list) {
        const char *folder = strsep(&list, ":");
        const char *file = dlw_region_print(region, "%s/%s", *folder ? folder : ".", name);
        if (!is_file(file))
            continue;
        if (access(file, X_OK) == 0)
            return file;
        *denied = file;
    }
    return NULL;
}

static struct dlw_program cannot_start(const char *path, int status, const char *trouble)
{
    struct dlw_program program = {.path = path, .status = status, .trouble = trouble};
    return program;
}

/* What a shell would have understood. */
static const char *not_found(struct dlw_region *region, const char *command)
{
    static const char *const builtin[] = {"cd",    "export", "source", ".",    "ulimit", "umask",
                                          "set",   "exec",   "eval",   "if",   "for",    "while",
                                          "unset", "alias",  "trap",   "wait", NULL};
    const char *equals = strchr(command, '=');
    if (equals && equals > command)
        return dlw_region_print(region, "command not found: did you mean dlwatch run -- env %s ...",
                                command);
    for (size_t i = 0; builtin[i]; i++)
        if (strcmp(command, builtin[i]) == 0)
            return dlw_region_print(region,
                                    "command not found, a word of the shell: did you mean dlwatch "
                                    "run -- sh -c '%s ...'",
                                    command);
    return "command not found";
}

static struct dlw_program find(struct dlw_region *region, const char *command)
{
    struct stat state;
    const char *denied = NULL;
    struct dlw_program found = {.keeps_preload = true};
    if (!strchr(command, '/')) {
        found.path = find_in_path(region, command, &denied);
        if (!found.path)
            return denied ? cannot_start(denied, 126, strerror(EACCES))
                          : cannot_start(NULL, 127, not_found(region, command));
        return found;
    }
    if (stat(command, &state) != 0)
        return cannot_start(command, errno == ENOENT || errno == ENOTDIR ? 127 : 126,
                            strerror(errno == ENOTDIR ? ENOENT : errno));
    if (S_ISDIR(state.st_mode))
        return cannot_start(command, 126, strerror(EISDIR));
    if (access(command, X_OK) != 0)
        return cannot_start(command, 126,
                            errno == EACCES ? "Permission denied: it is not executable"
                                            : strerror(errno));
    found.path = command;
    return found;
}

/* The interpreter of a script, or NULL. */
static const char *script_interpreter(struct dlw_region *region, int descriptor)
{
    char line[256];
    ssize_t n = pread(descriptor, line, sizeof(line) - 1, 0);
    if (n < 3 || line[0] != '#' || line[1] != '!')
        return NULL;
    line[n] = '\0';
    char *start = line + 2 + strspn(line + 2, " \t");
    start[strcspn(start, " \t\n")] = '\0';
    return dlw_region_copy(region, start);
}

static const char *program_interpreter(struct dlw_region *region, Elf *elf)
{
    size_t n = 0, size = 0;
    elf_getphdrnum(elf, &n);
    char *bytes = elf_rawfile(elf, &size);
    for (size_t i = 0; i < n; i++) {
        GElf_Phdr header;
        if (!gelf_getphdr(elf, (int)i, &header) || header.p_type != PT_INTERP)
            continue;
        if (!bytes || header.p_offset > size || header.p_filesz > size - header.p_offset)
            return NULL;
        return dlw_region_cut(region, bytes + header.p_offset,
                              strnlen(bytes + header.p_offset, header.p_filesz));
    }
    return NULL;
}

static bool is_sanitizer(const char *name)
{
    static const char *const runtimes[] = {"libasan.so",       "libtsan.so",
                                           "libhwasan.so",     "libclang_rt.asan",
                                           "libclang_rt.tsan", "libclang_rt.hwasan"};
    for (size_t i = 0; i < sizeof(runtimes) / sizeof(runtimes[0]); i++)
        if (strncmp(name, runtimes[i], strlen(runtimes[i])) == 0)
            return true;
    return false;
}

static const char *needed_runtime(struct dlw_region *region, Elf *elf, Elf_Scn *section)
{
    GElf_Shdr header;
    Elf_Data *data = elf_getdata(section, NULL);
    if (!gelf_getshdr(section, &header) || !data || !header.sh_entsize)
        return NULL;
    for (size_t i = 0; i < header.sh_size / header.sh_entsize; i++) {
        GElf_Dyn entry;
        if (!gelf_getdyn(data, (int)i, &entry) || entry.d_tag != DT_NEEDED)
            continue;
        const char *name = elf_strptr(elf, header.sh_link, entry.d_un.d_val);
        if (name && is_sanitizer(name))
            return dlw_region_copy(region, name);
    }
    return NULL;
}

static const char *sanitizer_runtime(struct dlw_region *region, Elf *elf)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    while ((section = elf_nextscn(elf, section)))
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_DYNAMIC)
            return needed_runtime(region, elf, section);
    return NULL;
}

static void inspect_elf(struct dlw_region *region, Elf *elf, struct dlw_program *program)
{
    GElf_Ehdr header;
    if (!gelf_getehdr(elf, &header))
        return;
    const char *interpreter = program_interpreter(region, elf);
    if (!interpreter) {
        program->trouble = "is statically linked: nothing can be preloaded into it";
        program->why = "static";
    } else if (strstr(interpreter, "ld-musl")) {
        program->trouble = "uses the musl C library: a library made for glibc can't be preloaded "
                           "into it";
        program->why = "other libc";
        program->keeps_preload = false;
    } else if (header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) {
        program->trouble = "is a 32-bit program: this build watches 64-bit ones";
        program->why = "other machine";
    } else {
        program->runtime = sanitizer_runtime(region, elf);
    }
}

/* The loader drops a preload where a file gives rights that the user has not. */
static bool is_privileged(const char *path)
{
    struct stat state;
    if (stat(path, &state) != 0)
        return false;
    return ((state.st_mode & S_ISUID) && state.st_uid != geteuid()) ||
           ((state.st_mode & S_ISGID) && (state.st_mode & S_IXGRP) && state.st_gid != getegid());
}

static void inspect_file(struct dlw_region *region, const char *path, struct dlw_program *program,
                         int depth)
{
    int descriptor = dlw_open_regular(path);
    if (descriptor < 0)
        return; /* executable but not readable: nothing is known */
    const char *interpreter = script_interpreter(region, descriptor);
    Elf *elf = interpreter ? NULL : elf_begin(descriptor, ELF_C_READ, NULL);
    if (elf && elf_kind(elf) == ELF_K_ELF)
        inspect_elf(region, elf, program);
    elf_end(elf);
    close(descriptor);
    if (is_privileged(path)) {
        program->trouble = "is setuid or setgid: the loader drops preloaded libraries there";
        program->why = "setuid";
    } else if (interpreter && depth < 4) {
        inspect_file(region, interpreter, program, depth + 1);
    }
}

static bool creates_threads(const char *name)
{
    static const char *const calls[] = {"pthread_create", "__pthread_create", "thrd_create",
                                        "runtime.newosproc"};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strncmp(name, calls[i], strlen(calls[i])) == 0)
            return true;
    return false;
}

static bool table_creates_threads(Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(section, NULL);
    for (size_t i = 0; data && header->sh_entsize && i < header->sh_size / header->sh_entsize;
         i++) {
        GElf_Sym symbol;
        const char *name = gelf_getsym(data, (int)i, &symbol)
                               ? elf_strptr(elf, header->sh_link, symbol.st_name)
                               : NULL;
        if (name && creates_threads(name))
            return true;
    }
    return false;
}

bool dlw_program_may_have_threads(const char *path)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    elf_version(EV_CURRENT);
    Elf *elf = descriptor >= 0 ? elf_begin(descriptor, ELF_C_READ, NULL) : NULL;
    Elf_Scn *section = NULL;
    GElf_Shdr header;
    bool result = true;
    while (elf && (section = elf_nextscn(elf, section)))
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_SYMTAB)
            result = table_creates_threads(elf, section, &header);
    elf_end(elf);
    if (descriptor >= 0)
        close(descriptor);
    return result;
}

struct dlw_program dlw_program_inspect(struct dlw_region *region, const char *command)
{
    struct dlw_program program = find(region, command);
    if (!program.status) {
        elf_version(EV_CURRENT);
        inspect_file(region, program.path, &program, 0);
    }
    return program;
}

/* A folder may hold libraries of several processors: where Debian puts our own. */
#if defined(__x86_64__)
#define MULTIARCH_PLACE "../lib/x86_64-linux-gnu"
#elif defined(__aarch64__)
#define MULTIARCH_PLACE "../lib/aarch64-linux-gnu"
#else
#error "the library is for x86-64 and aarch64"
#endif

const char *dlw_program_library(struct dlw_region *region)
{
    static const char *const places[] = {".", "../lib", "../lib64", MULTIARCH_PLACE,
                                         "../lib/dlwatch"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return NULL;
    self[n] = '\0';
    *strrchr(self, '/') = '\0';
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *path = dlw_region_print(region, "%s/%s/libdlwatch.so", self, places[i]);
        char *real = realpath(path, NULL);
        const char *found = real ? dlw_region_copy(region, real) : NULL;
        free(real);
        if (found)
            return found;
    }
    return NULL;
}
