/* kubelet/replace: files are read and replaced as a whole, or left as they are. */
#include "kubelet/replace.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_system.h"
#include "test.h"

enum { MAX_BYTES = 16 };

/* Tests run in a folder of their own. */
static char folder[] = "/tmp/acr-test-replace-XXXXXX";

static int enter(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    return mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int leave(void **state)
{
    static const char *const names[] = {"file", "file.bak", "link", "sub/file", "sub/file.bak"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++)
        (void)unlink(names[i]);
    (void)rmdir("sub");
    return chdir("/") != 0 || rmdir(folder) != 0; /* nothing else was left behind */
}

static void write_text(const char *name, const char *text, mode_t mode)
{
    int descriptor = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), (int)strlen(text));
    assert_int_equal(fchmod(descriptor, mode), 0);
    assert_int_equal(close(descriptor), 0);
}

static void expect(const char *name, const char *text, mode_t mode)
{
    int descriptor = open(name, O_RDONLY);
    char content[MAX_BYTES + 1] = "";
    struct stat status;

    assert_true(descriptor >= 0);
    assert_true(read(descriptor, content, MAX_BYTES) >= 0);
    assert_string_equal(content, text);
    assert_int_equal(fstat(descriptor, &status), 0);
    assert_int_equal(status.st_mode & 07777, mode);
    assert_int_equal(close(descriptor), 0);
}

static void replaces_a_file(void **state)
{
    static const mode_t modes[] = {0600, 0644, 0640, 0444};
    struct buf text AUTO(buf_clear) = {0};
    bool is_kept = false;
    struct error err;

    (void)state;
    buf_append_text(&text, "new");
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct replace file AUTO(replace_clear) = {0};

        (void)unlink("file");
        (void)unlink("file.bak");
        write_text("file", "old", modes[i]);
        assert_true(replace_open(&file, "file", MAX_BYTES, &err));
        assert_int_equal(file.kind, REPLACE_FILE);
        assert_string_equal(file.name, "file");
        assert_string_equal(file.content.bytes, "old");
        assert_true(replace_write(&file, &fake_system, &text, 0666, &is_kept, &err));
        assert_true(is_kept);
        expect("file", "new", modes[i]);
        expect("file.bak", "old", modes[i]);
    }
}

static void makes_a_file(void **state)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    bool is_kept = false;
    struct error err;
    const mode_t mask = umask(077);

    (void)state;
    buf_append_text(&text, "new");
    assert_true(replace_open(&file, "file", MAX_BYTES, &err));
    assert_int_equal(file.kind, REPLACE_NOTHING);
    assert_true(file.has_directory);
    assert_string_equal(file.path, "file");
    assert_true(replace_write(&file, &fake_system, &text, 0644, &is_kept, &err));
    (void)umask(mask);
    expect("file", "new", 0644);
    assert_int_not_equal(access("file.bak", F_OK), 0);
}

static void knows_what_is_there(void **state)
{
    static const struct {
        const char *path;
        enum replace_kind kind;
        bool has_directory;
    } rows[] = {
        {"sub", REPLACE_DIRECTORY, false},    {"sub/", REPLACE_DIRECTORY, false},
        {".", REPLACE_DIRECTORY, false},      {"/", REPLACE_DIRECTORY, false},
        {"sub/new", REPLACE_NOTHING, true},   {"missing/new", REPLACE_NOTHING, false},
        {"missing/", REPLACE_NOTHING, false}, {"file/new", REPLACE_NOTHING, false},
        {"file", REPLACE_FILE, true},         {"sub/../link", REPLACE_FILE, true},
    };

    (void)state;
    assert_int_equal(mkdir("sub", 0700), 0);
    write_text("file", "", 0600);
    assert_int_equal(symlink("file", "link"), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct replace file AUTO(replace_clear) = {0};
        struct error err;

        if (!replace_open(&file, rows[i].path, MAX_BYTES, &err) || file.kind != rows[i].kind ||
            file.has_directory != rows[i].has_directory)
            fail_msg("%s", rows[i].path);
    }
}

static void follows_a_link(void **state)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct stat status;
    bool is_kept = false;
    struct error err;

    (void)state;
    buf_append_text(&text, "new");
    assert_int_equal(mkdir("sub", 0700), 0);
    write_text("sub/file", "old", 0600);
    assert_int_equal(symlink("sub/file", "link"), 0);
    assert_true(replace_open(&file, "link", MAX_BYTES, &err));
    /* Whatever the path leads to now, the directory stays the one that was opened. */
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(symlink("elsewhere", "link"), 0);
    assert_true(replace_write(&file, &fake_system, &text, 0644, &is_kept, &err));
    assert_int_equal(lstat("link", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    expect("sub/file", "new", 0600);
    expect("sub/file.bak", "old", 0600);
}

static void refuses_to_open(void **state)
{
    static const struct {
        const char *path;
        const char *words;
    } rows[] = {
        {"large", "more than 16 bytes"},         {"fifo", "is not a regular file"},
        {"loop", "Too many levels of symbolic"}, {"nowhere", "is a symbolic link to nothing"},
        {"/dev/null", "is not a regular file"},
    };

    (void)state;
    write_text("large", "0123456789abcdefg", 0600);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_int_equal(symlink("loop", "loop"), 0);
    assert_int_equal(symlink("missing", "nowhere"), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct replace file AUTO(replace_clear) = {0};
        struct error err = {0};
        char line[ERROR_LINE_SIZE];

        assert_false(replace_open(&file, rows[i].path, MAX_BYTES, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        error_format(&err, line, sizeof line);
        if (strstr(line, rows[i].words) == NULL || strstr(line, rows[i].path) == NULL)
            fail_msg("%s", line);
        (void)unlink(rows[i].path[0] == '/' ? "" : rows[i].path);
    }
}

static void removes_a_file(void **state)
{
    struct replace file AUTO(replace_clear) = {0};
    bool is_kept = false;
    struct error err;

    (void)state;
    write_text("file", "old", 0640);
    assert_true(replace_open(&file, "file", MAX_BYTES, &err));
    assert_true(replace_remove(&file, &is_kept, &err));
    assert_int_not_equal(access("file", F_OK), 0);
    expect("file.bak", "old", 0640);
}

/* What somebody else does between reading and writing. */
static void do_nothing(void)
{
}

static void write_file(void)
{
    write_text("file", "other", 0600);
}

static void replace_file(void)
{
    write_text("sub/file", "other", 0600);
    assert_int_equal(rename("sub/file", "file"), 0);
}

static void remove_file(void)
{
    assert_int_equal(unlink("file"), 0);
}

static void refuses_what_has_changed(void **state)
{
    static const struct {
        void (*before)(void);
        void (*meanwhile)(void);
        const char *after;
    } rows[] = {
        {do_nothing, write_file, "other"},
        {write_file, replace_file, "other"},
        {write_file, remove_file, NULL},
    };
    struct buf text AUTO(buf_clear) = {0};

    (void)state;
    buf_append_text(&text, "new");
    assert_int_equal(mkdir("sub", 0700), 0);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct replace file AUTO(replace_clear) = {0};
        bool is_kept = false;
        struct error err = {0};

        (void)unlink("file");
        rows[i].before();
        assert_true(replace_open(&file, "file", MAX_BYTES, &err));
        rows[i].meanwhile();
        assert_false(replace_write(&file, &fake_system, &text, 0644, &is_kept, &err));
        assert_int_equal(err.kind, ERROR_TEMPORARY);
        assert_string_equal(err.advice, "Run it again");
        if (rows[i].after != NULL)
            expect("file", rows[i].after, 0600);
        assert_false(replace_remove(&file, &is_kept, &err));
        assert_int_not_equal(access("file.bak", F_OK), 0);
    }
}

static void keeps_the_first_backup(void **state)
{
    struct replace file AUTO(replace_clear) = {0};
    struct replace changed AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    bool is_kept = true;
    struct error err = {0};

    (void)state;
    buf_append_text(&text, "new");
    write_text("file", "old", 0600);
    write_text("file.bak", "first", 0640);
    assert_true(replace_open(&file, "file", MAX_BYTES, &err));
    assert_true(replace_write(&file, &fake_system, &text, 0644, &is_kept, &err));
    assert_false(is_kept);
    expect("file", "new", 0600);
    expect("file.bak", "first", 0640);
    assert_false(replace_remove(&file, &is_kept, &err));
    assert_int_equal(err.kind, ERROR_TEMPORARY);
    assert_true(replace_open(&changed, "file", MAX_BYTES, &err));
    assert_true(replace_remove(&changed, &is_kept, &err));
    assert_false(is_kept);
    assert_int_not_equal(access("file", F_OK), 0);
    expect("file.bak", "first", 0640);
}

static void writes_its_own_mode(void **state)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct error err = {0};

    (void)state;
    buf_append_text(&text, "new");
    write_text("file", "old", 0600);
    assert_true(replace_open(&file, "file", MAX_BYTES, &err));
    assert_true(replace_write_own(&file, &fake_system, &text, 0755, &err));
    expect("file", "new", 0755);
    assert_int_not_equal(access("file.bak", F_OK), 0);
}

/* Root alone can make files of others. */
static void refuses_what_others_lead_to(void **state)
{
    static const char *const paths[] = {"link", "sub/file", "sub/new"};

    (void)state;
    if (geteuid() != 0)
        skip();
    write_text("file", "old", 0600);
    assert_int_equal(symlink("file", "link"), 0);
    assert_int_equal(lchown("link", 65534, 65534), 0);
    assert_int_equal(mkdir("sub", 0700), 0);
    write_text("sub/file", "old", 0600);
    assert_int_equal(chown("sub", 65534, 65534), 0);
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct replace file AUTO(replace_clear) = {0};
        struct error err = {0};

        assert_false(replace_open(&file, paths[i], MAX_BYTES, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.cause, "belongs to user 65534, not to root"));
    }
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(replaces_a_file),          IN_FOLDER(makes_a_file),
        IN_FOLDER(knows_what_is_there),      IN_FOLDER(follows_a_link),
        IN_FOLDER(refuses_to_open),          IN_FOLDER(removes_a_file),
        IN_FOLDER(refuses_what_has_changed), IN_FOLDER(keeps_the_first_backup),
        IN_FOLDER(writes_its_own_mode),      IN_FOLDER(refuses_what_others_lead_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
