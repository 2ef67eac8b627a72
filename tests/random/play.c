/* play SEED: runs one of the generated programs that are linked in. */
#include "tests/random/play.h"

int main(int argc, char **argv)
{
    unsigned long seed = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    for (const struct play *play = plays; play->main; play++) {
        if (play->seed == seed)
            return play->main();
    }
    fprintf(stderr, "play: no program of the seed %lu\n", seed);
    return 98;
}
