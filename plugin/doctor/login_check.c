#include "doctor/login_check.h"

#include <string.h>

#include "base/check.h"
#include "base/credentials.h"
#include "base/text.h"
#include "doctor/report.h"
#include "net/http.h"
#include "net/retry.h"
#include "proto-json/bearer_reply.h"
#include "proto-json/claims.h"
#include "registry/challenge.h"

enum { TRIES = 2, CONNECT_TIMEOUT_MS = 3000, EXCHANGE_TIMEOUT_MS = 10000, TEXT_SIZE = 512 };

/* dockerauth[-ee][-vpc].REGION.aliyuncs.com, or dockerauth-REGION.aliyuncs.com: under other names
 * of that domain anybody can have a service, such as a bucket of OSS. */
static bool is_token_service(const char *url)
{
    static const char *const labels[] = {"dockerauth.", "dockerauth-vpc.", "dockerauth-ee.",
                                         "dockerauth-ee-vpc.", "dockerauth-"};
    char host[CHECK_HOST_SIZE];
    const char *rest = check_split_url(host, url, "https");

    if (rest == NULL || (rest[0] != '/' && rest[0] != '\0') ||
        !text_ends_with(host, ".aliyuncs.com") || strstr(url, "aliyuncs.com:") != NULL)
        return false;
    host[strlen(host) - strlen(".aliyuncs.com")] = '\0';
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        if (text_starts_with(host, labels[i]) && text_is_region(host + strlen(labels[i])))
            return true;
    }
    return false;
}

/* "/team/app:v1@sha256:..." -> "team/app"; "" if there is no path. */
static void take_repository(char *out, size_t size, const char *path)
{
    char *name;

    (void)text_copy(out, size, path[0] == '/' ? path + 1 : path);
    out[strcspn(out, "@")] = '\0';
    name = strrchr(out, '/');
    name = strchr(name == NULL ? out : name, ':');
    if (name != NULL)
        *name = '\0';
}

/* Asks for a token that may pull, as a client with this password does. */
static bool request_grant(struct secret *out, const struct http *http, const char *realm,
                          const char *service, const struct token *token, const char *repository,
                          struct error *err)
{
    struct http_response response AUTO(http_response_clear) = {0};
    struct buf url AUTO(buf_clear) = {0};
    struct buf login AUTO(buf_clear) = {0};
    struct buf authorization AUTO(buf_clear) = {0};
    struct http_request request = {.kind = HTTP_SECURE,
                                   .method = "GET",
                                   .body_max_bytes = BEARER_REPLY_MAX_BYTES,
                                   .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                   .timeout_ms = EXCHANGE_TIMEOUT_MS};

    buf_append_format(&url, "%s?service=", realm);
    text_percent_encode(&url, service);
    if (repository[0] != '\0') {
        buf_append_text(&url, "&scope=repository%3A");
        text_percent_encode(&url, repository);
        buf_append_text(&url, "%3Apull");
    }
    buf_append_format(&login, "%s:%s", token->user, secret_reveal(&token->password));
    buf_append_text(&authorization, "Basic ");
    text_base64_encode(&authorization, login.bytes, login.length);
    request.url = buf_text(&url);
    request.headers[request.header_count++] =
        (struct http_header){"Authorization", buf_text(&authorization)};
    if (!retry_send(http, &request, TRIES, &response, err))
        return false;
    if (response.status == 401 || response.status == 403)
        return error_set_advised(err, ERROR_PERMISSION,
                                 "The API issued it just now: check that the registry and the "
                                 "instance belong together",
                                 "the registry's token service refuses the password (HTTP status "
                                 "%ld)",
                                 response.status);
    return (response.status == 200 &&
            bearer_reply_decode(out, response.body.bytes, response.body.length, err)) ||
           error_set(err, ERROR_UNAVAILABLE,
                     "the registry's token service answers with HTTP status %ld, and no token",
                     response.status);
}

static void report_grant(struct report *report, const struct secret *grant, const char *principal,
                         const char *repository)
{
    bool readable;
    struct error err;

    if (repository[0] == '\0') {
        report_line(report, REPORT_SKIPPED, "login.pull", "Name an image to have that checked",
                    "whether a repository may be pulled was not checked");
    } else if (claims_grant(&readable, grant, repository, "pull")) {
        report_ok(report, "login.pull", "may pull %s", repository);
    } else if (readable) {
        error_set_advised(
            &err, ERROR_PERMISSION,
            ADVICE("Check the repository's name, and grant cr:PullRepository on it to %s",
                   principal),
            "logged in, but may not pull %s, or it does not exist", repository);
        text_copy(err.missing_action, sizeof err.missing_action, "cr:PullRepository");
        report_error(report, REPORT_FAILED, "login.pull", &err);
    } else {
        report_skipped(report, "login.pull", "the token service does not say what may be pulled");
    }
}

void login_check(struct report *report, const struct http *http, const char *challenge,
                 const struct token *token, const char *principal, const char *path)
{
    struct secret grant AUTO(secret_clear) = {0};
    char realm[TEXT_SIZE];
    char service[TEXT_SIZE];
    char repository[TEXT_SIZE];
    struct error err = {0};

    take_repository(repository, sizeof repository, path);
    if (!challenge_parameter(realm, sizeof realm, challenge, "realm") ||
        !challenge_parameter(service, sizeof service, challenge, "service")) {
        report_skipped(report, "login.password", "the registry did not name its token service");
        return;
    }
    if (!is_token_service(realm)) {
        report_line(report, REPORT_WARNING, "login.password",
                    "Check what answers under the registry's name: DNS, /etc/hosts and proxies",
                    "the registry names a token service that is not ACR's, which was not sent the "
                    "password: %s",
                    realm);
        return;
    }
    if (!request_grant(&grant, http, realm, service, token, repository, &err)) {
        error_redact(&err, secret_reveal(&token->password));
        report_error(report, REPORT_FAILED, "login.password", &err);
        return;
    }
    report_ok(report, "login.password", "the registry's token service accepts the password");
    report_grant(report, &grant, principal, repository);
}
