/* A world (graph_world.h) of three locks A, B, C, for tests that ask what was found last. */
#ifndef TESTS_GRAPH_ABC_H
#define TESTS_GRAPH_ABC_H

#include "tests/unit/graph_world.h"

static dlw_node a, b, c;

static inline void start_abc(void)
{
    world_start();
    a = world_lock('A');
    b = world_lock('B');
    c = world_lock('C');
}

static inline void assert_findings(uint32_t n)
{
    ck_assert_uint_eq(world.n_findings, n);
}

static inline void assert_last(uint8_t harmless, uint32_t n_cycle)
{
    ck_assert_uint_gt(world.n_findings, 0);
    ck_assert_int_eq(world.findings[world.n_findings - 1].harmless, harmless);
    ck_assert_uint_eq(world.findings[world.n_findings - 1].n_cycle, n_cycle);
}

#endif
