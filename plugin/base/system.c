#include "base/system.h"

#include <assert.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_s(void)
{
    return (int64_t)time(NULL);
}

static int64_t read_ms(clockid_t clock)
{
    struct timespec now = {0};

    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t system_mono_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

static int64_t boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}

void system_sleep_until(int64_t mono_ms)
{
    struct timespec until = {.tv_sec = (time_t)(mono_ms / 1000),
                             .tv_nsec = (long)(mono_ms % 1000) * 1000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

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
    .wall_s = wall_s,
    .mono_ms = system_mono_ms,
    .boot_ms = boot_ms,
    .sleep_until = system_sleep_until,
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
