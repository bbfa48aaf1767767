#include "base/system.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"

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
