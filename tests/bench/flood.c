/*
 * flood PORT REQUESTS IN-FLIGHT: keeps a memcached on loopback busy from four connections, so many
 * requests (one in ten a set) in flight on each. 0 when every one was answered.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4, MOST = 100, KEYS = 10000 };

static uint16_t port;
static long requests;
static int in_flight;

static int dial(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connect(fd, (struct sockaddr *)&address, sizeof address) ? -1 : fd;
}

static size_t fill(char *out, unsigned *key)
{
    size_t n = 0;

    for (int i = 0; i < in_flight; i++) {
        *key = *key * 1103515245U + 12345U;
        unsigned k = (*key >> 8) % KEYS;
        n += (size_t)sprintf(out + n, i % 10 ? "get k%u\r\n" : "set k%u 0 0 8\r\n12345678\r\n", k);
    }
    return n;
}

/* Answers end in END for a get and STORED for a set. */
static int drain(int fd)
{
    static _Thread_local char buffer[65536];
    int answers = 0;
    size_t have = 0;

    while (answers < in_flight) {
        ssize_t got = read(fd, buffer + have, sizeof buffer - have);
        if (got <= 0)
            return 0;
        have += (size_t)got;
        size_t from = 0;
        for (char *line; (line = memchr(buffer + from, '\n', have - from)) != NULL;) {
            size_t to = (size_t)(line - buffer) + 1;
            answers += memcmp(buffer + from, "END", 3) == 0 || memcmp(buffer + from, "STO", 3) == 0;
            from = to;
        }
        memmove(buffer, buffer + from, have - from);
        have -= from;
    }
    return 1;
}

static void *client(void *seed)
{
    char batch[MOST * 64];
    unsigned key = (unsigned)(size_t)seed;
    int fd = dial();
    long done = 0;

    while (fd >= 0 && done < requests / CONNECTIONS) {
        size_t n = fill(batch, &key);
        if (write(fd, batch, n) != (ssize_t)n || !drain(fd))
            break;
        done += in_flight;
    }
    close(fd);
    return (void *)(size_t)(done >= requests / CONNECTIONS);
}

int main(int argc, char **argv)
{
    pthread_t threads[CONNECTIONS];
    int right = argc == 4;

    if (argc != 4 || (in_flight = atoi(argv[3])) < 1 || in_flight > MOST)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    requests = atol(argv[2]);
    for (size_t i = 0; i < CONNECTIONS; i++)
        pthread_create(&threads[i], NULL, client, (void *)(i + 1));
    for (size_t i = 0; i < CONNECTIONS; i++) {
        void *all;
        pthread_join(threads[i], &all);
        right = right && all;
    }
    return !right;
}
