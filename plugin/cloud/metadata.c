#include "cloud/metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "cloud/explain.h"
#include "net/http.h"
#include "net/retry.h"

#define ITEMS "meta-data/"

enum {
    ANSWER_MAX_BYTES = 64 * 1024,
    TOKEN_MAX_BYTES = 4096,
    CONNECT_TIMEOUT_MS = 1000, /* link-local: it answers at once or is absent */
    EXCHANGE_TIMEOUT_MS = 3000,
};

void metadata_clear(struct metadata *metadata)
{
    secret_clear(&metadata->token);
    *metadata = (struct metadata){0};
}

/* `url` keeps the text of the request's URL. */
static struct http_request make_request(struct buf *url, const struct metadata *metadata,
                                        const char *method, const char *folder, const char *item)
{
    struct http_request request = {.kind = HTTP_LINK_LOCAL,
                                   .method = method,
                                   .body_max_bytes = ANSWER_MAX_BYTES,
                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    buf_append_format(url, "%s/latest/%s%s", metadata->base_url, folder, item);
    request.url = buf_text(url);
    if (!secret_is_empty(&metadata->token))
        request.headers[request.header_count++] =
            (struct http_header){"X-aliyun-ecs-metadata-token", secret_reveal(&metadata->token)};
    return request;
}

static bool wrap(const struct metadata *metadata, const struct http_request *request,
                 struct error *err)
{
    return error_wrap(err, "ECS metadata service: %s %s", request->method,
                      request->url + strlen(metadata->base_url));
}

/* Sends, and remembers whether anything accepts connections there. */
static bool send(struct http_response *response, struct metadata *metadata,
                 const struct http_request *request, struct error *err)
{
    bool answered = retry_send(metadata->http, request, metadata->tries, response, err);

    metadata->was_reached = metadata->was_reached || response->connected;
    if (answered)
        return true;
    if (metadata->was_reached)
        wrap(metadata, request, err);
    else
        error_wrap(err, "ECS metadata service");
    return explain_metadata(metadata, 0, err);
}

static bool fail_status(long status, const struct metadata *metadata,
                        const struct http_request *request, struct error *err)
{
    error_set(err, status == 403 ? ERROR_PERMISSION : ERROR_UNAVAILABLE, "HTTP status %ld", status);
    wrap(metadata, request, err);
    return explain_metadata(metadata, status, err);
}

static bool take_token(struct metadata *metadata, const struct buf *answer, struct error *err)
{
    const char *token = buf_text(answer);
    size_t length = strcspn(token, "\r\n \t");

    if (length == 0 || length > TOKEN_MAX_BYTES || token[0] == '<') {
        error_set(err, ERROR_UNAVAILABLE, "ECS metadata service: the session token is not a token");
        return explain_metadata(metadata, 200, err);
    }
    secret_set(&metadata->token, token, length);
    metadata->token_is_new = true;
    return true;
}

static bool request_token(struct metadata *metadata, struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct http_request request = make_request(&url, metadata, "PUT", "api/", "token");
    char life[16];

    snprintf(life, sizeof life, "%d", metadata->token_life_s);
    request.headers[request.header_count++] =
        (struct http_header){"X-aliyun-ecs-metadata-token-ttl-seconds", life};
    if (!send(&response, metadata, &request, err))
        return false;
    if (response.status == 200)
        return take_token(metadata, &response.body, err);
    if (response.status != 403 && response.status != 404)
        return fail_status(response.status, metadata, &request, err);
    if (metadata->modes == METADATA_TOKEN_ONLY) {
        error_set_advised(err, ERROR_CONFIG, ADVICE_TOKEN_ONLY, "HTTP status %ld", response.status);
        return wrap(metadata, &request, err);
    }
    log_debug("ECS metadata service: no session token, using normal mode");
    return true;
}

bool metadata_open(struct metadata *metadata, struct error *err)
{
    return metadata->modes == METADATA_NORMAL_ONLY || !secret_is_empty(&metadata->token) ||
           request_token(metadata, err);
}

enum metadata_outcome metadata_read(struct buf *out, struct metadata *metadata, const char *item,
                                    struct error *err)
{
    for (bool renewed = false;; renewed = true) {
        struct http_response response AUTO(http_response_clear) = {0};
        struct buf url AUTO(buf_clear) = {0};
        const struct http_request request = make_request(&url, metadata, "GET", ITEMS, item);

        if (!send(&response, metadata, &request, err))
            return METADATA_FAILED;
        if (response.status == 200) {
            buf_append(out, response.body.bytes, response.body.length);
            return METADATA_FOUND;
        }
        if (response.status == 404)
            return METADATA_ABSENT;
        if (response.status != 401 || renewed || secret_is_empty(&metadata->token)) {
            fail_status(response.status, metadata, &request, err);
            return METADATA_FAILED;
        }
        /* 401: the session token has expired. */
        secret_clear(&metadata->token);
        if (!request_token(metadata, err))
            return METADATA_FAILED;
    }
}

void metadata_prefetch(const struct metadata *metadata, const char *item)
{
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, metadata, "GET", ITEMS, item);

    http_prefetch(metadata->http, &request);
}

bool metadata_read_optional(const struct metadata *metadata, const char *item, char *out,
                            size_t size)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    const struct http_request request = make_request(&url, metadata, "GET", ITEMS, item);
    struct error ignored;

    if (!http_send(metadata->http, &request, &response, &ignored) || response.status != 200 ||
        !text_copy(out, size, buf_text(&response.body)))
        return false;
    out[strcspn(out, "\r\n \t")] = '\0';
    return true;
}
