/*
 * mc_load SOCKET: sets and gets through several connections to a memcached on a unix socket;
 * prints how many answers were right.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 4, ROUNDS = 4000 };

static const char *path;

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    return connect(fd, (struct sockaddr *)&address, sizeof address) ? -1 : fd;
}

/* Sends one request, reads until the answer ends as `end` says. */
static int ask(int fd, const char *request, const char *end, char *answer, size_t room)
{
    size_t have = 0;
    if (write(fd, request, strlen(request)) < 0)
        return 0;
    while (have < room - 1) {
        ssize_t n = read(fd, answer + have, room - 1 - have);
        if (n <= 0)
            return 0;
        answer[have += (size_t)n] = '\0';
        if (have >= strlen(end) && strcmp(answer + have - strlen(end), end) == 0)
            return 1;
    }
    return 0;
}

static void *client(void *arg)
{
    long me = (long)arg, right = 0;
    char request[128], answer[512], value[32];
    int fd = dial();
    for (int i = 0; fd >= 0 && i < ROUNDS; i++) {
        snprintf(value, sizeof value, "value-%ld-%06d", me, i);
        snprintf(request, sizeof request, "set key-%ld-%d 0 0 %zu\r\n%s\r\n", me, i % 500,
                 strlen(value), value);
        if (!ask(fd, request, "STORED\r\n", answer, sizeof answer))
            break;
        snprintf(request, sizeof request, "get key-%ld-%d\r\n", me, i % 500);
        if (ask(fd, request, "END\r\n", answer, sizeof answer) && strstr(answer, value))
            right++;
    }
    return (void *)right;
}

int main(int argc, char **argv)
{
    pthread_t threads[CLIENTS];
    long right = 0;
    if (argc != 2)
        return 2;
    path = argv[1];
    for (long i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, client, (void *)i);
    for (int i = 0; i < CLIENTS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        right += (long)result;
    }
    printf("%ld of %d right\n", right, CLIENTS * ROUNDS);
    return right != CLIENTS * ROUNDS;
}
