/* A system whose clocks stand still but for sleeping, and whose environment and files are lists. A
 * test changes `fake` and hands `fake_system` in. */
#ifndef TESTS_UNIT_FAKE_SYSTEM_H
#define TESTS_UNIT_FAKE_SYSTEM_H

#include <string.h>

#include "base/system.h"

struct fake_text {
    const char *name;
    const char *value;
};

static struct fake_state {
    int64_t wall_s;
    int64_t mono_ms; /* the boot clock shows the same */
    int64_t slept_ms;
    void (*on_sleep)(void); /* called after each sleep; NULL: nothing happens meanwhile */
    unsigned char random;   /* the next random byte */
    const struct fake_text *variables; /* ends with a NULL name */
    const struct fake_text *files;     /* by path; ends with a NULL name */
    const char *home;
} fake;

static inline int64_t fake_wall_s(void)
{
    return fake.wall_s;
}

static inline int64_t fake_mono_ms(void)
{
    return fake.mono_ms;
}

static inline void fake_sleep_until(int64_t mono_ms)
{
    if (mono_ms > fake.mono_ms) {
        fake.slept_ms += mono_ms - fake.mono_ms;
        fake.wall_s += (mono_ms - fake.mono_ms) / 1000;
        fake.mono_ms = mono_ms;
    }
    if (fake.on_sleep != NULL)
        fake.on_sleep();
}

static inline void fake_random_bytes(void *out, size_t length)
{
    memset(out, fake.random, length);
    fake.random++;
}

static inline const char *fake_find(const struct fake_text *list, const char *name)
{
    for (; list != NULL && list->name != NULL; list++) {
        if (strcmp(list->name, name) == 0)
            return list->value;
    }
    return NULL;
}

static inline const char *fake_variable(const char *name)
{
    const char *value = fake_find(fake.variables, name);

    return value == NULL ? "" : value;
}

static inline const char *fake_home(void)
{
    return fake.home;
}

/* A file whose value begins with "!" cannot be read, for the reason that follows. */
static inline enum file_outcome fake_read_file(struct buf *out, const char *path, size_t max_bytes,
                                               struct error *err)
{
    const char *content = fake_find(fake.files, path);

    (void)max_bytes;
    if (content == NULL)
        return FILE_ABSENT;
    if (content[0] == '!') {
        error_set(err, ERROR_CONFIG, "%s: %s", path, content + 1);
        return FILE_REFUSED;
    }
    buf_append(out, content, strlen(content));
    return FILE_READ;
}

static const struct system fake_system = {
    .wall_s = fake_wall_s,
    .mono_ms = fake_mono_ms,
    .boot_ms = fake_mono_ms,
    .sleep_until = fake_sleep_until,
    .random_bytes = fake_random_bytes,
    .variable = fake_variable,
    .home = fake_home,
    .read_file = fake_read_file,
};

#endif
