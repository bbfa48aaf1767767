#include "cloud/metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "net/http.h"
#include "net/retry.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024,
    CONNECT_TIMEOUT_MS = 1000, /* link-local: it answers at once or is not there */
    EXCHANGE_TIMEOUT_MS = 3000,
};

void metadata_clear(struct metadata *metadata)
{
    secret_clear(&metadata->token);
    *metadata = (struct metadata){0};
}

static void make_url(struct buf *url, const struct metadata *metadata, const char *path,
                     const char *item)
{
    buf_append_format(url, "%s%s%s", metadata->base_url, path, item);
}

static struct http_request make_request(const struct metadata *metadata, const char *method,
                                        const char *url)
{
    struct http_request request = {.kind = HTTP_LINK_LOCAL,
                                   .method = method,
                                   .url = url,
                                   .body_max_bytes = ANSWER_MAX_BYTES,
                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    if (!secret_is_empty(&metadata->token))
        request.headers[request.header_count++] =
            (struct http_header){"X-aliyun-ecs-metadata-token", secret_reveal(&metadata->token)};
    return request;
}

/* Says which request failed. */
static void tell(const struct metadata *metadata, const struct http_request *request,
                 struct error *err)
{
    (void)error_wrap(err, "ECS metadata service: %s %s", request->method,
                     request->url + strlen(metadata->base_url));
}

static bool advise_to_try_again(const struct metadata *metadata, struct error *err)
{
    return error_advise(err, "Try again; if it stays, check what answers at %s",
                        metadata->base_url);
}

static bool explain(const struct metadata *metadata, const struct http_request *request,
                    struct error *err)
{
    if (!metadata->is_there) {
        (void)error_wrap(err, "ECS metadata service");
        return error_advise(err,
                            "Check that this machine is an ECS instance whose metadata service is "
                            "enabled, and that it reaches %s",
                            metadata->base_url);
    }
    tell(metadata, request, err);
    if (err->kind == ERROR_TEMPORARY)
        return advise_to_try_again(metadata, err);
    return error_advise(err, "Check what answers at %s in its place", metadata->base_url);
}

/* Sends, and notes that there is a service when one takes the connection at all. */
static bool send(struct http_response *response, struct metadata *metadata,
                 const struct http_request *request, struct error *err)
{
    bool answered = retry_send(metadata->http, request, metadata->tries, response, err);

    metadata->is_there = metadata->is_there || response->connected;
    return answered || explain(metadata, request, err);
}

static bool advise_about_stranger(const struct metadata *metadata, struct error *err)
{
    return error_advise(err,
                        "Check what answers at %s in its place; where there is no metadata "
                        "service, set ALIBABA_CLOUD_ECS_METADATA_DISABLED=true",
                        metadata->base_url);
}

static bool advise_about_forbidden(const struct metadata *metadata, struct error *err)
{
    if (metadata->modes == METADATA_NORMAL_ONLY)
        return error_advise(err, "This instance only answers with a session token: unset "
                                 "ALIBABA_CLOUD_IMDSV2_DISABLED");
    if (secret_is_empty(&metadata->token))
        return error_advise(err, "This instance only answers with a session token: let the node "
                                 "reach PUT /latest/api/token");
    return error_advise(err, "Check what filters the way of this node to %s", metadata->base_url);
}

static bool fail_status(const struct http_response *response, const struct metadata *metadata,
                        const struct http_request *request, struct error *err)
{
    (void)error_set(err, response->status == 403 ? ERROR_PERMISSION : ERROR_UNAVAILABLE,
                    "HTTP status %ld", response->status);
    tell(metadata, request, err);
    switch (response->status) {
    case 401:
        return advise_to_try_again(metadata, err);
    case 403:
        return advise_about_forbidden(metadata, err);
    default:
        return advise_about_stranger(metadata, err);
    }
}

static bool ask_for_token(struct metadata *metadata, struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct http_request request;
    char life[16];

    (void)snprintf(life, sizeof life, "%d", metadata->token_life_s);
    make_url(&url, metadata, "/latest/api/token", "");
    request = make_request(metadata, "PUT", buf_text(&url));
    request.headers[request.header_count++] =
        (struct http_header){"X-aliyun-ecs-metadata-token-ttl-seconds", life};
    if (!send(&response, metadata, &request, err))
        return false;
    if (response.status == 200) {
        const char *token = buf_text(&response.body);
        size_t length = strcspn(token, "\r\n \t");

        if (length == 0 || length > 4096 || token[0] == '<') {
            (void)error_set(err, ERROR_UNAVAILABLE,
                            "ECS metadata service: the session token is not a token");
            return advise_about_stranger(metadata, err);
        }
        secret_set(&metadata->token, token, length);
        metadata->token_is_new = true;
        return true;
    }
    if (response.status != 403 && response.status != 404)
        return fail_status(&response, metadata, &request, err);
    if (metadata->modes == METADATA_TOKEN_ONLY) {
        (void)error_set(err, ERROR_CONFIG, "HTTP status %ld", response.status);
        tell(metadata, &request, err);
        return error_advise(err, "ALIBABA_CLOUD_IMDSV1_DISABLED forbids the normal mode: unset it, "
                                 "or enable the hardened mode of this instance");
    }
    log_debug("ECS metadata service: no session token, going on in normal mode");
    return true;
}

bool metadata_open(struct metadata *metadata, struct error *err)
{
    return metadata->modes == METADATA_NORMAL_ONLY || !secret_is_empty(&metadata->token) ||
           ask_for_token(metadata, err);
}

enum metadata_outcome metadata_read(struct buf *out, struct metadata *metadata, const char *item,
                                    struct error *err)
{
    struct buf url AUTO(buf_clear) = {0};

    make_url(&url, metadata, "/latest/meta-data/", item);
    for (bool renewed = false;; renewed = true) {
        struct http_response response AUTO(http_response_clear) = {0};
        struct http_request request = make_request(metadata, "GET", buf_text(&url));

        if (!send(&response, metadata, &request, err))
            return METADATA_FAILED;
        if (response.status == 200) {
            buf_append(out, response.body.bytes, response.body.length);
            return METADATA_FOUND;
        }
        if (response.status == 404)
            return METADATA_ABSENT;
        if (response.status != 401 || renewed || secret_is_empty(&metadata->token)) {
            (void)fail_status(&response, metadata, &request, err);
            return METADATA_FAILED;
        }
        /* 401: the session token is not valid any more. */
        secret_clear(&metadata->token);
        if (!ask_for_token(metadata, err))
            return METADATA_FAILED;
    }
}

void metadata_prefetch(const struct metadata *metadata, const char *item)
{
    struct buf url AUTO(buf_clear) = {0};
    struct http_request request;

    make_url(&url, metadata, "/latest/meta-data/", item);
    request = make_request(metadata, "GET", buf_text(&url));
    http_prefetch(metadata->http, &request);
}

bool metadata_read_prefetched(char *out, unsigned long size, const struct metadata *metadata,
                              const char *item)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct http_request request;
    struct error ignored;

    make_url(&url, metadata, "/latest/meta-data/", item);
    request = make_request(metadata, "GET", buf_text(&url));
    if (!http_send(metadata->http, &request, &response, &ignored) || response.status != 200 ||
        !text_copy(out, size, buf_text(&response.body)))
        return false;
    out[strcspn(out, "\r\n \t")] = '\0';
    return true;
}
