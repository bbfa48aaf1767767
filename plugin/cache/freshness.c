#include "cache/freshness.h"

enum { USABLE_S = 60 };

/* How long before it expires a token is renewed; never 0, since a pull takes a while. */
static int64_t margin_of(int64_t remaining_s, int64_t margin_s)
{
    int64_t margin = margin_s < USABLE_S ? USABLE_S : margin_s;

    return margin < remaining_s / 2 ? margin : remaining_s / 2;
}

int64_t freshness_cache_s(int64_t remaining_s, int64_t margin_s, int64_t random)
{
    int64_t cache_s = remaining_s - margin_of(remaining_s, margin_s);

    return cache_s - random % (cache_s / 10 + 1);
}

bool freshness_is_fresh(int64_t remaining_s, int64_t life_s, int64_t margin_s)
{
    int64_t margin = margin_of(life_s, margin_s);

    return freshness_is_usable(remaining_s) && remaining_s > margin + (life_s - margin) / 10;
}

bool freshness_is_usable(int64_t remaining_s)
{
    return remaining_s > USABLE_S;
}
