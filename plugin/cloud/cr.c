#include "cloud/cr.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cloud/explain.h"
#include "cloud/openapi.h"
#include "net/http.h"
#include "proto-json/api_reply.h"

/* The largest page size seen in use; the documentation names no maximum. */
#define PAGE_SIZE         "50"
#define ENTERPRISE_METHOD "POST"
enum { PAGES_MAX = 200 };

static bool call_enterprise(struct openapi_reply *reply, const struct api *api, const char *action,
                            const struct sign_v3_parameter *query, size_t count, struct error *err)
{
    struct openapi_call call = {.method = ENTERPRISE_METHOD,
                                .path = "/",
                                .product = "cr",
                                .action = action,
                                .version = "2018-12-01",
                                .parameter_count = count};

    memcpy(call.parameters, query, count * sizeof *query);
    return openapi_call(reply, api, &call, err);
}

static const struct openapi_call personal = {.method = "GET",
                                             .path = "/tokens",
                                             .product = "cr",
                                             .action = "GetAuthorizationToken",
                                             .version = "2016-06-07"};

void cr_preconnect(const struct http *http, const char *base_url, bool is_personal)
{
    http_preconnect(
        http, &(struct http_request){.kind = HTTP_SECURE,
                                     .method = is_personal ? personal.method : ENTERPRISE_METHOD,
                                     .url = base_url,
                                     .connect_timeout_ms = OPENAPI_CONNECT_TIMEOUT_MS,
                                     .timeout_ms = INT64_MAX});
}

bool cr_get_token(struct token *out, int64_t *server_time_s, const struct api *api,
                  const char *instance_id, struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    const struct sign_v3_parameter query[] = {{"InstanceId", instance_id}};

    if (instance_id == NULL ? !openapi_call(&reply, api, &personal, err)
                            : !call_enterprise(&reply, api, "GetAuthorizationToken", query, 1, err))
        return false;
    *server_time_s = reply.server_time_s;
    if (!api_reply_decode_token(out, instance_id == NULL, reply.body.bytes, reply.body.length, err))
        return openapi_fail_answer(&reply, "GetAuthorizationToken", err);
    text_copy(out->request_id, sizeof out->request_id, reply.request_id);
    return true;
}

static bool is_last_page(const struct api_instance_page *page, int page_number)
{
    return page->count == 0 || (page->total_count > 0 && page->page_size > 0 &&
                                page_number * page->page_size >= page->total_count);
}

bool cr_find_instance(char *id, size_t size, const struct api *api, const char *name,
                      struct error *err)
{
    for (int number = 1; number <= PAGES_MAX; number++) {
        struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
        struct api_instance_page page;
        char page_number[12];
        const struct sign_v3_parameter query[] = {
            {"InstanceName", name}, {"PageNo", page_number}, {"PageSize", PAGE_SIZE}};

        if (snprintf(page_number, sizeof page_number, "%d", number) < 0 ||
            !call_enterprise(&reply, api, "ListInstance", query, 3, err))
            return error_wrap(err, "looking up the id of instance %s", name);
        if (!api_reply_decode_instances(&page, name, reply.body.bytes, reply.body.length, err))
            return openapi_fail_answer(&reply, "ListInstance", err);
        if (page.id[0] != '\0')
            return text_copy(id, size, page.id) ||
                   error_set(err, ERROR_UNAVAILABLE, "ListInstance: instance id too long");
        if (is_last_page(&page, number))
            break;
    }
    return error_set_advised(err, ERROR_PERMISSION, ADVICE_NO_INSTANCE,
                             "no ACR instance named %s in this account and region", name);
}

bool cr_has_domain(bool *found, const struct api *api, const char *instance_id, const char *host,
                   struct error *err)
{
    struct openapi_reply reply AUTO(openapi_reply_clear) = {0};
    const struct sign_v3_parameter query[] = {{"InstanceId", instance_id},
                                              {"ModuleName", "Registry"}};

    if (!call_enterprise(&reply, api, "ListInstanceEndpoint", query, 2, err))
        return error_wrap(err, "listing the domains of instance %s", instance_id);
    return api_reply_lists_domain(found, reply.body.bytes, reply.body.length, host, err) ||
           openapi_fail_answer(&reply, "ListInstanceEndpoint", err);
}
