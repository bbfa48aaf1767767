#include "kubelet/diff.h"

#include <stdbool.h>
#include <string.h>

enum { CONTEXT_LINES = 3 };

/* A part of a text. */
struct lines {
    const char *begin;
    const char *end;
};

static struct lines whole(const struct buf *text)
{
    const char *bytes = buf_text(text);

    return (struct lines){bytes, bytes + text->length};
}

/* After the first line of those from `at` on. */
static const char *after_line(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline == NULL ? end : newline + 1;
}

/* Where the last line of those before `at` begins. */
static const char *before_line(const char *begin, const char *at)
{
    const char *newline = memrchr(begin, '\n', (size_t)(at - begin) - 1);

    return newline == NULL ? begin : newline + 1;
}

static bool is_equal(struct lines a, struct lines b)
{
    return a.end - a.begin == b.end - b.begin &&
           memcmp(a.begin, b.begin, (size_t)(a.end - a.begin)) == 0;
}

/* Cuts the lines off that both begin with. */
static void skip_common(struct lines *a, struct lines *b)
{
    while (a->begin < a->end && b->begin < b->end) {
        const struct lines line_a = {a->begin, after_line(a->begin, a->end)};
        const struct lines line_b = {b->begin, after_line(b->begin, b->end)};

        if (!is_equal(line_a, line_b))
            return;
        a->begin = line_a.end;
        b->begin = line_b.end;
    }
}

/* Cuts the lines off that both end with. */
static void cut_common(struct lines *a, struct lines *b)
{
    while (a->begin < a->end && b->begin < b->end) {
        const struct lines line_a = {before_line(a->begin, a->end), a->end};
        const struct lines line_b = {before_line(b->begin, b->end), b->end};

        if (!is_equal(line_a, line_b))
            return;
        a->end = line_a.begin;
        b->end = line_b.begin;
    }
}

static size_t count(const char *begin, const char *end)
{
    size_t lines = 0;

    for (; begin < end; begin = after_line(begin, end))
        lines++;
    return lines;
}

static void append_lines(struct buf *out, const char *mark, const char *begin, const char *end)
{
    while (begin < end) {
        const char *next = after_line(begin, end);

        buf_append_text(out, mark);
        buf_append(out, begin, (size_t)(next - begin));
        if (next[-1] != '\n')
            buf_append_text(out, "\n\\ No newline at end of file\n");
        begin = next;
    }
}

/* Lines are counted from 1; of none, the one before is named. */
static void append_range(struct buf *out, const char *text, struct lines lines)
{
    const size_t length = count(lines.begin, lines.end);

    buf_append_format(out, "%zu,%zu", count(text, lines.begin) + (length > 0), length);
}

void diff_append(struct buf *out, const char *old_name, const struct buf *old_text,
                 const char *new_name, const struct buf *new_text)
{
    const struct lines all_old = whole(old_text);
    const struct lines all_new = whole(new_text);
    struct lines removed = all_old;
    struct lines added = all_new;
    struct lines old;
    struct lines new;

    if (is_equal(all_old, all_new))
        return;
    skip_common(&removed, &added);
    cut_common(&removed, &added);
    old = removed;
    new = added;
    for (int i = 0; i < CONTEXT_LINES && old.begin > all_old.begin; i++) {
        old.begin = before_line(all_old.begin, old.begin);
        new.begin = before_line(all_new.begin, new.begin);
    }
    for (int i = 0; i < CONTEXT_LINES && old.end < all_old.end; i++) {
        old.end = after_line(old.end, all_old.end);
        new.end = after_line(new.end, all_new.end);
    }
    buf_append_format(out, "--- %s\n+++ %s\n@@ -", old_name, new_name);
    append_range(out, all_old.begin, old);
    buf_append_text(out, " +");
    append_range(out, all_new.begin, new);
    buf_append_text(out, " @@\n");
    append_lines(out, " ", old.begin, removed.begin);
    append_lines(out, "-", removed.begin, removed.end);
    append_lines(out, "+", added.begin, added.end);
    append_lines(out, " ", removed.end, old.end);
}
