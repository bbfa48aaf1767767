/* kubelet/host_root: what is opened lies below the root, whatever links say. */
#include "kubelet/host_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char root[] = "/tmp/acr-root-XXXXXX";
static char outside[] = "/tmp/acr-file-XXXXXX";

static char *below(char path[64], const char *name)
{
    (void)snprintf(path, 64, "%s/%s", root, name);
    return path;
}

static void make_link(const char *name, const char *target)
{
    char path[64];

    assert_int_equal(symlink(target, below(path, name)), 0);
}

static int set_up(void **state)
{
    char path[64];
    FILE *file;
    int descriptor;

    (void)state;
    assert_non_null(mkdtemp(root));
    descriptor = mkstemp(outside);
    assert_true(descriptor >= 0);
    (void)close(descriptor);
    assert_int_equal(mkdir(below(path, "etc"), 0755), 0);
    file = fopen(below(path, "etc/file"), "we");
    assert_non_null(file);
    assert_true(fputs("content", file) >= 0);
    assert_int_equal(fclose(file), 0);
    make_link("absolute", "/etc/file");
    make_link("relative", "etc/file");
    make_link("upward", "../../../etc/file");
    make_link("folder", "/etc");
    make_link("outside", outside);
    make_link("loop", "loop");
    assert_int_equal(mkfifo(below(path, "fifo"), 0644), 0);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"absolute", "relative", "upward",   "folder", "outside",
                                        "loop",     "fifo",     "etc/file", "etc",    ""};
    char path[64];

    (void)state;
    (void)unlink(outside);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)remove(below(path, names[i]));
    return 0;
}

static bool has_openat2(void)
{
    int descriptor AUTO(file_close) = host_root_open(root, "/absolute", O_RDONLY);

    return descriptor >= 0;
}

static void follows_links_below_the_root(void **state)
{
    static const char *const paths[] = {"/etc/file", "/absolute",    "/relative",
                                        "/upward",   "/../etc/file", "/folder/file"};

    (void)state;
    if (!has_openat2())
        skip();
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct buf content AUTO(buf_clear) = {0};
        struct error err;

        assert_int_equal(host_root_read(&content, root, paths[i], 100, &err), FILE_READ);
        assert_string_equal(buf_text(&content), "content");
    }
}

static void does_not_leave_the_root(void **state)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err;

    (void)state;
    if (!has_openat2())
        skip();
    assert_int_equal(host_root_read(&content, root, "/outside", 100, &err), FILE_ABSENT);
    assert_int_equal(host_root_read(&content, "", outside, 100, &err), FILE_READ);
}

static void says_what_is_wrong(void **state)
{
    struct buf content AUTO(buf_clear) = {0};
    struct error err;

    (void)state;
    if (!has_openat2())
        skip();
    assert_int_equal(host_root_read(&content, root, "/missing", 100, &err), FILE_ABSENT);
    assert_int_equal(host_root_read(&content, root, "/etc/file/x", 100, &err), FILE_ABSENT);
    assert_int_equal(host_root_read(&content, "/nonexistent", "/etc/file", 9, &err), FILE_ABSENT);
    assert_int_equal(host_root_read(&content, root, "/loop", 100, &err), FILE_REFUSED);
    assert_string_equal(err.cause, "cannot open /loop: Too many levels of symbolic links");
    assert_int_equal(host_root_read(&content, root, "/fifo", 100, &err), FILE_REFUSED);
    assert_string_equal(err.cause, "/fifo is not a regular file");
    assert_int_equal(host_root_read(&content, root, "/etc", 100, &err), FILE_REFUSED);
    assert_int_equal(host_root_read(&content, root, "/etc/file", 3, &err), FILE_REFUSED);
    assert_string_equal(err.context, "/etc/file");
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void names_what_is_open(void **state)
{
    int descriptor AUTO(file_close) = host_root_open(root, "/etc", O_RDONLY | O_DIRECTORY);
    const struct host_root_path path = host_root_path_of(descriptor);
    struct stat ours;
    struct stat theirs;

    (void)state;
    if (!has_openat2())
        skip();
    assert_int_equal(fstat(descriptor, &ours), 0);
    assert_int_equal(stat(path.text, &theirs), 0);
    assert_true(ours.st_ino == theirs.st_ino);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_links_below_the_root),
        cmocka_unit_test(does_not_leave_the_root),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(names_what_is_open),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
