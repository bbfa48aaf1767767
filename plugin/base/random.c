#include "base/random.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *out, size_t length)
{
    ssize_t got;

    assert(length <= 256);
    do {
        got = getrandom(out, length, 0);
    } while (got < 0 && errno == EINTR);
    /* Up to 256 bytes come whole once the kernel's pool is ready (getrandom(2)). */
    if (got != (ssize_t)length)
        abort();
}

int64_t random_below(int64_t below)
{
    uint64_t number;

    if (below <= 0)
        return 0;
    random_bytes(&number, sizeof number);
    return (int64_t)(number % (uint64_t)below);
}
