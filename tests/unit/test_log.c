/* base/log: what is written at which level and where. */
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

/* What stderr has got since take_stderr(). */
static char written[4096];
static int saved = -1;
static int pipe_ends[2];

static void take_stderr(void)
{
    fflush(stderr);
    saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(pipe_ends), 0);
    assert_int_equal(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
}

static void give_stderr_back(void)
{
    ssize_t length;

    assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(close(saved) | close(pipe_ends[1]), 0);
    length = read(pipe_ends[0], written, sizeof written - 1);
    assert_true(length >= 0);
    written[length] = '\0';
    assert_int_equal(close(pipe_ends[0]), 0);
}

static void log_everything(void)
{
    take_stderr();
    log_debug("d%d\n", 1);
    log_info("i");
    log_warning("w\x1b");
    give_stderr_back();
}

#define LINE(text) "aliyun-acr-credential-provider: " text "\n"

static void test_levels(void **state)
{
    static const char *const lines[] = {
        [LOG_LEVEL_ERROR] = "",
        [LOG_LEVEL_WARNING] = LINE("warning: w?"),
        [LOG_LEVEL_INFO] = LINE("info: i") LINE("warning: w?"),
        [LOG_LEVEL_DEBUG] = LINE("debug: d1?") LINE("info: i") LINE("warning: w?"),
    };

    (void)state;
    log_everything();
    assert_string_equal(written, lines[LOG_LEVEL_ERROR]);
    for (unsigned level = 0; level < COUNT_OF(lines); level++) {
        log_configure((enum log_level)level, LOG_TO_STDERR);
        log_everything();
        assert_string_equal(written, lines[level]);
    }
}

/* What syslog gets is for tests/system/test_syslog.py. */
static void test_stderr_has_nothing_that_is_for_syslog(void **state)
{
    struct error err;

    (void)state;
    log_configure(LOG_LEVEL_DEBUG, LOG_TO_SYSLOG);
    log_everything();
    assert_string_equal(written, "");
    take_stderr();
    error_set(&err, ERROR_CONFIG, "broken");
    log_error(&err);
    give_stderr_back();
    assert_string_equal(written, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_stderr_has_nothing_that_is_for_syslog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
