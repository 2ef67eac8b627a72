/* Starting programs in all ways: what is returned, what comes of it, and what the program is given.
 */
// quiet
#include "tell.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static char folder[] = "/tmp/dlwatch-exec-XXXXXX";
static char *const given[] = {(char *)"A=1", (char *)"B=two words", NULL};
static char *const none[] = {NULL};

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void make(const char *name, const char *text, mode_t mode)
{
    FILE *out = fopen(in_folder(name), "w");
    fputs(text, out);
    fclose(out);
    chmod(in_folder(name), mode);
}

static void say_end(const char *what, pid_t pid)
{
    int status = 0;
    waitpid(pid, &status, 0);
    say("%s: ended %d", what, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* In a child of vfork, which shares this memory. */
#define IN_CHILD(call)                                                                             \
    do {                                                                                           \
        fflush(stdout);                                                                            \
        pid_t pid_ = vfork();                                                                      \
        if (pid_ == 0) {                                                                           \
            (void)(call);                                                                          \
            _exit(errno == UNTOUCHED ? 99 : errno);                                                \
        }                                                                                          \
        say_end(#call, pid_);                                                                      \
    } while (0)

static void fails(void)
{
    char *const argv[] = {(char *)"x", NULL};
    TELL(execve("/nowhere", argv, given));
    TELL(execv("", argv));
    TELL(execv(folder, argv));
    TELL(execve(in_folder("fifo"), argv, given));
    TELL(execv(in_folder("plain"), argv));
    TELL(execve(in_folder("wrong"), argv, given));
    TELL(execl(in_folder("cut"), "x", NULL));
    TELL(execle(in_folder("nobody"), "x", NULL, given));
    TELL(execvp("no-such-program", argv));
    TELL(execvp("", argv));
    TELL(execlp("no/such/program", "x", NULL));
    TELL(syscall(SYS_execve, "/nowhere", argv, given));
    TELL(syscall(SYS_execve, NULL, argv, given));
    TELL(fexecve(-1, argv, given));
    TELL(fexecve(1, argv, given));
    pid_t pid;
    TELL(posix_spawn(&pid, "/nowhere", NULL, NULL, argv, given));
    TELL(posix_spawnp(&pid, "no-such-program", NULL, NULL, argv, given));
    TELL(posix_spawn(&pid, in_folder("fifo"), NULL, NULL, argv, given));
}

static void starts(void)
{
    char *const list[] = {(char *)"env", NULL};
    char *const script[] = {(char *)"script", (char *)"an argument", NULL};
    int fd = open("/usr/bin/env", O_RDONLY | O_CLOEXEC);
    int result, error;
    pid_t pid;
    IN_CHILD(execve("/usr/bin/env", list, given));
    IN_CHILD(execve("/usr/bin/env", list, none));
    IN_CHILD(execve("/usr/bin/env", list, NULL));
    IN_CHILD(syscall(SYS_execve, "/usr/bin/env", list, given));
    IN_CHILD(execvpe("env", list, given));
    IN_CHILD(fexecve(fd, list, given));
    IN_CHILD(execle("/usr/bin/env", "env", NULL, given));
    IN_CHILD(execve(in_folder("script"), script, given));
    IN_CHILD(execvpe(in_folder("bare"), script, given));
    IN_CHILD(execl("/bin/sh", "sh", "-c", "echo by execl", NULL));
    IN_CHILD(execlp("sh", "sh", "-c", "echo by execlp; exit 3", NULL));
    errno = UNTOUCHED;
    result = posix_spawn(&pid, "/usr/bin/env", NULL, NULL, list, given);
    error = errno;
    say_end("spawned", pid);
    tell("the call", result, error);
    errno = UNTOUCHED;
    result = posix_spawnp(&pid, "env", NULL, NULL, list, given);
    error = errno;
    say_end("spawned", pid);
    tell("the call", result, error);
    say("system: %d", system("echo by system"));
    close(fd);
}

/* The search: what may not be executed is passed over, an empty part is this folder. */
static void searches(void)
{
    char path[256];
    mkdir(in_folder("first"), 0755);
    mkdir(in_folder("second"), 0755);
    make("first/tool", "#!/bin/sh\necho first\n", 0644);
    make("second/tool", "#!/bin/sh\necho second\n", 0755);
    snprintf(path, sizeof path, "%s/first:%s/second:/bin", folder, folder);
    setenv("PATH", path, 1);
    IN_CHILD(execlp("tool", "tool", NULL));
    snprintf(path, sizeof path, "%s/none:%s/first:", folder, folder);
    setenv("PATH", path, 1);
    IN_CHILD(execlp("tool", "tool", NULL));
    if (chdir(in_folder("second")) == 0)
        IN_CHILD(execlp("tool", "tool", NULL));
    unsetenv("PATH");
    IN_CHILD(execlp("sh", "sh", "-c", "echo without PATH", NULL));
}

int main(void)
{
    if (!mkdtemp(folder))
        return 1;
    mkfifo(in_folder("fifo"), 0755);
    make("plain", "text\n", 0644);
    make("wrong", "no program\n", 0755);
    make("cut", "\177ELF\2\1\1", 0755);
    make("nobody", "#!/nowhere/interpreter\n", 0755);
    make("script", "#! /bin/sh -u\necho script \"$1\"\nexit 4\n", 0755);
    make("bare", "echo bare \"$1\"\n", 0755);
    fails();
    starts();
    searches();
    char command[64];
    snprintf(command, sizeof command, "/bin/rm -r %s", folder);
    return system(command);
}
