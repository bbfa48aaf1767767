#include "doctor/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/system.h"
#include "base/text.h"
#include "cloud/cr.h"
#include "doctor/login_check.h"
#include "doctor/report.h"
#include "identity/explain.h"
#include "identity/identity.h"
#include "net/proxy.h"
#include "net/retry.h"
#include "net/trust.h"
#include "proto-json/kubelet_request.h"
#include "registry/explain.h"
#include "registry/instance.h"
#include "registry/registry.h"

enum { CONNECT_TIMEOUT_MS = 3000, EXCHANGE_TIMEOUT_MS = 6000, BODY_MAX_BYTES = 64 * 1024 };

/* A clock that is wrong by this much is worth a line; by that much, signatures are refused. */
enum { SKEW_WARNING_S = 60, SKEW_MAX_S = 900 };

/* What the steps for one image learn. */
struct visit {
    struct report *report;
    struct run run;
    const struct kubelet_request *request;
    struct registry registry;
    struct instance instance;
    struct identity_plans plans;
    struct identity identity;
    bool has_identity;
    struct http_response answer; /* of the registry */
    int64_t date_s;              /* of the first service that answered */
    int64_t asked_s;             /* when, by our own clock */
};

/* On the heap: with the errors of its steps it is too large for one stack frame. */
static struct visit *new_visit(struct report *report, const struct run *run,
                               const struct kubelet_request *request)
{
    struct visit *visit = alloc_zeroed(1, sizeof(*visit));

    visit->report = report;
    visit->run = *run;
    visit->request = request;
    return visit;
}

static void free_visit(struct visit **visit)
{
    identity_plans_clear(&(*visit)->plans);
    identity_clear(&(*visit)->identity);
    http_response_clear(&(*visit)->answer);
    free(*visit);
}

static void append_time_left(struct buf *out, int64_t left_s)
{
    if (left_s >= 3600)
        buf_append_format(out, "%lld h ", (long long)(left_s / 3600));
    buf_append_format(out, "%lld min left", (long long)(left_s % 3600 / 60));
}

/* -- registry -- */

static bool check_host(struct visit *visit)
{
    static const char *const kinds[] = {[HOST_FOREIGN] = "a custom domain",
                                        [HOST_ALIBABA] = "a host under cr.aliyuncs.com",
                                        [HOST_ENTERPRISE] = "an Enterprise Edition host",
                                        [HOST_PERSONAL] = "a Personal Edition host",
                                        [HOST_ANONYMOUS] = "a host of public images"};
    struct registry *registry = &visit->registry;
    const struct host *host = &registry->host;
    struct error err;

    if (!registry_resolve(registry, visit->run.settings, visit->request->image, &err)) {
        report_error(visit->report, REPORT_FAILED, "registry.host", &err);
        return false;
    }
    report_ok(visit->report, "registry.host", "%s is %s by its name%s%s%s%s%s%s%s", host->authority,
              kinds[host->kind], registry->entry != NULL ? ", and listed in the configuration" : "",
              host->instance[0] == '\0' ? "" : ", instance ", host->instance,
              registry->region[0] == '\0' ? "" : ", region ", registry->region,
              registry->is_anonymous ? ": no password is needed" : "",
              host->is_vpc ? ", answers inside VPCs only" : "");
    return true;
}

/* Sends a GET; any answer shows that the service can be reached. */
static bool probe(struct http_response *out, const struct visit *visit, const char *url,
                  struct error *err)
{
    const struct http_request request = {.kind = HTTP_SECURE,
                                         .method = "GET",
                                         .url = url,
                                         .body_max_bytes = BODY_MAX_BYTES,
                                         .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                         .timeout_ms = EXCHANGE_TIMEOUT_MS};

    /* Over a connection of its own: only a new one tells whether a proxy has made it. */
    struct http_transport *transport AUTO(http_curl_close) = http_curl_open();
    struct http http = visit->run.http;

    http.transport = transport;
    return http_send(&http, &request, out, err);
}

static void take_date(struct visit *visit, const struct http_response *answer)
{
    if (visit->date_s == 0 && answer->date_s != 0) {
        visit->date_s = answer->date_s;
        visit->asked_s = visit->run.system->wall_s();
    }
}

static const char *way(const struct http_response *answer)
{
    return answer->by_proxy ? "through the proxy" : "directly";
}

/* containerd pulls from there, and the challenge names the token service. */
static void check_registry(struct visit *visit)
{
    struct buf url AUTO(buf_clear) = {0};
    struct error err;
    long status;

    buf_append_format(&url, "https://%s/v2/", visit->registry.host.authority);
    if (!probe(&visit->answer, visit, buf_text(&url), &err)) {
        error_wrap(&err, "the registry cannot be reached in this environment, which containerd may "
                         "not share");
        report_error(visit->report, REPORT_FAILED, "registry.reachable", &err);
        return;
    }
    take_date(visit, &visit->answer);
    status = visit->answer.status;
    if (status == 200 || status == 401)
        report_ok(visit->report, "registry.reachable",
                  "the registry answers %s with HTTP status %ld", way(&visit->answer), status);
    else
        report_line(visit->report, status >= 500 || status == 403 ? REPORT_FAILED : REPORT_WARNING,
                    "registry.reachable", "Check what answers under this name, and retry",
                    "the registry answers %s with HTTP status %ld, where 401 is expected",
                    way(&visit->answer), status);
}

/* True if the instance is known as far as it can be without an identity. */
static bool check_instance(struct visit *visit)
{
    struct instance *instance = &visit->instance;
    struct error err;

    instance_prepare(instance, &visit->run, &visit->registry, NULL, false);
    if (!instance_identify(instance, &visit->run, &visit->registry, &err)) {
        report_error(visit->report, REPORT_FAILED, "registry.instance", &err);
        return false;
    }
    if (instance->is_personal)
        report_ok(visit->report, "registry.instance", "Personal Edition in %s", instance->region);
    else if (instance->id[0] != '\0')
        report_ok(visit->report, "registry.instance", "instance %s in %s, by %s", instance->id,
                  instance->region,
                  visit->registry.instance_id[0] != '\0' ? "the configuration"
                                                         : "the registry's challenge");
    else
        report_line(visit->report, REPORT_WARNING, "registry.instance",
                    "Set instanceId under \"registries\" in the configuration file, or permit "
                    "cr:ListInstance",
                    "instance %s in %s; its id has to be looked up, since no challenge of the "
                    "registry tells it",
                    visit->registry.host.instance, instance->region);
    return true;
}

/* -- identity -- */

/* The role that is to be assumed next, NULL if none is. */
static const char *next_role(const struct identity *identity, const struct plan *plan)
{
    size_t next = 0;

    for (size_t i = 0; i < plan->role_count; i++) {
        if (text_ends_with(identity->principal, plan->roles[i].arn))
            next = i + 1;
    }
    return next < plan->role_count ? plan->roles[next].arn : NULL;
}

static void append_identity(struct buf *out, const struct visit *visit, const struct plan *plan)
{
    const struct identity *identity = &visit->identity;
    const int64_t ends_s = identity->credentials.expires_at_s;

    buf_append_text(out, identity->principal);
    if (plan->source == PLAN_ECS)
        buf_append_format(out, ", metadata service %s session token, region %s",
                          identity->node.by_session_token ? "with" : "without",
                          identity->node.region[0] == '\0' ? "unknown" : identity->node.region);
    if (ends_s != 0) {
        buf_append_text(out, ", ");
        append_time_left(out, ends_s - visit->run.system->wall_s());
    }
    for (size_t i = 0; i + 1 < plan->role_count; i++)
        buf_append_format(out, ", by role %s", plan->roles[i].arn);
}

static void report_identity(const struct visit *visit, const struct plan *plan,
                            const struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    if (visit->has_identity && plan != NULL) {
        append_identity(&text, visit, plan);
        report_ok(visit->report, "identity.credentials", "credentials: %s", buf_text(&text));
        return;
    }
    visit->report->resource = plan == NULL ? NULL : next_role(&visit->identity, plan);
    report_error(visit->report, REPORT_FAILED, "identity.credentials", err);
    visit->report->resource = NULL;
}

/* Carries a plan out. False if its source turns out not to exist on this node. */
static bool fetch(struct visit *visit, const struct plan *plan, struct error *err)
{
    visit->has_identity = identity_fetch(&visit->identity, &visit->run, plan, NULL, err);
    return visit->has_identity || err->retry != ERROR_RETRY_NEXT_SOURCE;
}

/* The metadata service does not exist, and no source is left to try. */
static void explain_none(const struct visit *visit, bool is_chosen, struct error *err)
{
    if (is_chosen && err->retry == ERROR_RETRY_NEXT_SOURCE)
        (void)identity_explain_none(&visit->plans, &visit->run, err);
}

/* What is not the chain: one plan, or that of the node for a pod without a role. */
static void check_plans(struct visit *visit, bool is_chosen, struct error *err)
{
    for (size_t i = 0; is_chosen && i < visit->plans.count; i++) {
        if (fetch(visit, &visit->plans.list[i], err)) {
            report_identity(visit, &visit->plans.list[i], err);
            return;
        }
    }
    explain_none(visit, is_chosen, err);
    report_identity(visit, NULL, err);
}

/* Goes through the chain: a line for each source, and one for the identity. The first source that
 * is set up is in effect, even if it is broken; only of the metadata service a request may show
 * that it does not exist. */
static void check_chain(struct visit *visit, bool is_chosen, struct error *err)
{
    static const struct {
        const char *name;
        struct settings_identity alone;
    } sources[] = {{"environment", {.source = SETTINGS_SOURCE_ENV}},
                   {"OIDC", {.source = SETTINGS_SOURCE_OIDC}},
                   {"profile", {.source = SETTINGS_SOURCE_PROFILE}},
                   {"ECS metadata service", {.source = SETTINGS_SOURCE_ECS}},
                   {"credentials URI", {.source = SETTINGS_SOURCE_URI}}};
    const struct kubelet_request without_pod = {0};
    const struct plan *plan = visit->plans.list;
    bool is_found = false;

    for (size_t i = 0; i < COUNT_OF(sources); i++) {
        struct identity_plans plans AUTO(identity_plans_clear) = {0};
        struct error why = {0};
        const bool is_set_up =
            identity_choose(&plans, &visit->run, &sources[i].alone, &without_pod, &why);
        const char *name = is_set_up ? plans.list[0].principal : sources[i].name;

        if (!is_set_up && why.retry == ERROR_RETRY_NEXT_SOURCE) {
            report_skipped(visit->report, "identity.source", "%s", buf_text(&plans.reasons));
        } else if (is_found) {
            report_skipped(visit->report, "identity.source",
                           "%s: not used, since an earlier source is in effect", name);
        } else if (is_chosen && !fetch(visit, plan, err)) {
            report_skipped(visit->report, "identity.source", "%s: %s", name, err->cause);
            plan++;
        } else {
            report_ok(visit->report, "identity.source", "%s: in effect", name);
            is_found = true;
        }
    }
    if (is_found) {
        report_identity(visit, is_chosen ? plan : NULL, err);
        return;
    }
    explain_none(visit, is_chosen, err);
    report_line(visit->report, REPORT_FAILED, "identity.credentials", error_advice(err),
                "no identity found: none of these sources is set up");
}

static void check_identity(struct visit *visit, const struct settings_identity *settings)
{
    const struct kubelet_request *request = visit->request;
    const bool has_token = !secret_is_empty(&request->service_account_token);
    struct error err = {0};
    const bool is_chosen = identity_choose(&visit->plans, &visit->run, settings, request, &err);

    if (has_token && is_chosen && !visit->plans.list[0].from_pod)
        report_line(visit->report, REPORT_WARNING, "identity.source",
                    "Name its role: --annotation " EXPLAIN_ARN_ANNOTATION "=ARN",
                    "no annotation names a role: the pod gets the identity of the node");
    if (settings->source == SETTINGS_SOURCE_DEFAULT && !has_token && request->annotation_count == 0)
        check_chain(visit, is_chosen, &err);
    else
        check_plans(visit, is_chosen, &err);
}

void service_check_identity(struct report *report, const struct run *run,
                            const struct kubelet_request *request)
{
    struct visit *visit AUTO(free_visit) = new_visit(report, run, request);

    check_identity(visit, &run->settings->identity);
}

/* -- network -- */

static void check_trust(const struct visit *visit)
{
    struct buf text AUTO(buf_clear) = {0};

    if (trust_describe(&text, visit->run.system))
        report_ok(visit->report, "network.trust", "CA certificates: %s", buf_text(&text));
    else
        report_line(visit->report, REPORT_FAILED, "network.trust",
                    "Install the package ca-certificates, or correct SSL_CERT_FILE",
                    "CA certificates: %s", buf_text(&text));
}

/* The URL of a proxy may hold a password. */
static void check_proxy(const struct visit *visit)
{
    const struct proxy proxy = proxy_of_environment(visit->run.system);
    const char *at = strrchr(proxy.url, '@');

    if (proxy.url[0] == '\0')
        report_ok(visit->report, "network.proxy", "no proxy is set");
    else if (!proxy.is_usable)
        report_line(visit->report, REPORT_FAILED, "network.proxy", "Correct or unset it",
                    "%s is not the URL of a proxy", proxy.variable);
    else
        report_ok(visit->report, "network.proxy", "%s names a proxy at %s%s%s", proxy.variable,
                  at == NULL ? proxy.url : at + 1,
                  proxy.exceptions[0] == '\0' ? "" : ", not for: ", proxy.exceptions);
}

/* The place of an endpoint among those that the program uses; -1: it is not used. */
static int place_of(const struct endpoints *used, const char *url)
{
    for (size_t i = 0; i < used->count; i++) {
        if (strcmp(used->urls[i], url) == 0)
            return (int)i;
    }
    return -1;
}

/* True if it answers. */
static bool check_endpoint(struct visit *visit, const char *url, bool is_last_hope)
{
    const int place = place_of(&visit->instance.endpoints, url);
    const char *use = place < 0 ? "not used here" : place == 0 ? "used first" : "used as fallback";
    struct http_response answer AUTO(http_response_clear) = {0};
    struct error err;

    if (probe(&answer, visit, url, &err)) {
        take_date(visit, &answer);
        report_ok(visit->report, "network.endpoint", "API endpoint %s answers %s; %s",
                  url + strlen("https://"), way(&answer), use);
        return true;
    }
    error_wrap(&err, "API endpoint, %s", use);
    report_error(visit->report,
                 place < 0      ? REPORT_SKIPPED
                 : is_last_hope ? REPORT_FAILED
                                : REPORT_WARNING,
                 "network.endpoint", &err);
    return false;
}

/* The endpoints in use, then the one of the other network. */
static void check_endpoints(struct visit *visit)
{
    const struct endpoints *used = &visit->instance.endpoints;
    const struct endpoints_wish other = {
        .service = ENDPOINTS_CR,
        .configured = registry_configured_endpoint(&visit->registry, visit->run.settings),
        .network = SETTINGS_NETWORK_AUTO,
        .region = visit->instance.region,
        .prefers_vpc = true};
    struct endpoints both;
    struct error err;
    bool has_answered = false;

    if (!instance_choose_endpoints(&visit->instance, &visit->run, &visit->registry,
                                   visit->identity.node.region, &err)) {
        report_error(visit->report, REPORT_FAILED, "network.endpoint", &err);
        return;
    }
    for (size_t i = 0; i < used->count; i++)
        has_answered =
            check_endpoint(visit, used->urls[i], i + 1 == used->count && !has_answered) ||
            has_answered;
    for (size_t i = 0; endpoints_choose(&both, &other, &err) && i < both.count; i++) {
        if (place_of(used, both.urls[i]) < 0)
            (void)check_endpoint(visit, both.urls[i], false);
    }
}

static void check_clock(const struct visit *visit)
{
    const int64_t offset_s = visit->date_s - visit->asked_s;

    if (visit->date_s == 0)
        report_skipped(visit->report, "network.clock", "no service told the time");
    else if (llabs(offset_s) < SKEW_WARNING_S)
        report_ok(visit->report, "network.clock", "this node's clock is right within %lld s",
                  llabs(offset_s) + 1);
    else
        report_line(
            visit->report, REPORT_WARNING, "network.clock", "Run NTP: timedatectl set-ntp true",
            "this node's clock is %lld s %s%s", llabs(offset_s), offset_s > 0 ? "slow" : "fast",
            llabs(offset_s) < SKEW_MAX_S
                ? ""
                : ": the API refuses each request once, until it is signed by the API's clock");
}

/* -- API and log-in -- */

static void check_token(struct visit *visit)
{
    struct instance *instance = &visit->instance;
    struct token token AUTO(credentials_clear_token) = {0};
    struct buf left AUTO(buf_clear) = {0};
    const struct api api = {.http = &visit->run.http,
                            .endpoints = &instance->endpoints,
                            .credentials = &visit->identity.credentials,
                            .principal = visit->identity.principal};
    const bool had_id = instance->id[0] != '\0';
    const char *id = instance->is_personal ? NULL : instance->id;
    int64_t now_s = 0;
    struct error err;

    if (!instance_confirm(instance, &api, &visit->registry, NULL, &err)) {
        report_error(visit->report, REPORT_FAILED, "api.instance", &err);
        return;
    }
    if (!had_id && id != NULL)
        report_ok(visit->report, "api.instance", "ListInstance: its id is %s", instance->id);
    if (registry_is_unknown(&visit->registry))
        report_ok(visit->report, "api.instance",
                  "ListInstanceEndpoint: instance %s lists this domain", instance->id);
    if (!cr_get_token(&token, &now_s, &api, id, &err)) {
        explain_no_token(&visit->registry, id, instance->region, api.principal, &err);
        report_error(visit->report, REPORT_FAILED, "api.token", &err);
        return;
    }
    append_time_left(&left, token.expires_at_s - now_s);
    report_ok(visit->report, "api.token", "GetAuthorizationToken: a password of %s, %s", token.user,
              buf_text(&left));
    login_check(visit->report, &visit->run.http, visit->answer.challenge, &token, api.principal,
                visit->registry.host.path);
}

void service_check(struct report *report, const struct run *run,
                   const struct kubelet_request *request)
{
    struct visit *visit AUTO(free_visit) = new_visit(report, run, request);
    bool is_known;

    if (!check_host(visit))
        return;
    check_registry(visit);
    if (visit->registry.is_anonymous)
        return;
    is_known = check_instance(visit);
    check_identity(visit, registry_identity(&visit->registry, run->settings));
    check_trust(visit);
    check_proxy(visit);
    if (is_known)
        check_endpoints(visit);
    check_clock(visit);
    if (is_known && visit->has_identity)
        check_token(visit);
    else
        report_skipped(report, "api.token", "not called, for what failed above");
}
