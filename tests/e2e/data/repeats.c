/*
 * repeats WAY N: makes N accounts and as many ledgers, and nests each account's lock and its
 * ledger's, in the order that WAY names: "account" or "ledger" first. Each pair but the first
 * repeats what that one did.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct object {
    pthread_mutex_t lock;
};

static struct object *new_account(void)
{
    struct object *made = malloc(sizeof(*made));
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

static struct object *new_ledger(void)
{
    struct object *made = malloc(sizeof(*made));
    pthread_mutex_init(&made->lock, NULL);
    return made;
}

static void nest(struct object *outer, struct object *inner)
{
    pthread_mutex_lock(&outer->lock);
    pthread_mutex_lock(&inner->lock);
    pthread_mutex_unlock(&inner->lock);
    pthread_mutex_unlock(&outer->lock);
}

static const char *way;
static int n;

static void *work(void *unused)
{
    for (int i = 0; i < n; i++) {
        struct object *account = new_account(), *ledger = new_ledger();
        if (strcmp(way, "account") == 0)
            nest(account, ledger);
        else
            nest(ledger, account);
        /* Kept: the next ones are at other addresses. */
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    if (argc < 3)
        return 2;
    way = argv[1];
    n = atoi(argv[2]);
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    return 0;
}
