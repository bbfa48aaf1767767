#include "base/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define LOWER   "abcdefghijklmnopqrstuvwxyz"
#define UPPER   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS LOWER UPPER
#define DIGITS  "0123456789"

enum { LABEL_MAX_BYTES = 63, MATCH_MAX_BYTES = 512 };

/* `min` to `max` of the bytes in `allowed`; of all but control bytes if that is NULL. */
static bool consists_of(const char *text, size_t min, size_t max, const char *allowed)
{
    size_t length = 0;

    while (text[length] != '\0' && (allowed == NULL ? !iscntrl((unsigned char)text[length])
                                                    : strchr(allowed, text[length]) != NULL))
        length++;
    return text[length] == '\0' && length >= min && length <= max;
}

/* Skips a port, 1 to 65535, at the front of `text`; NULL if there is none. */
static const char *skip_port(const char *text)
{
    char port[sizeof "65535"] = "";
    size_t digits = strspn(text, DIGITS);
    int64_t number = 0;

    if (digits >= sizeof port || text[0] == '0')
        return NULL;
    memcpy(port, text, digits);
    return text_parse_number(port, 1, UINT16_MAX, &number) ? text + digits : NULL;
}

/* Skips the zone of a link-local address, "%25eth0" (RFC 6874). Any other zone text is left:
 * libcurl might parse it differently. */
static const char *skip_zone(const char *text)
{
    if (!text_starts_with(text, "%25"))
        return text;
    return text + strlen("%25") + strspn(text + strlen("%25"), LETTERS DIGITS "._~-");
}

bool check_is_host_name(const char *text)
{
    if (strlen(text) >= CHECK_HOST_SIZE)
        return false;
    for (;; text++) {
        size_t label = strspn(text, LETTERS DIGITS "-");

        if (label == 0 || label > LABEL_MAX_BYTES || text[0] == '-' || text[label - 1] == '-')
            return false;
        text += label;
        if (*text != '.')
            return *text == '\0';
    }
}

/* A host whose last label begins with a digit is an IPv4 address. Only the usual form is one here:
 * libcurl and the system's resolver also take 127.1 and 0x7f.1, and send another Host than that. */
static bool is_name_or_whole_ipv4(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot == NULL ? host : dot + 1;
    struct in_addr parsed;

    return check_is_host_name(host) &&
           (strchr(DIGITS, *last) == NULL || inet_pton(AF_INET, host, &parsed) == 1);
}

const char *check_split_url(char host[CHECK_HOST_SIZE], const char *url, const char *scheme)
{
    const char *authority;
    struct in6_addr parsed;
    const char *rest;
    size_t length;

    if (!text_starts_with(url, scheme) || !text_starts_with(url + strlen(scheme), "://"))
        return NULL;
    authority = url + strlen(scheme) + strlen("://");
    if (*authority == '[')
        length = strcspn(++authority, "]%");
    else
        length = strcspn(authority, ":/?#");
    if (length >= CHECK_HOST_SIZE)
        return NULL;
    memcpy(host, authority, length);
    host[length] = '\0';
    rest = authority + length;
    if (authority[-1] == '[') {
        rest = skip_zone(rest);
        if (*rest++ != ']' || inet_pton(AF_INET6, host, &parsed) != 1)
            return NULL;
    } else if (!is_name_or_whole_ipv4(host)) {
        return NULL;
    }
    if (*rest == ':')
        rest = skip_port(rest + 1);
    return rest != NULL && strchr("/?#", *rest) != NULL ? rest : NULL;
}

static bool check_endpoint(const char *text, const char *scheme, const char *what,
                           struct error *err)
{
    char host[CHECK_HOST_SIZE];
    const char *rest = check_split_url(host, text, scheme);

    if (rest == NULL || *rest != '\0' || strchr(text, '%') != NULL)
        return error_set(err, ERROR_CONFIG,
                         "%s must be %s://HOST[:PORT] without user, path or query; HOST is a name "
                         "or a whole IP address",
                         what, scheme);
    return true;
}

/* Why the host of a pattern is invalid, HOST[:PORT] of `length` bytes; NULL if nothing is. */
static const char *find_fault_in_host(const char *text, size_t length)
{
    size_t host = strcspn(text, ":/");
    size_t i;

    if (host == 0)
        return "has no host";
    for (i = 0; i < host; i++) {
        if (strchr(UPPER, text[i]) != NULL)
            return "has upper case in its host, which the kubelet never matches: write lower case";
        if (strchr(LOWER DIGITS "*._-", text[i]) == NULL)
            return "has a byte in its host that no host name has";
        if (text[i] == '.' && (i == 0 || i + 1 == host || text[i + 1] == '.'))
            return "has an empty label in its host";
    }
    if (host < length && skip_port(text + host + 1) != text + length)
        return "has a port that is not a number from 1 to 65535";
    return NULL;
}

/* Why the path of a pattern is invalid, "" or from its slash on. */
static const char *find_fault_in_path(const char *path)
{
    if (strchr(path, '*') != NULL)
        return "has a * in its path, which the kubelet takes literally; a path matches as a "
               "prefix, so leave the * out";
    if (text_starts_with(path, "/v1/") || text_starts_with(path, "/v2/"))
        return "has a path that begins with /v1/ or /v2/, which the kubelet removes as the "
               "registry API's";
    if (path[strspn(path, LETTERS DIGITS "/._-")] != '\0')
        return "has a byte in its path that no repository name has";
    return NULL;
}

static bool check_match(const char *text, const char *what, struct error *err)
{
    size_t host = strcspn(text, "/");
    const char *fault = NULL;

    if (*text == '\0')
        fault = "must not be empty";
    else if (strlen(text) > MATCH_MAX_BYTES)
        fault = "must be at most 512 bytes long";
    else if (strstr(text, "://") != NULL)
        fault = "has a scheme; write the host without it";
    else if (strpbrk(text, "?[") != NULL)
        fault = "has a ? or [; * is the only wildcard";
    else
        fault = find_fault_in_host(text, host);
    if (fault == NULL)
        fault = find_fault_in_path(text + host);
    if (fault != NULL)
        return error_set(err, ERROR_CONFIG, "%s %s", what, fault);
    return true;
}

/* What follows "acs:ram::ACCOUNT:"; "" if `text` is no such ARN. */
static const char *skip_account(const char *text)
{
    static const char prefix[] = "acs:ram::";
    size_t digits;

    if (!text_starts_with(text, prefix))
        return "";
    text += strlen(prefix);
    digits = strspn(text, DIGITS);
    return digits >= 8 && digits <= 20 && text[digits] == ':' ? text + digits + 1 : "";
}

static bool is_policy(const char *text)
{
    return text[0] != '\0' && strlen(text) <= 2048;
}

static const struct rule {
    const char *expected;
    bool (*is_valid)(const char *text); /* in place of what follows; or NULL */
    bool is_arn;
    const char *prefix; /* after the account, for an ARN */
    size_t min;         /* without the prefix */
    size_t max;
    const char *allowed; /* NULL: all but control bytes */
} rules[] = {
    [CHECK_REGION] = {"a region id such as cn-shanghai", text_is_region, false, "", 0, 0, ""},
    [CHECK_INSTANCE_ID] = {"an instance id: cri- and lower-case letters and digits", NULL, false,
                           "cri-", 1, 60, LOWER DIGITS},
    [CHECK_ACCOUNT_ID] = {"the digits of an account id", NULL, false, "", 8, 20, DIGITS},
    [CHECK_CLUSTER_ID] = {"the id of an ACK cluster: lower-case letters and digits", NULL, false,
                          "", 1, 64, LOWER DIGITS "-"},
    [CHECK_ROLE_NAME] = {"the name of a RAM role: 1 to 64 letters, digits, . _ and -", NULL, false,
                         "", 1, 64, LETTERS DIGITS "._-"},
    [CHECK_ROLE_ARN] = {"the ARN of a RAM role, acs:ram::ACCOUNT:role/NAME", NULL, true, "role/", 1,
                        128, LETTERS DIGITS "._/-"},
    [CHECK_OIDC_PROVIDER_ARN] = {"the ARN of an OIDC provider, acs:ram::ACCOUNT:oidc-provider/NAME",
                                 NULL, true, "oidc-provider/", 1, 128, LETTERS DIGITS "._/-"},
    [CHECK_SESSION_NAME] = {"2 to 64 letters, digits, . @ _ and -", NULL, false, "", 2, 64,
                            LETTERS DIGITS ".@_-"},
    [CHECK_EXTERNAL_ID] = {"2 to 1224 letters, digits, _ + = , . @ : / and -", NULL, false, "", 2,
                           1224, LETTERS DIGITS "_+=,.@:/-"},
    [CHECK_POLICY] = {"a RAM policy of at most 2048 bytes", is_policy, false, "", 0, 0, ""},
    [CHECK_PROFILE_NAME] = {"the name of a profile, of 1 to 256 bytes", NULL, false, "", 1, 256,
                            NULL},
    [CHECK_DIRECTORY] = {"an absolute path of at most 1024 bytes", NULL, false, "/", 0, 1023, NULL},
};

static bool obeys(const char *text, const struct rule *rule)
{
    if (rule->is_valid != NULL)
        return rule->is_valid(text);
    if (rule->is_arn)
        text = skip_account(text);
    return text_starts_with(text, rule->prefix) &&
           consists_of(text + strlen(rule->prefix), rule->min, rule->max, rule->allowed);
}

bool check_text(enum check_type type, const char *text, const char *what, struct error *err)
{
    if (type == CHECK_MATCH)
        return check_match(text, what, err);
    if (type == CHECK_ENDPOINT_HTTP || type == CHECK_ENDPOINT_HTTPS)
        return check_endpoint(text, type == CHECK_ENDPOINT_HTTP ? "http" : "https", what, err);
    return obeys(text, &rules[type]) ||
           error_set(err, ERROR_CONFIG, "%s must be %s", what, rules[type].expected);
}

bool check_word(unsigned *out, const char *text, const char *const *words, size_t count,
                const char *what, struct error *err)
{
    struct buf list AUTO(buf_clear) = {0};

    for (unsigned i = 0; i < count; i++) {
        if (words[i] != NULL && strcmp(words[i], text) == 0) {
            *out = i;
            return true;
        }
        if (words[i] != NULL)
            buf_append_format(&list, "%s%s", list.length == 0 ? "" : ", ", words[i]);
    }
    return error_set(err, ERROR_CONFIG, "%s must be one of: %s", what, buf_text(&list));
}
