#include "doctor/node_process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/system.h"
#include "base/text.h"
#include "doctor/node.h"
#include "doctor/node_files.h"
#include "doctor/report.h"
#include "identity/external.h"

enum { PATH_SIZE = 64, VERSION_WAIT_MS = 5000, VERSION_MAX_BYTES = 4096 };

#define CONFIG_FLAG  "--image-credential-provider-config"
#define BIN_DIR_FLAG "--image-credential-provider-bin-dir"

/* Runs the kubelet for its version: "Kubernetes v1.34.4", "k3s version v1.34.1+k3s1 (...)". Only
 * one of this node is run, never what a container or another user calls a kubelet. */
static bool ask_version(char *out, size_t size, const struct node *node)
{
    struct external_command command AUTO(external_clear) = {{0}};
    struct buf answer AUTO(buf_clear) = {0};
    struct error ignored;
    char path[PATH_SIZE];
    const char *at;

    if (node->root[0] != '\0' || node->kubelet.process.is_contained)
        return false;
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d/exe", node->kubelet.process.folder);
    command.argv[0] = alloc_string(path);
    command.argv[1] = alloc_string("--version");
    if (!external_run(&answer, &command, VERSION_MAX_BYTES, system_mono_ms() + VERSION_WAIT_MS,
                      &ignored) ||
        (at = strstr(buf_text(&answer), " v1.")) == NULL)
        return false;
    (void)text_copy(out, size, at + 1);
    out[strcspn(out, " \r\n")] = '\0';
    text_make_printable(out);
    return true;
}

/* "kubelet v1.34.4 runs as process 812 since 2026-03-01T08:00:00Z" */
static void append_process(struct buf *out, const struct node_kubelet *kubelet, const char *version)
{
    char since[TEXT_UTC_SIZE];

    buf_append_format(out, "%s%s%s runs as process %ld", kubelet->program,
                      version[0] == '\0' ? "" : " ", version, kubelet->process.pid);
    if (kubelet->process.started_s == 0)
        return;
    text_format_utc(since, kubelet->process.started_s);
    buf_append_format(out, " since %s", since);
}

static void check_running(struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;
    struct buf process AUTO(buf_clear) = {0};
    char version[40] = "";
    struct error ignored;

    if (ask_version(version, sizeof version, node) && node->minor == 0 &&
        !provider_config_parse_version(&node->minor, version, &ignored))
        node->minor = 0;
    append_process(&process, kubelet, version);
    /* The others are the kubelet themselves. */
    if (strcmp(kubelet->program, "rke2") == 0)
        report_line(report, REPORT_FAILED, "kubelet.process",
                    "See /var/lib/rancher/rke2/agent/logs/kubelet.log; a configuration that the "
                    "kubelet refuses is reported below",
                    "%s, but not the kubelet that it starts", buf_text(&process));
    else
        report_ok(report, "kubelet.process", "%s", buf_text(&process));
    if (node->minor == 0)
        report_line(report, REPORT_SKIPPED, "kubelet.version",
                    geteuid() == 0 ? "Name it by --kubelet VERSION"
                                   : "Run doctor as root, or name it by --kubelet VERSION",
                    "its version is unknown: the rules of the newest one are applied");
    if (kubelet->process.is_contained && node->root[0] == '\0')
        report_line(report, REPORT_WARNING, "kubelet.container",
                    "Run doctor in that container, or where the kubelet of this node runs",
                    "it runs in another mount namespace, as in a container, and is not looked at");
}

void node_process_check(struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;
    struct stat status;

    if (kubelet->process.pid != 0)
        check_running(node, report);
    else if (kubelet->closed != NULL)
        report_closed(report, "kubelet.process", kubelet->closed);
    else if (kubelet->named_by == NULL && node_files_status(&status, node, "/var/lib/kubelet"))
        report_line(report, REPORT_FAILED, "kubelet.process",
                    "See journalctl -u kubelet, and start it with " CONFIG_FLAG
                    " and " BIN_DIR_FLAG,
                    "no kubelet runs here, though there is /var/lib/kubelet");
    else if (kubelet->named_by == NULL)
        report_line(report, REPORT_SKIPPED, "kubelet.process",
                    "On a node, start it with " CONFIG_FLAG " and " BIN_DIR_FLAG
                    "; in a container, name the mounted root of the node by --host-root",
                    "no kubelet runs here, so no configuration of it is checked");
    else
        report_line(
            report, REPORT_FAILED, "kubelet.process",
            ADVICE("See journalctl -u '%s*'; if it refuses its configuration, that is reported "
                   "below",
                   kubelet->program),
            "%s does not run", kubelet->program);
}

static void report_overruled(struct report *report, const struct node_kubelet_path *path,
                             const char *flag)
{
    if (path->overruled != NULL)
        report_line(report, REPORT_WARNING, "kubelet.flags",
                    "Remove one of them: the last one counts",
                    "%s is given twice: %s counts, %s does not", flag,
                    path->value == NULL ? "no value" : path->value, path->overruled);
}

/* Neither of the two paths is named. */
static void report_no_flags(const struct node_kubelet *kubelet, struct report *report)
{
    const char *advice = "Start it with " CONFIG_FLAG " and " BIN_DIR_FLAG
                         "; the command config prints a configuration";

    if (kubelet->dropped_by != NULL) {
        report_line(report, REPORT_FAILED, "kubelet.flags",
                    "Write kubelet-arg+ there, which adds to it, and restart it",
                    "it was started without credential providers: kubelet-arg in %s replaces the "
                    "one that names them",
                    kubelet->dropped_by);
        return;
    }
    if (strcmp(kubelet->program, "microshift") == 0)
        advice = "Set kubelet.imageCredentialProviderConfigPath and "
                 "kubelet.imageCredentialProviderBinDir in /etc/microshift/config.yaml";
    else if (strcmp(kubelet->program, "kubelet") != 0)
        advice = "Install the configuration as /var/lib/rancher/credentialprovider/config.yaml and "
                 "this program in /var/lib/rancher/credentialprovider/bin, then restart it";
    report_line(report, REPORT_FAILED, "kubelet.flags", advice,
                "it was started without credential providers");
}

/* Why a path is not what k3s and RKE2 want; NULL if it is, or if this user cannot see it. */
static const char *find_optional_fault(const struct node *node, const char *path, bool is_directory)
{
    struct stat status;

    if (!node_files_status(&status, node, path))
        return errno == EACCES ? NULL : strerror(errno);
    if (S_ISDIR(status.st_mode) == is_directory)
        return NULL;
    return is_directory ? "not a directory" : "a directory, which only kubelet-arg can name";
}

static void check_optional(const struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;
    const char *path = kubelet->config.value;
    const char *fault = find_optional_fault(node, path, false);

    if (fault == NULL) {
        path = kubelet->bin_dir.value;
        fault = find_optional_fault(node, path, true);
    }
    if (fault != NULL)
        report_line(report, REPORT_FAILED, "kubelet.flags",
                    ADVICE("Put it there, then restart %s", kubelet->program),
                    "%s starts its kubelet without credential providers, and does not say so: %s: "
                    "%s",
                    kubelet->program, path, fault);
}

bool node_process_check_flags(const struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;
    const bool has_config = kubelet->config.value != NULL;

    report_overruled(report, &kubelet->config, CONFIG_FLAG);
    report_overruled(report, &kubelet->bin_dir, BIN_DIR_FLAG);
    if (has_config && kubelet->bin_dir.value != NULL) {
        report_ok(report, "kubelet.flags", "configuration %s, programs in %s, from %s",
                  kubelet->config.value, kubelet->bin_dir.value, kubelet->named_by);
        if (kubelet->is_optional)
            check_optional(node, report);
        return true;
    }
    if (has_config || kubelet->bin_dir.value != NULL)
        report_line(report, REPORT_FAILED, "kubelet.flags", "Give it both, or neither",
                    "%s is given without %s: the kubelet does not start",
                    has_config ? CONFIG_FLAG : BIN_DIR_FLAG,
                    has_config ? BIN_DIR_FLAG : CONFIG_FLAG);
    else if (kubelet->process.pid != 0 && kubelet->closed != NULL)
        report_closed(report, "kubelet.flags", kubelet->closed);
    else if (kubelet->process.pid != 0 && (!kubelet->process.is_contained || node->root[0] != '\0'))
        report_no_flags(kubelet, report);
    return has_config;
}
