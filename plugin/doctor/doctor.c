#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/system.h"
#include "base/text.h"
#include "cmd/options.h"
#include "doctor/node.h"
#include "doctor/program.h"
#include "doctor/report.h"
#include "doctor/service.h"
#include "kubelet/host_root.h"
#include "proto-json/kubelet_request.h"
#include "registry/registry.h"

enum { TOKEN_MAX_BYTES = 64 * 1024 };

static void add_annotation(struct kubelet_request *request, const char *text)
{
    const char *equals = strchr(text, '=');
    struct kubelet_annotation *annotation = &request->annotations[request->annotation_count++];

    annotation->key = alloc_string_of(text, (size_t)(equals - text));
    annotation->value = alloc_string(equals + 1);
}

/* What the kubelet would send beside the image. */
static bool make_request(struct kubelet_request *out, const struct options *options,
                         struct error *err)
{
    const struct options_list *annotations = &options->annotations;
    struct buf file AUTO(buf_clear) = {0};
    enum file_outcome outcome;

    out->annotations = alloc_zeroed(OPTIONS_LIST_MAX, sizeof *out->annotations);
    for (size_t i = 0; i < annotations->count; i++) {
        if (strchr(annotations->values[i], '=') == NULL)
            return error_set(err, ERROR_USAGE, "--annotation is not KEY=VALUE: %s",
                             annotations->values[i]);
        add_annotation(out, annotations->values[i]);
    }
    if (options->token_path == NULL)
        return true;
    outcome = file_read_trusted(&file, options->token_path, TOKEN_MAX_BYTES, err);
    if (outcome == FILE_ABSENT)
        return error_set(err, ERROR_USAGE, "--service-account-token: there is no file %s",
                         options->token_path);
    if (outcome != FILE_READ)
        return false;
    if (file.length > 0)
        secret_set(&out->service_account_token, text_trim(file.bytes),
                   strlen(text_trim(file.bytes)));
    return true;
}

static void check_image(struct report *report, struct run *run, const struct node *node,
                        struct kubelet_request *request, const char *image)
{
    struct registry registry;
    struct error err;

    report->image = image;
    run->http.deadline_ms = run->system->mono_ms() + run->settings->deadline_s * 1000;
    (void)error_set(&err, ERROR_REQUEST, "the image is too long");
    if (!text_copy(request->image, sizeof request->image, image) ||
        !registry_resolve(&registry, run->settings, image, &err)) {
        report_error(report, REPORT_FAILED, "registry.host", &err);
        return;
    }
    node_check_image(node, report, image);
    service_check(report, run, request);
}

/* With the settings, all that needs the network. */
static void check_services(struct report *report, const struct settings *settings,
                           const struct system *system, const struct node *node,
                           struct kubelet_request *request, const struct options *options)
{
    struct http_transport *transport AUTO(http_curl_close) = http_curl_open();
    struct run run = {
        .settings = settings, .system = system, .http = {.system = system, .transport = transport}};

    run.http.deadline_ms = system->mono_ms() + settings->deadline_s * 1000;
    if (options->words.count == 0) {
        service_check_identity(report, &run, request);
        report_line(report, REPORT_SKIPPED, "registry.host",
                    "Name an image or a registry host: doctor IMAGE_OR_HOST",
                    "registry, API and log-in were not checked");
    }
    for (size_t i = 0; i < options->words.count; i++)
        check_image(report, &run, node, request, options->words.values[i]);
    report->image = NULL;
}

/* Those that the parser of the command line does not know enough to check. */
static bool check_options(int *minor, const struct options *options, const char *root,
                          struct error *err)
{
    if (root[0] != '\0' && !host_root_is_supported(root))
        return error_set(err, ERROR_USAGE, "--host-root: %s: %s%s", root, strerror(errno),
                         errno == ENOSYS || errno == EPERM ? "; it needs Linux 5.6" : "");
    for (size_t i = 0; i < options->words.count; i++) {
        if (options->words.values[i][0] == '\0' || !text_is_visible(options->words.values[i]))
            return error_set(err, ERROR_USAGE, "not an image or a host: \"%s\"",
                             options->words.values[i]);
    }
    return options->kubelet_version == NULL ||
           provider_config_parse_version(minor, options->kubelet_version, err) ||
           error_wrap(err, "--kubelet");
}

bool doctor_run(bool *is_healthy, const struct options *options, struct error *err)
{
    const bool is_here = options->host_root == NULL || strcmp(options->host_root, "/") == 0;
    const char *root = is_here ? "" : options->host_root;
    const struct system system = program_system(root);
    struct settings settings AUTO(settings_clear) = {0};
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    struct node node AUTO(node_clear) = {.root = root};
    struct report report AUTO(report_clear) = {.system = &system, .is_json = options->is_json};
    int minor = 0;

    if (!check_options(&minor, options, root, err) || !make_request(&request, options, err))
        return false;
    report.is_colored = isatty(STDOUT_FILENO) && system.variable("NO_COLOR")[0] == '\0';
    node_check(&node, &report, minor);
    if (program_check(&settings, &system, &report, &node, options))
        check_services(&report, &settings, &system, &node, &request, options);
    node_check_tokens(&node, &report);
    *is_healthy = report.failed == 0;
    log_configure(LOG_LEVEL_ERROR, LOG_TO_STDERR); /* this was no run that main() has to log */
    return report_finish(&report, err);
}
