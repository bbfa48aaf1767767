/* How long a token is used: by kubelets, and by the other processes of this node. Pure. */
#ifndef CACHE_FRESHNESS_H
#define CACHE_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds that kubelets may keep a token with `left_s` to live: short of its end by the margin, or
 * by half of what is left if that is less, since pulls log in again as they go on; and less up to a
 * tenth of that, by `random` (not negative), so that a fleet that booted together does not return
 * together. */
int64_t freshness_cache_s(int64_t left_s, int64_t margin_s, int64_t random);

/* Whether a kept token, made to live for `life_s`, still serves without being renewed. A kubelet
 * that comes back after freshness_cache_s() finds it has to be: else all of the jitter would be
 * lost on the way. */
bool freshness_is_fresh(int64_t left_s, int64_t life_s, int64_t margin_s);

/* Whether it may serve while it cannot be renewed: not so short that it ends on its way. */
bool freshness_is_usable(int64_t left_s);

#endif
