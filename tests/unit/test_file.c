/* base/file: which files are read, and whole streams with a bound and a deadline. */
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/system.h"
#include "test.h"

enum { OTHER_USER = 65533 };

static char path[] = "/tmp/acr-test-file-XXXXXX";

static int make_file(void **state)
{
    int descriptor;

    (void)state;
    strcpy(path + strlen(path) - 6, "XXXXXX");
    descriptor = mkstemp(path);
    return descriptor < 0 || write(descriptor, "text", 4) != 4 || close(descriptor) != 0;
}

static int remove_file(void **state)
{
    (void)state;
    return remove(path);
}

static void assert_refused(const char *which, size_t max_bytes, const char *cause)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};

    assert_int_equal(file_read_trusted(&content, which, max_bytes, &err), FILE_REFUSED);
    assert_int_equal(err.kind, ERROR_CONFIG);
    if (strstr(err.cause, cause) == NULL)
        fail_msg("%s", err.cause);
}

static void test_trusted_file(void **state)
{
    static const mode_t refused[] = {0620, 0602, 0666, 0777};
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    assert_int_equal(file_read_trusted(&content, path, 4, &err), FILE_READ);
    assert_string_equal(content.bytes, "text");
    assert_refused(path, 3, "more than 3 bytes");
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        assert_int_equal(chmod(path, refused[i]), 0);
        assert_refused(path, 4, "can be written by others than its owner");
    }
    assert_int_equal(chmod(path, 0644), 0);
    buf_clear(&content);
    assert_int_equal(file_read_trusted(&content, path, 4, &err), FILE_READ);
    assert_refused("/tmp", 4, "/tmp is not a regular file");
    assert_int_equal(file_read_trusted(&content, "/tmp/none/none", 4, &err), FILE_ABSENT);
    assert_int_equal(err.cause[0], '\0');
}

static void test_file_of_another_user(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(path, OTHER_USER, OTHER_USER), 0);
    assert_refused(path, 4, "belongs to neither root nor the user that runs this program");
}

static void test_stream(void **state)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};
    int64_t soon_ms = system_mono_ms() + 20;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(file_write_all(ends[1], "text", 4, &err));
    assert_false(file_read_stream(&content, ends[0], 4, soon_ms, &err));
    assert_string_equal(err.cause, "timed out waiting for end of input");
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_true(system_mono_ms() >= soon_ms);
    assert_int_equal(close(ends[1]), 0);
    assert_true(file_read_stream(&content, ends[0], 4, system_mono_ms() + 1000, &err));
    assert_string_equal(content.bytes, "text");
    assert_int_equal(close(ends[0]), 0);
    assert_false(file_read_stream(&content, ends[0], 4, system_mono_ms() + 1000, &err));
    assert_false(file_write_all(ends[0], "text", 4, &err));
    assert_int_equal(err.kind, ERROR_IO);
}

static void test_stream_that_is_too_long(void **state)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err = {0};
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(file_write_all(ends[1], "texts", 5, &err));
    assert_false(file_read_stream(&content, ends[0], 4, system_mono_ms() + 1000, &err));
    assert_string_equal(err.cause, "more than 4 bytes");
    assert_int_equal(err.kind, ERROR_REQUEST);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trusted_file, make_file, remove_file),
        cmocka_unit_test_setup_teardown(test_file_of_another_user, make_file, remove_file),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
