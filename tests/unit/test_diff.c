/* kubelet/diff: what patch(1) has to find. */
#include <string.h>

#include "kubelet/diff.h"
#include "test.h"

static void shows_what_differs(void **state)
{
    static const struct {
        const char *old;
        const char *new;
        const char *hunk;
    } rows[] = {
        {"a\n", "a\n", ""},
        {"", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
        {"a\nb\n", "a\nx\nb\n", "@@ -1,2 +1,3 @@\n a\n+x\n b\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n6\n7\n8\n9\n",
         "@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"},
        /* Two changes are one hunk. */
        {"a\nb\nc\nd\n", "a\nB\nc\nD\n", "@@ -1,4 +1,4 @@\n a\n-b\n-c\n-d\n+B\n+c\n+D\n"},
        {"a\na\n", "a\na\na\n", "@@ -1,2 +1,3 @@\n a\n a\n+a\n"},
        {"a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n"},
        {"a", "a\nb",
         "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of "
         "file\n"},
        {"a\nb", "x\nb", "@@ -1,2 +1,2 @@\n-a\n+x\n b\n\\ No newline at end of file\n"},
        {"a\r\nb\r\n", "a\r\nc\r\n", "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"},
        {"a\rb\r", "a\rc\r",
         "@@ -1,1 +1,1 @@\n-a\rb\r\n\\ No newline at end of file\n+a\rc\r\n\\ No newline at end of "
         "file\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct buf old AUTO(buf_clear) = {0};
        struct buf new AUTO(buf_clear) = {0};
        struct buf diff AUTO(buf_clear) = {0};
        struct buf expected AUTO(buf_clear) = {0};

        buf_append_text(&old, rows[i].old);
        buf_append_text(&new, rows[i].new);
        diff_append(&diff, "old", &old, "new", &new);
        if (rows[i].hunk[0] != '\0')
            buf_append_format(&expected, "--- old\n+++ new\n%s", rows[i].hunk);
        assert_string_equal(buf_text(&diff), buf_text(&expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_what_differs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
