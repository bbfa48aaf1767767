#include "cache/freshness.h"

enum { USABLE_S = 60 };

/* What is left of a life when the margin begins; never nothing, for a pull goes on for a while. */
static int64_t margin_of(int64_t left_s, int64_t margin_s)
{
    int64_t margin = margin_s < USABLE_S ? USABLE_S : margin_s;

    return margin < left_s / 2 ? margin : left_s / 2;
}

int64_t freshness_cache_s(int64_t left_s, int64_t margin_s, int64_t random)
{
    int64_t cache_s = left_s - margin_of(left_s, margin_s);

    return cache_s - random % (cache_s / 10 + 1);
}

bool freshness_is_fresh(int64_t left_s, int64_t life_s, int64_t margin_s)
{
    int64_t margin = margin_of(life_s, margin_s);

    return freshness_is_usable(left_s) && left_s > margin + (life_s - margin) / 10;
}

bool freshness_is_usable(int64_t left_s)
{
    return left_s > USABLE_S;
}
