#include "base/system.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"

/* Ends the process if the kernel has no randomness. */
static void random_bytes(void *out, size_t length)
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

static const char *variable(const char *name)
{
    const char *value = secure_getenv(name);

    return value == NULL ? "" : value;
}

static const char *home(void)
{
    const struct passwd *user = getpwuid(geteuid());

    return user == NULL ? NULL : user->pw_dir;
}

const struct system system_real = {
    .wall_s = clock_wall_s,
    .mono_ms = clock_mono_ms,
    .boot_ms = clock_boot_ms,
    .sleep_until = clock_sleep_until,
    .random_bytes = random_bytes,
    .variable = variable,
    .home = home,
    .read_file = file_read_trusted,
};

int64_t system_random_below(const struct system *system, int64_t below)
{
    uint64_t number;

    if (below <= 0)
        return 0;
    system->random_bytes(&number, sizeof number);
    return (int64_t)(number % (uint64_t)below);
}
