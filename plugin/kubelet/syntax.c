#include "kubelet/syntax.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define DIGITS "0123456789"

enum { URL_SIZE = 300 };

/* Adds a decimal number of units. False if the sum is more than an int64 holds. */
static bool add_duration(uint64_t *sum, const char *number, uint64_t unit)
{
    const char *fraction = number + strspn(number, DIGITS);
    uint64_t whole;

    errno = 0;
    whole = fraction == number ? 0 : strtoull(number, NULL, 10);
    if (errno != 0 || whole > INT64_MAX / unit)
        return false;
    *sum += whole * unit;
    if (*fraction == '.')
        *sum += (uint64_t)(strtod(fraction, NULL) * (double)unit);
    return *sum <= INT64_MAX;
}

/* Go's time.ParseDuration(): "0", or decimal numbers with a unit each, "1h30m". Writes the sum
 * without the sign. */
static bool parse_duration(uint64_t *nanoseconds, const char *text)
{
    static const struct {
        const char *name;
        uint64_t nanoseconds;
    } units[] = {{"ns", 1},       {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
                 {"ms", 1000000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000}};

    *nanoseconds = 0;
    if (strcmp(text, "0") == 0)
        return true;
    do {
        const size_t whole = strspn(text, DIGITS);
        const bool has_dot = text[whole] == '.';
        const size_t fraction = has_dot ? strspn(text + whole + 1, DIGITS) : 0;
        const char *unit = text + whole + has_dot + fraction;
        size_t i = 0;

        while (i < COUNT_OF(units) && !text_starts_with(unit, units[i].name))
            i++;
        if (whole + fraction == 0 || i == COUNT_OF(units))
            return false;
        if (!add_duration(nanoseconds, text, units[i].nanoseconds))
            return false;
        text = unit + strlen(units[i].name);
    } while (*text != '\0');
    return true;
}

bool syntax_is_duration(const char *text)
{
    const bool is_negative = *text == '-';
    uint64_t nanoseconds;

    return parse_duration(&nanoseconds, text + (*text == '+' || is_negative)) &&
           !(is_negative && nanoseconds > 0);
}

/* Whether each percent sign begins an escape: in a path any, in a host those of bytes above 127 and
 * of itself. */
static bool has_valid_escapes(const char *text, size_t length, bool is_path)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '%' &&
            (!isxdigit((unsigned char)text[i + 1]) || !isxdigit((unsigned char)text[i + 2]) ||
             (!is_path && text[i + 1] < '8' && strncmp(text + i, "%25", 3) != 0)))
            return false;
    }
    return true;
}

static bool is_parsable_host(const char *host, size_t length, bool allows_colons)
{
    const char *first = memchr(host, ':', length);
    const char *last = memrchr(host, ':', length);

    for (size_t i = 0; i < length; i++) {
        if (strchr(" [\\^`{|}", host[i]) != NULL)
            return false;
    }
    return has_valid_escapes(host, length, false) &&
           (first == NULL || first == last || allows_colons) &&
           (last == NULL || last + 1 + strspn(last + 1, DIGITS) == host + length);
}

/* Whether Go's net/url takes it for a user and a password. */
static bool is_user(const char *text, size_t length)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._:~!$&'()*+,;=%@";

    return strspn(text, allowed) >= length && has_valid_escapes(text, length, true);
}

bool syntax_is_pattern(const char *pattern, bool allows_colons)
{
    const size_t authority = strcspn(pattern, "/?#");
    const char *at = memrchr(pattern, '@', authority);
    const char *host = at == NULL ? pattern : at + 1;
    const char *fragment = strchrnul(pattern, '#');
    char url[URL_SIZE];
    char name[CHECK_HOST_SIZE];

    for (const char *byte = pattern; *byte != '\0' && *byte != '#'; byte++) {
        if ((unsigned char)*byte < ' ' || *byte == 0x7f)
            return false;
    }
    if (!has_valid_escapes(pattern + authority, strcspn(pattern + authority, "?#"), true) ||
        !has_valid_escapes(fragment, strlen(fragment), true) ||
        !is_user(pattern, (size_t)(host - pattern)))
        return false;
    text_join(url, sizeof url, "https", "://", host);
    return host[0] == '['
               ? check_split_url(name, url, "https") != NULL
               : is_parsable_host(host, authority - (size_t)(host - pattern), allows_colons);
}

/* Characters of a qualified name: letters, digits, and inside of it "-", "_" and ".". */
bool syntax_is_annotation_key(const char *key)
{
    static const char inner[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    const char *slash = strchr(key, '/');
    const char *name = slash == NULL ? key : slash + 1;
    const size_t length = strlen(name);
    char prefix[CHECK_HOST_SIZE];

    if (slash != NULL) {
        if (slash == key || (size_t)(slash - key) >= sizeof prefix)
            return false;
        text_copy(prefix, (size_t)(slash - key) + 1, key);
        if (!check_is_host_name(prefix))
            return false;
    }
    return length > 0 && length <= 63 && strspn(name, inner) == length &&
           strchr("-_.", name[0]) == NULL && strchr("-_.", name[length - 1]) == NULL;
}
