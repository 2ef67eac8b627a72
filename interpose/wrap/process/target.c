#include "interpose/wrap/process/target.h"

#include "graph/base/sys.h"
#include "interpose/base/platform.h"
#include "report/emit/line.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { SCRIPT_START = 256, MOST_SCRIPTS = 4, MOST_HEADERS = 64, MOST_INTERPRETER = 256 };

const char *dlw_target_words(enum dlw_target target)
{
    static const char *const words[] = {NULL, "static", "setuid", "other libc", "other machine"};

    return words[target];
}

/* ---- which file ---- */

static bool is_regular(const char *path, struct stat *status)
{
    return dlw_syscall(SYS_newfstatat, AT_FDCWD, path, status, 0) == 0 && S_ISREG(status->st_mode);
}

static const char *search_path(void)
{
    for (char **variable = environ; variable && *variable; variable++)
        if (strncmp(*variable, "PATH=", 5) == 0)
            return *variable + 5;
    return "/bin:/usr/bin";
}

bool dlw_target_find(const char *file, bool is_searched, char out[DLW_TARGET_PATH])
{
    struct stat status;
    struct dlw_line line = {out, 0, DLW_TARGET_PATH - 1};

    if (!is_searched || strchr(file, '/')) {
        dlw_line_add(&line, file);
        return line.used < line.room;
    }
    for (const char *folder = search_path();; folder++) {
        const char *end = strchr(folder, ':');
        size_t length = end ? (size_t)(end - folder) : strlen(folder);
        line.used = 0;
        dlw_line_add_bytes(&line, length ? folder : ".", length ? length : 1);
        dlw_line_add(&line, "/");
        dlw_line_add(&line, file);
        if (*file && line.used < line.room && is_regular(out, &status) &&
            dlw_syscall(SYS_faccessat, AT_FDCWD, out, X_OK) == 0)
            return true;
        if (!end)
            return false;
        folder = end;
    }
}

/* ---- what is in it ---- */

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
    return dlw_syscall(SYS_pread64, fd, to, size, offset) == (long)size;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* By the loader's name: one that is not known may be glibc's under another. */
static enum dlw_target of_loader(const char *path)
{
    const char *name = last_part(path);

    return begins(name, "ld-musl") || begins(name, "ld-uClibc") || begins(name, "linker")
               ? DLW_TARGET_OTHER_LIBC
               : DLW_TARGET_LOADS;
}

static enum dlw_target of_interpreter(int fd, const ElfW(Phdr) * header)
{
    char name[MOST_INTERPRETER];

    if (header->p_filesz == 0 || header->p_filesz >= sizeof(name) ||
        !read_at(fd, name, header->p_filesz, header->p_offset))
        return DLW_TARGET_LOADS;
    name[header->p_filesz] = '\0';
    return of_loader(name);
}

static enum dlw_target of_program(int fd, const ElfW(Ehdr) * header, const char *path)
{
    ElfW(Phdr) segment;

    if (header->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
        header->e_machine != DLW_OWN_MACHINE)
        return DLW_TARGET_OTHER_MACHINE;
    if (header->e_phentsize != sizeof(segment) || header->e_phnum > MOST_HEADERS)
        return DLW_TARGET_LOADS;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (!read_at(fd, &segment, sizeof(segment), header->e_phoff + i * sizeof(segment)))
            return DLW_TARGET_LOADS;
        if (segment.p_type == PT_INTERP)
            return of_interpreter(fd, &segment);
    }
    /* The loader itself, with a program as its argument, has none either. */
    return begins(last_part(path), "ld") ? of_loader(path) : DLW_TARGET_STATIC;
}

/* As the kernel and the loader see it: rights that the user has not. */
static bool gives_rights(int fd, const struct stat *status)
{
    char capabilities[64];

    if ((status->st_mode & S_ISUID) && status->st_uid != (uid_t)dlw_syscall(SYS_geteuid))
        return true;
    if ((status->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) &&
        status->st_gid != (gid_t)dlw_syscall(SYS_getegid))
        return true;
    return dlw_syscall(SYS_geteuid) != 0 && dlw_syscall(SYS_fgetxattr, fd, "security.capability",
                                                        capabilities, sizeof(capabilities)) > 0;
}

/* "#! /bin/sh -e" into the interpreter's path, in place; NULL: no script. */
static char *interpreter_of(char *start)
{
    if (start[0] != '#' || start[1] != '!')
        return NULL;
    char *path = start + 2;
    while (*path == ' ' || *path == '\t')
        path++;
    char *end = path;
    while (*end && *end != ' ' && *end != '\t' && *end != '\n')
        end++;
    *end = '\0';
    return path;
}

/* `start` holds the path, and afterwards how the file begins. */
static enum dlw_target look(char start[SCRIPT_START + 1], const char *path, bool *is_script)
{
    ElfW(Ehdr) header;
    struct stat status;
    enum dlw_target target = DLW_TARGET_LOADS;
    long fd = is_regular(path, &status) ? dlw_syscall(SYS_openat, AT_FDCWD, path,
                                                      O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
                                        : -1;

    *is_script = false;
    if (fd < 0)
        return DLW_TARGET_LOADS;
    bool is_elf = read_at((int)fd, &header, sizeof(header), 0) &&
                  memcmp(header.e_ident, ELFMAG, SELFMAG) == 0;
    if (is_elf)
        target = gives_rights((int)fd, &status) ? DLW_TARGET_PRIVILEGED
                                                : of_program((int)fd, &header, path);
    long got = is_elf ? -1 : dlw_syscall(SYS_pread64, fd, start, SCRIPT_START, 0);
    dlw_syscall(SYS_close, fd);
    if (got > 2) {
        start[got] = '\0';
        *is_script = true;
    }
    return target;
}

enum dlw_target dlw_target_of(const char *path)
{
    char start[SCRIPT_START + 1];
    bool is_script;

    for (int i = 0; path && i < MOST_SCRIPTS; i++) {
        enum dlw_target target = look(start, path, &is_script);
        if (!is_script)
            return target;
        path = interpreter_of(start);
    }
    return DLW_TARGET_LOADS;
}
