#include "registry/challenge.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/text.h"
#include "net/retry.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024,
    CONNECT_TIMEOUT_MS = 3000,
    EXCHANGE_TIMEOUT_MS = 6000,
    SERVICE_SIZE = 256,
};

static struct http_request make_request(struct buf *url, const char *authority)
{
    buf_append_format(url, "https://%s/v2/", authority);
    return (struct http_request){.kind = HTTP_SECURE,
                                 .method = "GET",
                                 .url = buf_text(url),
                                 .body_max_bytes = ANSWER_MAX_BYTES,
                                 .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                 .timeout_ms = EXCHANGE_TIMEOUT_MS};
}

void challenge_prefetch(const struct http *http, const char *authority)
{
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, authority);

    http_prefetch(http, &request);
}

bool challenge_request(struct challenge *out, const struct http *http, const char *authority,
                       unsigned tries, struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, authority);

    if (!retry_send(http, &request, tries, &response, err))
        return false;
    return (response.status == 401 && challenge_parse(out, response.challenge)) ||
           error_set(err, ERROR_CONFIG, "it does not answer /v2/ as ACR does (HTTP status %ld)",
                     response.status);
}

bool challenge_parameter(char *out, size_t size, const char *header, const char *name)
{
    const size_t name_length = strlen(name);

    for (const char *at = header; (at = strcasestr(at, name)) != NULL; at += name_length) {
        const char *value = at + name_length + strlen("=\"");
        size_t length;

        if (at == header || (at[-1] != ' ' && at[-1] != ',') ||
            strncmp(at + name_length, "=\"", 2) != 0)
            continue;
        length = strcspn(value, "\"");
        if (value[length] != '"' || length >= size)
            return false;
        memcpy(out, value, length);
        out[length] = '\0';
        return true;
    }
    return false;
}

bool challenge_parse(struct challenge *out, const char *header)
{
    char service[SERVICE_SIZE];
    struct challenge found = {0};
    struct error ignored;
    char *rest = NULL;
    char *part;

    if (strncasecmp(header, "Bearer ", 7) != 0 ||
        !challenge_parameter(service, sizeof service, header, "service"))
        return false;
    part = strtok_r(service, ":", &rest);
    if (part == NULL || strcasecmp(part, "registry.aliyuncs.com") != 0)
        return false;
    part = strtok_r(NULL, ":", &rest);
    if (part == NULL || !text_is_region(part) ||
        !text_copy(found.region, sizeof found.region, part))
        return false;
    while ((part = strtok_r(NULL, ":", &rest)) != NULL) {
        if (!text_starts_with(part, "cri-"))
            continue;
        if (!check_text(CHECK_INSTANCE_ID, part, "instance", &ignored) ||
            !text_copy(found.instance_id, sizeof found.instance_id, part))
            return false;
    }
    *out = found;
    return true;
}
