#include "proto-json/api_reply.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "proto-json/doc.h"

enum {
    ENDPOINTS_MAX = 1000,
    DOMAINS_MAX = 10000,
    DOMAIN_SIZE = 1024,
    NUMBER_SIZE = 24,
    INSTANCE_NAME_SIZE = 128,
    COUNT_MAX = INT32_MAX - 1,
};

/* Smaller times are seconds: as milliseconds they would be before March 1973. */
static const int64_t milliseconds_from = 100000000000;
static const int64_t end_of_year_9999_ms = 253402300799999;

/* A string of an error body; "" if neither key has one. */
static void read_text(char *out, size_t size, const struct doc_node *object, const char *upper,
                      const char *lower)
{
    doc_text_cut(out, size, doc_member(object, upper));
    if (out[0] == '\0')
        doc_text_cut(out, size, doc_member(object, lower));
}

static void read_error(struct api_error *out, const struct doc_node *root)
{
    struct doc_node denied = doc_member(root, "AccessDeniedDetail");

    if (!denied.present)
        denied = doc_member(root, "accessDeniedDetail");
    read_text(out->code, sizeof out->code, root, "Code", "code");
    read_text(out->message, sizeof out->message, root, "Message", "message");
    read_text(out->request_id, sizeof out->request_id, root, "RequestId", "requestId");
    read_text(out->auth_action, sizeof out->auth_action, &denied, "AuthAction", "authAction");
    read_text(out->auth_principal, sizeof out->auth_principal, &denied, "AuthPrincipalDisplayName",
              "authPrincipalDisplayName");
    read_text(out->no_permission_type, sizeof out->no_permission_type, &denied, "NoPermissionType",
              "noPermissionType");
}

static bool parse(struct doc *doc, const void *bytes, size_t length, struct error *err)
{
    return doc_parse(doc, ERROR_UNAVAILABLE, bytes, length, API_REPLY_MAX_BYTES, err);
}

void api_reply_decode_error(struct api_error *out, const void *bytes, size_t length)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;

    *out = (struct api_error){0};
    if (parse(&doc, bytes, length, &ignored))
        read_error(out, &doc.root);
}

static bool is_success(const struct doc_node *root)
{
    bool success = false;
    struct error ignored;

    return doc_boolean(&success, doc_member(root, "IsSuccess"), &ignored) && success;
}

bool api_reply_is_refusal(const void *bytes, size_t length)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct error ignored;
    struct api_error refusal = {0};

    if (!parse(&doc, bytes, length, &ignored))
        return false;
    if (doc_member(&doc.root, "IsSuccess").present)
        return !is_success(&doc.root);
    read_error(&refusal, &doc.root);
    return refusal.code[0] != '\0' && !doc_member(&doc.root, "data").present &&
           !doc_member(&doc.root, "Credentials").present;
}

/* Parses an answer of 2018-12-01, whose IsSuccess must be true. */
static bool parse_enterprise(struct doc *doc, const void *bytes, size_t length, struct error *err)
{
    return parse(doc, bytes, length, err) &&
           (is_success(&doc->root) || error_set(err, ERROR_UNAVAILABLE, "IsSuccess is not true"));
}

/* A whole number, or a string of digits, as older versions of the APIs declare some numbers. */
static bool read_number(int64_t *out, int64_t min, int64_t max, struct doc_node node,
                        struct error *err)
{
    char digits[NUMBER_SIZE] = "";

    if (!doc_is_string(&node))
        return doc_integer(out, min, max, node, err);
    if (!doc_text(digits, sizeof digits, node, err))
        return false;
    if (!text_parse_number(digits, min, max, out))
        return error_set(err, ERROR_UNAVAILABLE, "%s must be a number", node.path);
    return true;
}

static bool read_time(int64_t *unix_s, struct doc_node node, struct error *err)
{
    int64_t value = 0;

    if (!read_number(&value, 1, end_of_year_9999_ms, node, err))
        return false;
    *unix_s = value < milliseconds_from ? value : value / 1000;
    return true;
}

bool api_reply_decode_token(struct token *out, bool is_personal, const void *bytes, size_t length,
                            struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct token fresh AUTO(credentials_clear_token) = {0};
    struct doc_node data;
    struct doc_node user;
    struct doc_node password;

    if (!(is_personal ? parse(&doc, bytes, length, err)
                      : parse_enterprise(&doc, bytes, length, err)))
        return false;
    data = is_personal ? doc_member(&doc.root, "data") : doc.root;
    user = doc_member(&data, is_personal ? "tempUserName" : "TempUsername");
    password = doc_member(&data, is_personal ? "authorizationToken" : "AuthorizationToken");
    if (!doc_text(fresh.user, sizeof fresh.user, user, err) ||
        !doc_check_printable(fresh.user, &user, err) ||
        !doc_secret(&fresh.password, TOKEN_PASSWORD_MAX_BYTES, password, err) ||
        !doc_check_printable(secret_reveal(&fresh.password), &password, err) ||
        !read_time(&fresh.expires_at_s,
                   doc_member(&data, is_personal ? "expireDate" : "ExpireTime"), err))
        return false;
    credentials_clear_token(out);
    *out = TAKE(fresh);
    return true;
}

static bool decode_instance(struct api_instance_page *page, const char *name,
                            const struct doc_node *item, struct error *err)
{
    char id[sizeof page->id] = "";
    char its_name[INSTANCE_NAME_SIZE] = "";

    if (!doc_object(*item, err) || !doc_text(id, sizeof id, doc_member(item, "InstanceId"), err) ||
        !doc_text(its_name, sizeof its_name, doc_optional_member(item, "InstanceName"), err))
        return false;
    /* Whether the filter of the request is exact is not documented. */
    if (page->id[0] == '\0' && strcmp(its_name, name) == 0)
        memcpy(page->id, id, sizeof id);
    return true;
}

bool api_reply_decode_instances(struct api_instance_page *out, const char *name, const void *bytes,
                                size_t length, struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct api_instance_page page = {0};
    struct doc_node array;

    if (!parse_enterprise(&doc, bytes, length, err))
        return false;
    array = doc_member(&doc.root, "Instances");
    if (!doc_array(&page.count, API_REPLY_INSTANCES_MAX, array, err) ||
        !read_number(&page.page_size, 0, COUNT_MAX, doc_optional_member(&doc.root, "PageSize"),
                     err) ||
        !read_number(&page.total_count, 0, COUNT_MAX, doc_optional_member(&doc.root, "TotalCount"),
                     err))
        return false;
    for (size_t i = 0; i < page.count; i++) {
        struct doc_node item = doc_element(&array, i);

        if (!decode_instance(&page, name, &item, err))
            return false;
    }
    *out = page;
    return true;
}

/* Searches the member Domains, whose elements are {"Domain": NAME}. */
static bool find_domain(bool *found, const struct doc_node *endpoint, const char *host,
                        struct error *err)
{
    struct doc_node domains = doc_optional_member(endpoint, "Domains");
    size_t count = 0;

    if (!doc_array(&count, DOMAINS_MAX, domains, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct doc_node entry = doc_element(&domains, i);
        char domain[DOMAIN_SIZE] = "";

        if (!doc_object(entry, err) ||
            !doc_text(domain, sizeof domain, doc_member(&entry, "Domain"), err))
            return false;
        if (strcasecmp(domain, host) == 0)
            *found = true;
    }
    return true;
}

bool api_reply_lists_domain(bool *found, const void *bytes, size_t length, const char *host,
                            struct error *err)
{
    struct doc doc AUTO(doc_clear) = {0};
    struct doc_node endpoints;
    size_t count = 0;
    bool seen = false;

    if (!parse_enterprise(&doc, bytes, length, err))
        return false;
    endpoints = doc_optional_member(&doc.root, "Endpoints");
    if (!doc_array(&count, ENDPOINTS_MAX, endpoints, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct doc_node endpoint = doc_element(&endpoints, i);

        if (!doc_object(endpoint, err) || !find_domain(&seen, &endpoint, host, err))
            return false;
    }
    *found = seen;
    return true;
}
