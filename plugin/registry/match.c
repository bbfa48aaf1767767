#include "registry/match.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

/* A part of a string. */
struct span {
    const char *at;
    size_t length;
};

/* Up to the first byte of `text` that is in `ends`, or all of it. */
static struct span head_of(const char *text, const char *ends)
{
    return (struct span){.at = text, .length = strcspn(text, ends)};
}

static bool equal(struct span a, struct span b)
{
    return a.length == b.length && memcmp(a.at, b.at, a.length) == 0;
}

/* One label. On a mismatch only the last star takes one byte more: earlier stars need never be
 * tried again, so that no pattern is exponential. */
static bool match_label(struct span pattern, struct span label)
{
    size_t p = 0;
    size_t l = 0;
    size_t after_star = 0; /* 0: no star yet */
    size_t taken_to = 0;

    while (l < label.length) {
        if (p < pattern.length && pattern.at[p] == '*') {
            after_star = ++p;
            taken_to = l;
        } else if (p < pattern.length && pattern.at[p] == label.at[l]) {
            p++;
            l++;
        } else if (after_star > 0) {
            p = after_star;
            l = ++taken_to;
        } else {
            return false;
        }
    }
    while (p < pattern.length && pattern.at[p] == '*')
        p++;
    return p == pattern.length;
}

static bool match_labels(struct span pattern, struct span host)
{
    const char *pattern_end = pattern.at + pattern.length;
    const char *host_end = host.at + host.length;

    for (;;) {
        struct span p = head_of(pattern.at, ".:/");
        struct span h = head_of(host.at, ".:");

        if (!match_label(p, h))
            return false;
        pattern.at += p.length;
        host.at += h.length;
        if (pattern.at == pattern_end || host.at == host_end)
            return pattern.at == pattern_end && host.at == host_end;
        pattern.at++;
        host.at++;
    }
}

bool match_host(const char *pattern, const char *authority)
{
    struct span pattern_name = head_of(pattern, ":/");
    struct span name = head_of(authority, ":");
    /* From the colon on: empty for no port. */
    struct span pattern_port = head_of(pattern + pattern_name.length, "/");
    struct span port = head_of(authority + name.length, "");

    return equal(pattern_port, port) && match_labels(pattern_name, name);
}

bool match_image(const char *pattern, const char *authority, const char *path)
{
    return match_host(pattern, authority) && text_starts_with(path, strchrnul(pattern, '/'));
}
