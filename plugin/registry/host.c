#include "registry/host.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "registry/explain.h"

/* Cuts `suffix` off the end of `text`, if something stays before it. */
static bool cut(char *text, const char *suffix)
{
    if (!text_ends_with(text, suffix) || strlen(text) == strlen(suffix))
        return false;
    text[strlen(text) - strlen(suffix)] = '\0';
    return true;
}

/* Cuts the last label off `text`, with its dot. It must be a region. */
static bool cut_region(struct host *host, char *text)
{
    char *dot = strrchr(text, '.');

    if (dot == NULL || !text_copy(host->region, sizeof host->region, dot + 1))
        return false;
    *dot = '\0';
    return text_is_region(host->region);
}

static bool is_one_label(const char *text)
{
    return strchr(text, '.') == NULL;
}

/* By the end of a label, such as registry-intl-vpc. */
static bool is_in_vpc(const char *label)
{
    return text_ends_with(label, "-vpc") || text_ends_with(label, "-internal");
}

/* `rest` is the part before .cr.aliyuncs.com. */
static bool parse_enterprise(struct host *host, char *rest)
{
    /* The longest first: `my-registry-registry-vpc` is instance `my-registry`, in a VPC. Chart
     * hosts belong to the same instance and take the same token. */
    static const char *const suffixes[] = {
        "-registry-intl-vpc", "-registry-intl", "-registry-internal", "-registry-vpc", "-registry",
        "-chart-vpc",         "-chart"};

    if (!cut_region(host, rest))
        return false;
    (void)cut(rest, ".distributed");
    if (!is_one_label(rest))
        return false;
    host->is_vpc = is_in_vpc(rest);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        if (cut(rest, suffixes[i]))
            return check_is_host_name(rest) &&
                   text_copy(host->instance, sizeof host->instance, rest);
    }
    return false;
}

/* `rest` is the part before .personal.cr.aliyuncs.com. */
static bool parse_new_personal(struct host *host, char *rest)
{
    if (!cut_region(host, rest) || !is_one_label(rest) || !text_starts_with(rest, "crpi-"))
        return false;
    host->is_vpc = cut(rest, "-vpc");
    host->is_new_personal = true;
    return strlen(rest) > strlen("crpi-");
}

/* `rest` is the part before .aliyuncs.com. */
static bool parse_old_personal(struct host *host, char *rest)
{
    static const char *const labels[] = {"registry",          "registry-vpc",
                                         "registry-intl",     "registry-internal",
                                         "registry-intl-vpc", "registry-intl-internal"};

    if (!cut_region(host, rest))
        return false;
    host->is_vpc = is_in_vpc(rest);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++) {
        if (strcmp(rest, labels[i]) == 0)
            return true;
    }
    return false;
}

/* Read from the right: the fixed suffix decides the kind. */
static enum host_kind classify(struct host *host)
{
    char rest[HOST_NAME_SIZE];

    memcpy(rest, host->name, sizeof rest);
    if (cut(rest, ".personal.cr.aliyuncs.com"))
        return parse_new_personal(host, rest) ? HOST_PERSONAL : HOST_ALIBABA;
    if (cut(rest, ".cr.aliyuncs.com"))
        return parse_enterprise(host, rest) ? HOST_ENTERPRISE : HOST_ALIBABA;
    if (cut(rest, ".ack.aliyuncs.com"))
        return is_one_label(rest) && text_starts_with(rest, "registry-") ? HOST_ANONYMOUS
                                                                         : HOST_FOREIGN;
    if (cut(rest, ".aliyuncs.com") && parse_old_personal(host, rest))
        return HOST_PERSONAL;
    return HOST_FOREIGN;
}

bool host_parse(struct host *out, const char *image, struct error *err)
{
    size_t length = strcspn(image, "/");
    size_t name_length = strcspn(image, ":/");
    struct host parsed;
    int64_t port;

    *out = (struct host){.path = image + length};
    if (strstr(image, "://") != NULL)
        return explain_image("the image has a scheme", err);
    if (length >= sizeof out->as_asked || name_length >= sizeof out->name)
        return explain_image("registry host too long", err);
    memcpy(out->as_asked, image, length);
    memcpy(out->name, image, name_length);
    if (strchr(out->as_asked, '@') != NULL)
        return explain_image("the registry host contains an @", err);
    if (out->as_asked[0] == '[')
        return explain_image("IPv6 address as registry host", err);
    if (name_length < length &&
        (!text_parse_number(out->as_asked + name_length + 1, 1, 65535, &port) ||
         !text_copy(out->port, sizeof out->port, out->as_asked + name_length)))
        return explain_image("invalid port in registry host", err);
    text_lower(out->name);
    (void)cut(out->name, ".");
    if (!check_is_host_name(out->name))
        return explain_image("the image does not begin with a registry host", err);
    text_join(out->authority, sizeof out->authority, out->name, "", out->port);
    parsed = *out;
    out->kind = parsed.kind = classify(&parsed);
    /* The parts of a host of another kind mean nothing. */
    if (parsed.kind == HOST_ENTERPRISE || parsed.kind == HOST_PERSONAL)
        *out = parsed;
    return true;
}

bool host_can_be_domain(const struct host *host)
{
    const char *last = strrchr(host->name, '.');

    return last != NULL && strspn(last + 1, "0123456789") == 0;
}
