#include "net/explain.h"

#include <openssl/ssl3.h>
#include <openssl/tls1.h>
#include <openssl/x509_vfy.h>

#define ROUTE_ADVICE "Check routes, security groups and proxy variables of the node"

static bool explain_certificate(const struct failure *failure, const char *detail,
                                struct error *err)
{
    const char *advice;

    switch (failure->verify_result) {
    case X509_V_OK: /* of the chain: libcurl compares the name when that is done */
    case X509_V_ERR_UNSPECIFIED:
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        advice = "Check what answers under this name: DNS, /etc/hosts and proxy variables";
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        advice = "Check the node's clock (NTP); if it is right, the certificate must be renewed";
        break;
    default:
        advice = "Update the node's CA certificates, and add that of a private CA or of a "
                 "TLS-intercepting proxy; SSL_CERT_FILE, if set, replaces the system store";
    }
    return error_set_advised(err, ERROR_UNAVAILABLE, advice, "%s: TLS certificate not accepted: %s",
                             failure->host, detail);
}

static bool is_proxy_refusal(const struct failure *failure)
{
    return failure->proxy_status >= 400 && failure->proxy_status < 500 &&
           failure->proxy_status != 408 && failure->proxy_status != 429;
}

/* The same password again might lock an account. A host that is not admitted may have another
 * beside it that is: the public endpoint beside that of the VPC. */
static bool explain_proxy_refusal(const struct failure *failure, struct error *err)
{
    return failure->proxy_status == 407
               ? error_set_advised(err, ERROR_UNAVAILABLE,
                                   "Put its user and password into HTTPS_PROXY, percent-encoded",
                                   "%s: the proxy refuses with HTTP status 407", failure->host)
               : error_set_advised(err, ERROR_TEMPORARY,
                                   "Let the proxy admit this host, or name the host in NO_PROXY",
                                   "%s: the proxy refuses with HTTP status %ld", failure->host,
                                   failure->proxy_status);
}

static bool is_socks_login_refused(const struct failure *failure)
{
    return failure->result == CURLE_PROXY &&
           (failure->proxy_error == CURLPX_NO_AUTH || failure->proxy_error == CURLPX_USER_REJECTED);
}

/* Whether libcurl gave up on the proxy variable. NO_PROXY may have spared it that. */
static bool is_proxy_unusable(const struct failure *failure)
{
    return failure->has_unusable_proxy && !failure->is_resolved &&
           failure->result != CURLE_COULDNT_RESOLVE_HOST &&
           failure->result != CURLE_OPERATION_TIMEDOUT;
}

/* Whether the two sides have no protocol or cipher in common, which no other try would change. */
static bool is_tls_disagreement(const struct failure *failure)
{
    return failure->result == CURLE_SSL_CONNECT_ERROR &&
           (failure->is_peer_without_tls || failure->tls_alert == SSL3_AD_HANDSHAKE_FAILURE ||
            failure->tls_alert == TLS1_AD_PROTOCOL_VERSION ||
            failure->tls_alert == TLS1_AD_INSUFFICIENT_SECURITY);
}

static bool explain_result(const struct failure *failure, const char *detail, struct error *err)
{
    switch (failure->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return error_set_advised(err, ERROR_TEMPORARY, "Check the node's DNS (/etc/resolv.conf)",
                                 "%s: name not resolved: %s", failure->host, detail);
    case CURLE_COULDNT_CONNECT:
        return error_set_advised(err, ERROR_TEMPORARY, ROUTE_ADVICE, "%s: no connection: %s",
                                 failure->host, detail);
    case CURLE_OPERATION_TIMEDOUT:
        return error_set_advised(err, ERROR_TEMPORARY, ROUTE_ADVICE, "%s: no answer in time: %s",
                                 failure->host, detail);
    case CURLE_SSL_CACERT_BADFILE:
        return error_set_advised(
            err, ERROR_CONFIG, "Let it name a readable file of PEM certificates, or unset it",
            "%s: the certificates in SSL_CERT_FILE cannot be read", failure->host);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
        return explain_certificate(failure, detail, err);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        return error_set(err, ERROR_UNAVAILABLE, "%s: not an HTTP answer: %s", failure->host,
                         detail);
    default:
        return error_set_advised(
            err, ERROR_TEMPORARY,
            "Retry; if the error persists, check firewalls and proxies between "
            "the node and the service",
            "%s: connection failed: %s", failure->host, detail);
    }
}

bool explain_failure(const struct failure *failure, struct error *err)
{
    const char *detail =
        failure->message[0] != '\0' ? failure->message : curl_easy_strerror(failure->result);

    if (failure->is_too_large || failure->result == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, ERROR_UNAVAILABLE, "%s: answer larger than %zu bytes", failure->host,
                         failure->body_max_bytes);
    /* libcurl quotes the proxy variable, with its password. */
    if (is_proxy_unusable(failure))
        return error_set_advised(err, ERROR_CONFIG,
                                 "Write HTTPS_PROXY as http://[USER:PASSWORD@]HOST[:PORT], user "
                                 "and password percent-encoded",
                                 "%s: the proxy variable for it is not the URL of a proxy",
                                 failure->host);
    if (is_proxy_refusal(failure))
        return explain_proxy_refusal(failure, err);
    if (is_socks_login_refused(failure))
        return error_set_advised(err, ERROR_UNAVAILABLE,
                                 "Put its user and password into HTTPS_PROXY, percent-encoded",
                                 "%s: the proxy refuses the login: %s", failure->host, detail);
    if (is_tls_disagreement(failure))
        return error_set(err, ERROR_UNAVAILABLE, "%s: no TLS 1.2 or later: %s", failure->host,
                         detail);
    if (failure->result == CURLE_OPERATION_TIMEDOUT && !failure->is_resolved)
        return error_set_advised(err, ERROR_TEMPORARY, "Check the node's DNS (/etc/resolv.conf)",
                                 "%s: name not resolved: %s", failure->host, detail);
    return explain_result(failure, detail, err);
}

bool explain_temporary_status(long status, struct error *err)
{
    return error_set_advised(err, ERROR_TEMPORARY,
                             "The service is temporarily unavailable; try again later",
                             "HTTP status %ld", status);
}
