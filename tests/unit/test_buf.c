#include <string.h>

#include "base/buf.h"
#include "test.h"

static void grows_and_stays_terminated(void **state)
{
    struct buf buf AUTO(buf_clear) = {0};
    char piece[100];

    (void)state;
    memset(piece, 'x', sizeof piece);
    assert_string_equal(buf_text(&buf), "");
    buf_append(&buf, "", 0);
    assert_string_equal(buf_text(&buf), "");
    for (size_t i = 1; i <= 100; i++) {
        buf_append(&buf, piece, sizeof piece);
        assert_int_equal(buf.length, i * sizeof piece);
        assert_int_equal(strlen(buf_text(&buf)), buf.length);
    }
    buf_append_format(&buf, "%d%s", 7, "end");
    assert_string_equal(buf.bytes + buf.length - 5, "x7end");
    buf_clear(&buf);
    assert_null(buf.bytes);
    buf_clear(&buf);
}

static void extends_and_shortens(void **state)
{
    struct buf buf AUTO(buf_clear) = {0};
    char *added;

    (void)state;
    buf_append_text(&buf, "secret");
    buf_shorten(&buf, 4);
    assert_string_equal(buf_text(&buf), "se");
    assert_memory_equal(buf.bytes, "se\0\0\0\0", 7);
    added = buf_extend(&buf, 1000);
    assert_int_equal(buf.length, 1002);
    for (size_t i = 0; i <= 1000; i++)
        assert_int_equal(added[i], 0);
    memset(added, 'y', 1000);
    assert_int_equal(strlen(buf_text(&buf)), 1002);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(extends_and_shortens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
