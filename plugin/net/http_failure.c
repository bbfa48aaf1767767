#include "net/http_failure.h"

#include <string.h>

#define WAY_ADVICE "Check routes, security groups and proxy variables of the node"

static bool tell_tls(const struct http_failure *failure, struct error *err)
{
    const char *complaint = failure->complaint;

    (void)error_set(err, ERROR_UNAVAILABLE, "%s: TLS certificate not accepted: %s", failure->host,
                    complaint);
    if (strstr(complaint, "match") != NULL)
        return error_advise(err, "Check what answers under this name: DNS, /etc/hosts and proxy "
                                 "variables");
    if (strstr(complaint, "expired") != NULL || strstr(complaint, "not yet valid") != NULL)
        return error_advise(err, "Check the node's clock (NTP); if it is right, the certificate "
                                 "must be renewed");
    return error_advise(err,
                        "Update the node's CA certificates, and add that of a private CA or of "
                        "a proxy that opens TLS; SSL_CERT_FILE, if set, stands for all");
}

/* The same user and password again might lock an account. A host that is not admitted may have
 * another beside it that is: the public endpoint beside that of the VPC. */
static bool tell_proxy_refusal(const struct http_failure *failure, struct error *err)
{
    bool wants_password = failure->proxy_status == 407;

    (void)error_set(err, wants_password ? ERROR_UNAVAILABLE : ERROR_TEMPORARY,
                    "%s: the proxy refuses with HTTP status %ld", failure->host,
                    failure->proxy_status);
    if (wants_password)
        return error_advise(err, "Put its user and password into HTTPS_PROXY, percent-encoded");
    return error_advise(err, "Let the proxy admit this host, or name the host in NO_PROXY");
}

static bool tell_store(const struct http_failure *failure, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "%s: the certificates in SSL_CERT_FILE cannot be read",
                    failure->host);
    return error_advise(err, "Let it name a readable file of PEM certificates, or unset it");
}

/* libcurl quotes a proxy URL that it cannot read, with its password: nothing of that is told. */
static bool tell_proxy(const struct http_failure *failure, struct error *err)
{
    (void)error_set(err, ERROR_CONFIG, "%s: the proxy variable for it is not the URL of a proxy",
                    failure->host);
    return error_advise(err, "Write HTTPS_PROXY as http://[USER:PASSWORD@]HOST[:PORT], user and "
                             "password percent-encoded");
}

static bool is_about_proxy(const char *complaint)
{
    return strstr(complaint, "proxy") != NULL &&
           (strstr(complaint, "://") != NULL || strstr(complaint, "nsupported proxy") != NULL);
}

/* Whether the two sides found no protocol or cipher in common, which no other try would change. */
static bool is_tls_disagreement(const struct http_failure *failure)
{
    return failure->result == CURLE_SSL_CONNECT_ERROR &&
           (strstr(failure->complaint, "protocol") != NULL ||
            strstr(failure->complaint, "wrong version") != NULL ||
            strstr(failure->complaint, "handshake failure") != NULL);
}

static bool tell_name(const struct http_failure *failure, const char *detail, struct error *err)
{
    (void)error_set(err, ERROR_TEMPORARY, "%s: name not resolved: %s", failure->host, detail);
    return error_advise(err, "Check the node's DNS (/etc/resolv.conf)");
}

bool http_failure_tell(const struct http_failure *failure, struct error *err)
{
    const char *host = failure->host;
    const char *detail =
        failure->complaint[0] != '\0' ? failure->complaint : curl_easy_strerror(failure->result);

    if (failure->is_too_large || failure->result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ERROR_UNAVAILABLE, "%s: answer larger than %zu bytes", host,
                         failure->body_max_bytes);
    if (is_about_proxy(detail))
        return tell_proxy(failure, err);
    if (failure->proxy_status >= 400 && failure->proxy_status < 500 &&
        failure->proxy_status != 408 && failure->proxy_status != 429)
        return tell_proxy_refusal(failure, err);
    if (is_tls_disagreement(failure))
        return error_set(err, ERROR_UNAVAILABLE, "%s: no TLS 1.2 or later: %s", host, detail);
    switch (failure->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return tell_name(failure, detail, err);
    case CURLE_COULDNT_CONNECT:
        (void)error_set(err, ERROR_TEMPORARY, "%s: no connection: %s", host, detail);
        return error_advise(err, WAY_ADVICE);
    case CURLE_OPERATION_TIMEDOUT:
        if (failure->is_name_unknown)
            return tell_name(failure, detail, err);
        (void)error_set(err, ERROR_TEMPORARY, "%s: no answer in time: %s", host, detail);
        return error_advise(err, WAY_ADVICE);
    case CURLE_SSL_CACERT_BADFILE:
        return tell_store(failure, err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return tell_tls(failure, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(err, ERROR_UNAVAILABLE, "%s: not an HTTP answer: %s", host, detail);
    default:
        (void)error_set(err, ERROR_TEMPORARY, "%s: connection failed: %s", host, detail);
        return error_advise(err, "Try again; if it stays, check what stands between the node and "
                                 "the service");
    }
}
