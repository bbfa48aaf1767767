#include "net/http_response.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

void http_response_clear(struct http_response *response)
{
    buf_clear(&response->body);
    *response = (struct http_response){0};
}

/* Copies the value of `line` if it is the header `name`, unless `out` has one already. A value that
 * does not fit is dropped. */
static bool take_header(const char *line, const char *name, char *out, size_t size)
{
    size_t name_length = strlen(name);

    if (strncasecmp(line, name, name_length) != 0 || line[name_length] != ':')
        return false;
    line += name_length + 1;
    line += strspn(line, " \t");
    if (out[0] == '\0' && !text_copy(out, size, line))
        out[0] = '\0';
    text_make_printable(out);
    return true;
}

/* The challenge of scheme Bearer among several in one header (RFC 9110, section 11.6.1). */
static const char *find_bearer(const char *challenges)
{
    const char *at = challenges;

    while ((at = strcasestr(at, "Bearer ")) != NULL && at != challenges && at[-1] != ' ' &&
           at[-1] != ',')
        at++;
    return at;
}

void http_response_take_line(struct http_response *response, const char *bytes, size_t length)
{
    char line[1200] = "";
    char date[64] = "";
    char challenges[sizeof response->challenge] = "";

    if (length >= sizeof line)
        return;
    memcpy(line, bytes, length);
    line[strcspn(line, "\r\n")] = '\0';
    if (text_starts_with(line, "HTTP/")) {
        http_response_clear(response);
    } else if (take_header(line, "date", date, sizeof date)) {
        if (!text_parse_http_date(date, &response->date_s))
            response->date_s = 0;
    } else if (take_header(line, "www-authenticate", challenges, sizeof challenges)) {
        const char *bearer = find_bearer(challenges);

        if (bearer != NULL && response->challenge[0] == '\0')
            (void)text_copy(response->challenge, sizeof response->challenge, bearer);
    } else if (!take_header(line, "retry-after", response->retry_after,
                            sizeof response->retry_after) &&
               !take_header(line, "x-ratelimit-user-api", response->rate_limit,
                            sizeof response->rate_limit) &&
               !take_header(line, "x-ratelimit-user", response->rate_limit,
                            sizeof response->rate_limit)) {
        (void)take_header(line, "x-acs-request-id", response->request_id,
                          sizeof response->request_id);
    }
}
