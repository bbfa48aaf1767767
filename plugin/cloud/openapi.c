#include "cloud/openapi.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/system.h"
#include "base/text.h"
#include "cloud/codes.h"
#include "cloud/explain.h"
#include "net/http.h"
#include "net/retry.h"
#include "proto-json/api_reply.h"

#define FORM_TYPE "application/x-www-form-urlencoded"

enum {
    ANSWER_MAX_BYTES = 512 * 1024,
    EXCHANGE_TIMEOUT_MS = 15000,
    /* A VPC endpoint outside its VPC swallows packets: give up early where there is another. */
    CONNECT_TIMEOUT_BEFORE_ANOTHER_MS = 3000,
    SKEW_WARNING_S = 300,
    NONCE_SIZE = 33,
};

/* One call, with what it remembers from try to try. */
struct attempts {
    const struct api *api;
    const struct openapi_call *call;
    struct retry retry;
    size_t endpoint;      /* the one in use */
    bool clock_corrected; /* each of these two is done once */
    bool nonce_retried;
};

void openapi_reply_clear(struct openapi_reply *reply)
{
    buf_clear(&reply->body);
    *reply = (struct openapi_reply){0};
}

/* What makes one sending of a call different from the next. */
struct stamp {
    char date[TEXT_UTC_SIZE];
    char nonce[NONCE_SIZE];
};

static struct stamp make_stamp(const struct api *api)
{
    const struct system *system = api->http->system;
    unsigned char bytes[16];
    struct stamp stamp = {0};

    system->random_bytes(bytes, sizeof bytes);
    text_hex(stamp.nonce, bytes, sizeof bytes);
    text_format_utc(stamp.date, system->wall_s() + api->endpoints->clock_offset_s);
    return stamp;
}

/* The common parameters of an unsigned call. */
static void append_common(struct buf *query, const struct openapi_call *call,
                          const struct stamp *stamp)
{
    const struct sign_v3_parameter common[] = {{"Action", call->action},
                                               {"Format", "JSON"},
                                               {"SignatureNonce", stamp->nonce},
                                               {"Timestamp", stamp->date},
                                               {"Version", call->version}};

    if (query->length > 0)
        buf_append_text(query, "&");
    sign_v3_query(query, common, COUNT_OF(common));
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
    request->headers[request->header_count++] = (struct http_header){name, value};
}

/* Signs, and adds the headers that prove it; all texts are borrowed. */
static bool add_signature(struct http_request *request, struct sign_v3_result *signature,
                          const struct sign_v3_request *to_sign,
                          const struct credentials *credentials, struct error *err)
{
    if (!sign_v3(signature, to_sign, credentials, err))
        return false;
    add_header(request, "x-acs-action", to_sign->action);
    add_header(request, "x-acs-version", to_sign->version);
    add_header(request, "x-acs-date", to_sign->date);
    add_header(request, "x-acs-signature-nonce", to_sign->nonce);
    add_header(request, "x-acs-content-sha256", signature->payload_hash);
    add_header(request, "Authorization", signature->authorization);
    if (!secret_is_empty(&credentials->security_token))
        add_header(request, "x-acs-security-token", secret_reveal(&credentials->security_token));
    return true;
}

/* "host[:port]" of a base URL; the Host header has no port that is the default. */
static void host_header(char out[ENDPOINTS_URL_SIZE], const char *base_url)
{
    text_copy(out, ENDPOINTS_URL_SIZE, base_url + strlen("https://"));
    if (text_ends_with(out, ":443"))
        out[strlen(out) - strlen(":443")] = '\0';
}

/* Sends the call once, signed as of now unless there are no credentials. */
static bool send_once(struct http_response *response, const struct attempts *attempts,
                      struct error *err)
{
    const struct api *api = attempts->api;
    const struct openapi_call *call = attempts->call;
    const struct stamp stamp = make_stamp(api);
    const char *base_url = api->endpoints->urls[attempts->endpoint];
    const bool is_last = attempts->endpoint + 1 == api->endpoints->count;
    struct buf query AUTO(buf_clear) = {0};
    struct buf form AUTO(buf_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct sign_v3_result signature;
    char host[ENDPOINTS_URL_SIZE];
    struct http_request request = {.kind = HTTP_SECURE,
                                   .method = call->method,
                                   .body_max_bytes = ANSWER_MAX_BYTES,
                                   .connect_timeout_ms = is_last
                                                             ? OPENAPI_CONNECT_TIMEOUT_MS
                                                             : CONNECT_TIMEOUT_BEFORE_ANOTHER_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    host_header(host, base_url);
    sign_v3_query(call->in_body ? &form : &query, call->parameters, call->parameter_count);
    if (api->credentials == NULL)
        append_common(&query, call, &stamp);
    buf_append_format(&url, "%s%s%s%s", base_url, call->path, query.length == 0 ? "" : "?",
                      buf_text(&query));
    request.url = buf_text(&url);
    add_header(&request, "Accept", "application/json");
    if (call->in_body) {
        request.form = buf_text(&form);
        add_header(&request, "Content-Type", FORM_TYPE);
    }
    if (api->credentials != NULL &&
        !add_signature(&request, &signature,
                       &(struct sign_v3_request){.method = call->method,
                                                 .path = call->path,
                                                 .query = buf_text(&query),
                                                 .host = host,
                                                 .action = call->action,
                                                 .version = call->version,
                                                 .date = stamp.date,
                                                 .nonce = stamp.nonce,
                                                 .content_type = call->in_body ? FORM_TYPE : "",
                                                 .body = buf_text(&form)},
                       api->credentials, err))
        return false;
    return http_send(api->http, &request, response, err);
}

/* Services quote what they were sent, as it is or percent-encoded. Each text separately, since a
 * secret that was cut is found at the end of a text only. */
static void redact(struct api_error *refusal, const struct secret *secret)
{
    char *const texts[] = {refusal->code,           refusal->message,
                           refusal->request_id,     refusal->auth_action,
                           refusal->auth_principal, refusal->no_permission_type};
    struct buf encoded AUTO(buf_clear) = {0};

    text_percent_encode(&encoded, secret_reveal(secret));
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        text_redact(texts[i], secret_reveal(secret));
        text_redact(texts[i], buf_text(&encoded));
    }
}

/* Decodes the service's error, without secrets. */
static void read_refusal(struct api_error *out, const struct attempts *attempts,
                         const struct http_response *response)
{
    const struct credentials *credentials = attempts->api->credentials;

    api_reply_decode_error(out, response->body.bytes, response->body.length);
    if (out->request_id[0] == '\0')
        text_copy(out->request_id, sizeof out->request_id, response->request_id);
    if (credentials != NULL) {
        redact(out, &credentials->access_key_secret);
        redact(out, &credentials->security_token);
    }
    if (attempts->call->secret != NULL)
        redact(out, attempts->call->secret);
}

/* Fills err from an answer that refuses: the service's message and code, and what to do. */
static enum codes_meaning refuse(const struct attempts *attempts,
                                 const struct http_response *response, struct error *err)
{
    const struct openapi_call *call = attempts->call;
    const struct credentials *credentials = attempts->api->credentials;
    struct api_error refusal;
    struct codes codes;

    read_refusal(&refusal, attempts, response);
    codes = codes_look_up(refusal.code, response->status);
    if (refusal.message[0] == '\0' || codes.meaning == CODES_BAD_SIGNATURE)
        error_set(err, codes.kind, "%s %s with HTTP status %ld", call->action,
                  refusal.code[0] == '\0' ? "failed" : "refused", response->status);
    else
        error_set(err, codes.kind, "%s refused: %s", call->action, refusal.message);
    /* Credentials without a security token do not expire: fetching them again gives the same. */
    if (codes.retry != ERROR_RETRY_NEW_CREDENTIALS || credentials == NULL ||
        !secret_is_empty(&credentials->security_token))
        err->retry = codes.retry;
    text_copy(err->service_code, sizeof err->service_code, refusal.code);
    text_copy(err->request_id, sizeof err->request_id, refusal.request_id);
    if (codes.meaning == CODES_FORBIDDEN)
        explain_forbidden(call->product, call->action, attempts->api->principal, &refusal, err);
    else
        error_advise(err, "%s", codes.advice);
    error_wrap(err, "%s", attempts->api->endpoints->urls[attempts->endpoint] + strlen("https://"));
    return codes.meaning;
}

/* Takes the server's clock, if the answer shows it. */
static bool correct_clock(struct attempts *attempts, const struct http_response *response)
{
    int64_t offset_s = response->date_s - attempts->api->http->system->wall_s();

    if (attempts->clock_corrected || response->date_s == 0)
        return false;
    attempts->clock_corrected = true;
    attempts->api->endpoints->clock_offset_s = offset_s;
    if (llabs(offset_s) >= SKEW_WARNING_S)
        log_warning("this node's clock is %lld s %s; using the server's time. Run NTP",
                    llabs(offset_s), offset_s > 0 ? "slow" : "fast");
    return true;
}

/* Decides after a refusal: true to try again. */
static bool recover(struct attempts *attempts, const struct http_response *response,
                    enum codes_meaning meaning, struct error *err)
{
    switch (meaning) {
    case CODES_TEMPORARY:
        return retry_wait(&attempts->retry, response, err);
    case CODES_CLOCK_SKEW:
        return correct_clock(attempts, response);
    case CODES_NONCE_USED:
        if (attempts->nonce_retried)
            return false;
        attempts->nonce_retried = true;
        return true;
    default:
        return false;
    }
}

/* Decides after a failure of the network: true to try again, at the next endpoint or, once all have
 * been tried, at the best one after a pause. */
static bool change_endpoint(struct attempts *attempts, struct error *err)
{
    const struct endpoints *endpoints = attempts->api->endpoints;
    const struct http_response no_response = {0};

    if (err->kind != ERROR_TEMPORARY)
        return false;
    attempts->endpoint = (attempts->endpoint + 1) % endpoints->count;
    if (attempts->endpoint == endpoints->reached || http_remaining_ms(attempts->api->http) == 0)
        return retry_wait(&attempts->retry, &no_response, err);
    log_debug("%s; trying %s", err->cause, endpoints->urls[attempts->endpoint]);
    return true;
}

/* Moves the answer out. */
static void take_reply(struct openapi_reply *out, struct http_response *response,
                       const struct api *api)
{
    out->body = TAKE(response->body);
    text_copy(out->request_id, sizeof out->request_id, response->request_id);
    out->server_time_s = response->date_s != 0
                             ? response->date_s
                             : api->http->system->wall_s() + api->endpoints->clock_offset_s;
}

bool openapi_fail_answer(const struct openapi_reply *reply, const char *action, struct error *err)
{
    text_copy(err->request_id, sizeof err->request_id, reply->request_id);
    error_advise(err, ADVICE_NOT_THE_API);
    return error_wrap(err, "answer of %s", action);
}

bool openapi_call(struct openapi_reply *out, const struct api *api, const struct openapi_call *call,
                  struct error *err)
{
    struct attempts attempts = {.api = api,
                                .call = call,
                                .retry = {.http = api->http, .tries_max = RETRY_TRIES_MAX},
                                .endpoint = api->endpoints->reached};

    for (;;) {
        struct http_response response AUTO(http_response_clear) = {0};
        struct error failure = {0};
        bool again;

        if (send_once(&response, &attempts, &failure)) {
            api->endpoints->reached = attempts.endpoint;
            if (response.status == 200 &&
                !api_reply_is_refusal(response.body.bytes, response.body.length)) {
                take_reply(out, &response, api);
                return true;
            }
            again = recover(&attempts, &response, refuse(&attempts, &response, &failure), &failure);
        } else {
            again = change_endpoint(&attempts, &failure);
        }
        if (!again) {
            *err = failure;
            return false;
        }
    }
}
