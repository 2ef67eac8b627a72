/*
 * Joins in the lock order. A thread holds its own end from its start on: what it takes comes
 * before it. Who joins while holding locks wants that end. So "joins T while holding what T takes"
 * is a cycle of two, though today T was quick enough.
 *
 * What a thread took is known as far as its table reaches (outermost.h). A lock is believed to be
 * the same one only where its mark says so, where it bears none and nobody was seen to move in at
 * its address since, or where it is static: else an address may have had two tenants, and nothing
 * is said.
 */
#ifndef DLW_ORDER_JOIN_ORDER_H
#define DLW_ORDER_JOIN_ORDER_H

#include "interpose/threads/joinable.h"

/* A join of `ended` came back while the caller holds locks. Called with the guard up. */
void dlw_join_order_learn(struct dlw_thread *self, const struct dlw_ended *ended, bool timed,
                          const struct dlw_call *call);

#endif
