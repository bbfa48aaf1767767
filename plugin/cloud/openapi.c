#include "cloud/openapi.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "cloud/refusal.h"
#include "net/http.h"
#include "net/retry.h"
#include "proto-json/api_reply.h"

#define NOT_THE_API                                                                                \
    "If what answered is not the Alibaba Cloud API, check endpoints and proxy variables"
#define FORM_TYPE "application/x-www-form-urlencoded"

enum {
    ANSWER_MAX_BYTES = 512 * 1024,
    EXCHANGE_TIMEOUT_MS = 15000,
    /* A VPC endpoint outside its VPC swallows packets: give up soon where there is another. */
    CONNECT_TIMEOUT_BEFORE_ANOTHER_MS = 3000,
    SKEW_WORTH_TELLING_S = 300,
    NONCE_SIZE = 33,
};

/* What one call remembers from attempt to attempt. */
struct attempts {
    size_t endpoint; /* the one in use */
    struct retry retry;
    bool mended_clock; /* each of these cures is tried once */
    bool mended_nonce;
    bool renewed;
};

void openapi_reply_clear(struct openapi_reply *reply)
{
    buf_clear(&reply->body);
    *reply = (struct openapi_reply){0};
}

static void make_nonce(char out[NONCE_SIZE])
{
    unsigned char bytes[16];

    random_bytes(bytes, sizeof bytes);
    text_hex(out, bytes, sizeof bytes);
}

/* What makes one sending of a call different from the next. */
struct stamp {
    char date[TEXT_UTC_SIZE];
    char nonce[NONCE_SIZE];
};

static void append_parameters(struct buf *out, const struct openapi_call *call)
{
    struct sign_v3_parameter given[OPENAPI_PARAMETERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < call->parameter_count; i++) {
        if (call->parameters[i].value != NULL)
            given[count++] = call->parameters[i];
    }
    sign_v3_query(out, given, count);
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
    sign_v3_query(query, common, sizeof common / sizeof *common);
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

/* Sends the call once, signed as of now if there is a signer. */
static bool send_once(struct http_response *response, const struct http *http,
                      const struct openapi_endpoints *endpoints, size_t endpoint,
                      const struct openapi_call *call, const struct openapi_signer *signer,
                      struct error *err)
{
    const char *base_url = endpoints->urls[endpoint];
    struct buf query AUTO(buf_clear) = {0};
    struct buf form AUTO(buf_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct sign_v3_result signature;
    struct stamp stamp;
    char host[OPENAPI_URL_SIZE];
    struct http_request request = {.kind = HTTP_SECURE,
                                   .method = call->method,
                                   .body_max_bytes = ANSWER_MAX_BYTES,
                                   .connect_timeout_ms = endpoint + 1 < endpoints->count
                                                             ? CONNECT_TIMEOUT_BEFORE_ANOTHER_MS
                                                             : OPENAPI_CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    /* The Host header has no port that is the default. */
    (void)text_copy(host, sizeof host, base_url + strlen("https://"));
    if (text_ends_with(host, ":443"))
        host[strlen(host) - strlen(":443")] = '\0';
    make_nonce(stamp.nonce);
    text_format_utc(stamp.date, clock_wall_s() + endpoints->clock_offset_s);
    append_parameters(call->in_body ? &form : &query, call);
    if (signer == NULL)
        append_common(&query, call, &stamp);
    buf_append_format(&url, "%s%s%s%s", base_url, call->path, query.length == 0 ? "" : "?",
                      buf_text(&query));
    request.url = buf_text(&url);
    add_header(&request, "Accept", "application/json");
    if (call->in_body) {
        request.form = buf_text(&form);
        add_header(&request, "Content-Type", FORM_TYPE);
    }
    if (signer != NULL &&
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
                       &signer->credentials, err))
        return false;
    return http_send(http, &request, response, err);
}

/* Who was refused: as the service says, else as we call the signer. */
static const char *principal_of(const struct api_error *said, const struct openapi_signer *signer)
{
    if (said->auth_principal[0] != '\0')
        return said->auth_principal;
    return signer == NULL ? "the caller" : signer->words;
}

/* Services quote what they were sent: as it is, or as it was encoded. Each text by itself, since
 * what was cut is found at its end only. */
static void redact(struct api_error *said, const struct secret *secret)
{
    char *const texts[] = {said->code,        said->message,        said->request_id,
                           said->auth_action, said->auth_principal, said->no_permission_type};
    struct buf encoded AUTO(buf_clear) = {0};

    text_percent_encode(&encoded, secret_reveal(secret));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        text_redact(texts[i], secret_reveal(secret));
        text_redact(texts[i], buf_text(&encoded));
    }
}

/* What the service says, without what nobody may read. */
static void read_refusal(struct api_error *out, const struct openapi_call *call,
                         const struct http_response *response, const struct openapi_signer *signer)
{
    api_reply_decode_error(out, response->body.bytes, response->body.length);
    if (out->request_id[0] == '\0')
        (void)text_copy(out->request_id, sizeof out->request_id, response->request_id);
    if (signer != NULL) {
        redact(out, &signer->credentials.access_key_secret);
        redact(out, &signer->credentials.security_token);
    }
    if (call->secret != NULL)
        redact(out, call->secret);
}

/* Words for a refusal: the service's own first, then who was refused what, then what to do. */
static struct refusal explain(const struct openapi_call *call, const struct http_response *response,
                              const struct openapi_signer *signer, struct error *err)
{
    struct api_error said;
    struct refusal refusal;
    bool quotes_request;
    bool names_action;

    read_refusal(&said, call, response, signer);
    refusal = refusal_of(said.code, response->status);
    names_action = said.auth_action[0] != '\0';
    /* The message of a wrong signature quotes the signed request, security token and all. */
    quotes_request = text_starts_with(said.code, "Signature") ||
                     text_starts_with(said.code, "IncompleteSignature");
    if (said.message[0] == '\0' || quotes_request)
        (void)error_set(err, refusal.kind, "%s refused with HTTP status %ld", call->action,
                        response->status);
    else
        (void)error_set(err, refusal.kind, "%s refused: %s", call->action, said.message);
    (void)text_copy(err->service_code, sizeof err->service_code, said.code);
    (void)text_copy(err->request_id, sizeof err->request_id, said.request_id);
    text_make_printable(err->service_code);
    text_make_printable(err->request_id);
    if (refusal.reaction == REFUSAL_FORBIDDEN)
        (void)error_advise(err,
                           strcmp(said.no_permission_type, "ExplicitDeny") == 0
                               ? "A policy denies %s%s%s to %s explicitly: remove that Deny"
                               : "Allow the action %s%s%s to %s in a RAM policy",
                           names_action ? "" : call->product, names_action ? "" : ":",
                           names_action ? said.auth_action : call->action,
                           principal_of(&said, signer));
    else
        (void)error_advise(err, "%s", refusal.advice);
    return refusal;
}

/* Takes the server's clock, if the answer shows it. */
static bool mend_clock(struct attempts *attempts, struct openapi_endpoints *endpoints,
                       const struct http_response *response)
{
    int64_t offset_s = response->date_s - clock_wall_s();

    if (attempts->mended_clock || response->date_s == 0)
        return false;
    attempts->mended_clock = true;
    endpoints->clock_offset_s = offset_s;
    if (llabs(offset_s) >= SKEW_WORTH_TELLING_S)
        log_warning("this node's clock is %lld s %s; going on with the server's time. Run NTP",
                    llabs(offset_s), offset_s > 0 ? "behind" : "ahead");
    return true;
}

static bool fetch_anew(struct attempts *attempts, struct openapi_signer *signer, struct error *err)
{
    if (attempts->renewed || signer == NULL || signer->fetch == NULL)
        return false;
    attempts->renewed = true;
    log_info("%s: credentials have ended, fetching them anew", signer->words);
    return signer->fetch(signer, err);
}

/* Decides after a refusal: true to try again, false with err to give up. */
static bool react(struct attempts *attempts, struct openapi_endpoints *endpoints,
                  const struct http_response *response, struct refusal refusal,
                  struct openapi_signer *signer, struct error *err)
{
    switch (refusal.reaction) {
    case REFUSAL_RETRY:
        return retry_wait(&attempts->retry, response, err);
    case REFUSAL_SKEW:
        return mend_clock(attempts, endpoints, response);
    case REFUSAL_NONCE:
        if (attempts->mended_nonce)
            return false;
        attempts->mended_nonce = true;
        return true;
    case REFUSAL_RENEW:
        return fetch_anew(attempts, signer, err);
    case REFUSAL_RENEW_STS:
        return signer != NULL && text_starts_with(signer->credentials.access_key_id, "STS.") &&
               fetch_anew(attempts, signer, err);
    case REFUSAL_FORBIDDEN:
    case REFUSAL_FINAL:
        break;
    }
    return false;
}

static bool is_success(const struct http_response *response)
{
    return response->status == 200 &&
           !api_reply_is_refusal(response->body.bytes, response->body.length);
}

bool openapi_fail_answer(const struct openapi_reply *reply, const char *action, struct error *err)
{
    (void)text_copy(err->request_id, sizeof err->request_id, reply->request_id);
    (void)error_advise(err, "%s", NOT_THE_API);
    return error_wrap(err, "answer of %s", action);
}

/* Decides after a failure of the network: true to try again, false with err to give up. */
static bool change_endpoint(struct attempts *attempts, const struct http *http,
                            const struct openapi_endpoints *endpoints, struct error *err)
{
    const struct http_response no_response = {0};

    if (err->kind != ERROR_TEMPORARY)
        return false;
    attempts->endpoint = (attempts->endpoint + 1) % endpoints->count;
    if (attempts->endpoint != endpoints->reached && http_remaining_ms(http) > 0) {
        log_debug("%s; trying %s", err->cause, endpoints->urls[attempts->endpoint]);
        return true;
    }
    /* All have been tried: the next round begins with the best again, after a pause. */
    return retry_wait(&attempts->retry, &no_response, err);
}

/* Moves the answer out. */
static void take_reply(struct openapi_reply *out, struct http_response *response,
                       const struct openapi_endpoints *endpoints)
{
    out->body = response->body;
    response->body = (struct buf){0};
    (void)text_copy(out->request_id, sizeof out->request_id, response->request_id);
    out->server_time_s =
        response->date_s != 0 ? response->date_s : clock_wall_s() + endpoints->clock_offset_s;
}

bool openapi_call(struct openapi_reply *out, const struct http *http,
                  struct openapi_endpoints *endpoints, const struct openapi_call *call,
                  struct openapi_signer *signer, struct error *err)
{
    struct attempts attempts = {.endpoint = endpoints->reached,
                                .retry = {.http = http, .tries_max = RETRY_TRIES_MAX}};

    for (;;) {
        struct http_response response AUTO(http_response_clear) = {0};
        const char *url = endpoints->urls[attempts.endpoint];
        struct error attempt_err = {0};
        bool again;

        if (!send_once(&response, http, endpoints, attempts.endpoint, call, signer, &attempt_err)) {
            again = change_endpoint(&attempts, http, endpoints, &attempt_err);
        } else if (is_success(&response)) {
            endpoints->reached = attempts.endpoint;
            take_reply(out, &response, endpoints);
            return true;
        } else {
            struct refusal refusal = explain(call, &response, signer, &attempt_err);

            (void)error_wrap(&attempt_err, "%s", url + strlen("https://"));
            again = react(&attempts, endpoints, &response, refusal, signer, &attempt_err);
        }
        if (!again) {
            *err = attempt_err;
            return false;
        }
    }
}
