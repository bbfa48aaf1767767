/* How long a token is used: by kubelets, and by the other processes of this node. Pure. */
#ifndef CACHE_FRESHNESS_H
#define CACHE_FRESHNESS_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds that kubelets may cache a token that expires in `remaining_s`: that less the margin, or
 * less half of it if that is shorter, since a long pull logs in again; then less up to a tenth, by
 * `random` (not negative), so that nodes that booted together do not renew together. */
int64_t freshness_cache_s(int64_t remaining_s, int64_t margin_s, int64_t random);

/* Whether a cached token, of `life_s` in all, need not be renewed yet. It must be when a kubelet
 * asks again after freshness_cache_s(), even after the shortest: else that would get the same token
 * once more, for a short time. */
bool freshness_is_fresh(int64_t remaining_s, int64_t life_s, int64_t margin_s);

/* Whether it may be served while it cannot be renewed: not if it would expire during the pull. */
bool freshness_is_usable(int64_t remaining_s);

#endif
