#include "registry/challenge.h"

#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "net/http.h"
#include "net/retry.h"
#include "registry/host.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024,
    CONNECT_TIMEOUT_MS = 3000,
    EXCHANGE_TIMEOUT_MS = 6000,
    MORE_TRIES = 3,
    NAP_MAX_MS = 500,
    SERVICE_SIZE = 256,
};

static struct http_request make_request(struct buf *url, const char *host_with_port)
{
    buf_append_format(url, "https://%s/v2/", host_with_port);
    return (struct http_request){.kind = HTTP_SECURE,
                                 .method = "GET",
                                 .url = buf_text(url),
                                 .body_max_bytes = ANSWER_MAX_BYTES,
                                 .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                 .timeout_ms = EXCHANGE_TIMEOUT_MS};
}

static bool read_answer(struct challenge *out, const struct http_response *response,
                        struct error *err)
{
    if (response->status == 429 || response->status >= 500)
        return error_set(err, ERROR_TEMPORARY, "it answers /v2/ with HTTP status %ld",
                         response->status);
    if (response->status != 401 || !challenge_parse(out, response->challenge))
        return error_set(err, ERROR_CONFIG, "it does not answer /v2/ as ACR does (HTTP status %ld)",
                         response->status);
    return true;
}

void challenge_prefetch(const struct http *http, const char *host_with_port)
{
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, host_with_port);

    http_prefetch(http, &request);
}

bool challenge_get(struct challenge *out, const struct http *http, const char *host_with_port,
                   struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, host_with_port);

    return http_send(http, &request, &response, err) && read_answer(out, &response, err);
}

bool challenge_ask_again(struct challenge *out, const struct http *http, const char *host_with_port,
                         struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, host_with_port);

    http_sleep_until(http, clock_mono_ms() + random_below(NAP_MAX_MS));
    return retry_send(http, &request, MORE_TRIES, &response, err) &&
           read_answer(out, &response, err);
}

/* The value of service="..." among the parameters; each begins after a blank or a comma. */
static bool find_service(char out[SERVICE_SIZE], const char *header)
{
    static const char name[] = "service=\"";
    const char *at = header;
    size_t length;

    while ((at = strcasestr(at, name)) != NULL && at != header && at[-1] != ',' && at[-1] != ' ')
        at += strlen(name);
    if (at == NULL)
        return false;
    at += strlen(name);
    length = strcspn(at, "\"");
    if (at[length] != '"' || length >= SERVICE_SIZE)
        return false;
    memcpy(out, at, length);
    out[length] = '\0';
    return true;
}

bool challenge_parse(struct challenge *out, const char *header)
{
    char service[SERVICE_SIZE];
    struct challenge found = {0};
    struct error ignored;
    char *rest = NULL;
    char *part;

    if (strncasecmp(header, "Bearer ", 7) != 0 || !find_service(service, header))
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
        if (!check_instance_id(part, "instance", &ignored) ||
            !text_copy(found.instance_id, sizeof found.instance_id, part))
            return false;
    }
    *out = found;
    return true;
}
