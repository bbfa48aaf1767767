#include "doctor/node.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/system.h"
#include "base/text.h"
#include "cloud/explain.h"
#include "doctor/report.h"
#include "identity/explain.h"
#include "identity/external.h"
#include "kubelet/host_root.h"

enum { FILES_MAX = 64, PATH_SIZE = 512, VERSION_WAIT_MS = 5000, VERSION_MAX_BYTES = 4096 };

#define CONFIG_FLAG  "--image-credential-provider-config"
#define BIN_DIR_FLAG "--image-credential-provider-bin-dir"
#define TOKENS_GATE  "KubeletServiceAccountTokenForCredentialProviders"

void node_clear(struct node *node)
{
    for (size_t i = 0; i < node->file_count; i++) {
        free(node->files[i].path);
        provider_config_clear(&node->files[i].config);
    }
    free(node->files);
    node_kubelet_clear(&node->kubelet);
    *node = (struct node){.root = node->root};
}

/* False, with errno set, if there is no such file. */
static bool get_status(struct stat *out, const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_PATH);

    return descriptor >= 0 && fstat(descriptor, out) == 0;
}

/* Whether it needs root to see it. */
static bool is_hidden(const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_RDONLY);

    return descriptor < 0 && errno == EACCES;
}

static void report_hidden(struct node *node, struct report *report, const char *path)
{
    node->is_incomplete = true;
    report_closed(report, "kubelet.configuration", path);
}

static bool is_trusted(const struct stat *status)
{
    return (status->st_uid == 0 || status->st_uid == geteuid()) &&
           (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* How this program gets into the kubelet's configuration. */
static const char *install_advice(const struct node *node, struct error_advice *out)
{
    const char *bin_dir = node->kubelet.bin_dir.value;

    return error_format_advice(
        out, "Run: aliyun-acr-credential-provider config --install %s%s%s, and restart the kubelet",
        node->kubelet.config.value, bin_dir == NULL ? "" : " --bin-dir ",
        bin_dir == NULL ? "" : bin_dir);
}

/* -- the process -- */

/* Runs the kubelet for its version: "Kubernetes v1.34.4", "k3s version v1.34.1+k3s1 (...)". Only
 * one of this node is run, never what a container or another user calls a kubelet. */
static bool ask_version(char *out, size_t size, const struct node *node)
{
    struct external_command command AUTO(external_clear) = {{0}};
    struct buf answer AUTO(buf_clear) = {0};
    struct error ignored;
    char path[PATH_SIZE];
    const char *at;

    if (node->root[0] != '\0' || node->kubelet.is_contained)
        return false;
    (void)snprintf(path, sizeof path, "/proc/%ld/exe", node->kubelet.pid);
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
                      version[0] == '\0' ? "" : " ", version, kubelet->pid);
    if (kubelet->started_s == 0)
        return;
    text_format_utc(since, kubelet->started_s);
    buf_append_format(out, " since %s", since);
}

static void check_running(struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;
    struct buf process AUTO(buf_clear) = {0};
    char version[40] = "";
    char its_root[40];
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
    (void)snprintf(its_root, sizeof its_root, "/proc/%ld/root", kubelet->pid);
    if (kubelet->is_contained && strcmp(node->root, its_root) != 0)
        report_line(report, REPORT_WARNING, "kubelet.container",
                    ADVICE("To see its files: --host-root %s", its_root),
                    "it runs in another mount namespace, so that its files may be others");
}

static void check_process(struct node *node, struct report *report)
{
    const struct node_kubelet *kubelet = &node->kubelet;

    if (kubelet->pid != 0)
        check_running(node, report);
    else if (kubelet->closed != NULL)
        report_closed(report, "kubelet.process", kubelet->closed);
    else if (kubelet->named_by == NULL)
        report_line(report, REPORT_SKIPPED, "kubelet.process",
                    "In a container: mount the root of the node, and name it by --host-root",
                    "no kubelet runs here");
    else
        report_line(
            report, REPORT_FAILED, "kubelet.process",
            ADVICE("See journalctl -u '%s*'; what it refuses is reported below", kubelet->program),
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

    if (!get_status(&status, node, path))
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

/* True if there is a configuration to read. */
static bool check_flags(const struct node *node, struct report *report)
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
    else if (kubelet->pid != 0 && kubelet->closed != NULL)
        report_closed(report, "kubelet.flags", kubelet->closed);
    else if (kubelet->pid != 0)
        report_no_flags(kubelet, report);
    return has_config;
}

/* -- the configuration -- */

static void report_problems(const struct node_file *file, struct report *report)
{
    for (size_t i = 0; i < file->config.problem_count; i++) {
        struct error err = file->config.problems[i].err;

        error_wrap(&err, "%s", file->path);
        report_error(report, file->config.problems[i].is_fatal ? REPORT_FAILED : REPORT_WARNING,
                     "kubelet.configuration", &err);
    }
}

static void report_writable(struct report *report, const char *path)
{
    report_line(report, REPORT_WARNING, "kubelet.owner",
                ADVICE("Run: chown root %s; chmod go-w %s", path, path),
                "%s can be written by others than root, who then run programs as root", path);
}

static void read_file(struct node *node, struct report *report, const char *path)
{
    struct node_file *file = &node->files[node->file_count++];
    struct buf content AUTO(buf_clear) = {0};
    struct stat status;
    struct error err = {0};
    bool is_unsupported = false;

    file->path = alloc_string(path);
    if (is_hidden(node, path)) {
        report_hidden(node, report, path);
        return;
    }
    if (host_root_read(&content, node->root, path, YAML_TREE_MAX_BYTES, &err) != FILE_READ) {
        if (err.cause[0] == '\0')
            error_set_advised(&err, ERROR_CONFIG, "Mend the link, or remove it",
                              "%s does not exist", path);
        report_error(report, REPORT_FAILED, "kubelet.configuration", &err);
        node->is_incomplete = true;
        return;
    }
    file->is_trusted = get_status(&status, node, path) && is_trusted(&status);
    if (!file->is_trusted)
        report_writable(report, path);
    if (!provider_config_read(&file->config, &is_unsupported, content.bytes, content.length,
                              node->minor, &err)) {
        error_wrap(&err, "%s", path);
        report_error(report, is_unsupported ? REPORT_WARNING : REPORT_FAILED,
                     "kubelet.configuration", &err);
        node->is_incomplete = true;
        return;
    }
    report_problems(file, report);
    if (provider_config_fatal(&file->config) == NULL)
        report_ok(report, "kubelet.configuration", "%s: %zu provider%s", path, file->config.count,
                  file->config.count == 1 ? "" : "s");
}

static int is_configuration(const struct dirent *entry)
{
    return provider_config_is_file_name(entry->d_name) && entry->d_type != DT_DIR;
}

static void read_directory(struct node *node, struct report *report, const char *path)
{
    struct error_advice advice;
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_RDONLY | O_DIRECTORY);
    const struct host_root_path place = host_root_path_of(descriptor);
    struct dirent **entries = NULL;
    char file[PATH_SIZE];
    int count;

    if (node->minor != 0 && node->minor < PROVIDER_CONFIG_DIRECTORY_MINOR)
        report_line(report, REPORT_FAILED, "kubelet.configuration",
                    ADVICE("Name a file; directories need Kubernetes 1.%d",
                           PROVIDER_CONFIG_DIRECTORY_MINOR),
                    "%s is a directory, which Kubernetes 1.%d does not read", path, node->minor);
    count = scandir(place.text, &entries, is_configuration, alphasort);
    if (count <= 0)
        report_line(report, REPORT_FAILED, "kubelet.configuration", install_advice(node, &advice),
                    "%s has no file *.json, *.yaml or *.yml, without which the kubelet does not "
                    "start",
                    path);
    node->is_incomplete = node->is_incomplete || count > FILES_MAX;
    for (int i = 0; i < count; i++) {
        text_join(file, sizeof file, path, "/", entries[i]->d_name);
        if (i < FILES_MAX)
            read_file(node, report, file);
        free(entries[i]);
    }
    free(entries);
}

static void check_duplicates(const struct node *node, struct report *report)
{
    for (size_t i = 1; i < node->file_count; i++) {
        for (size_t j = 0; j < node->files[i].config.count; j++) {
            const char *name = node->files[i].config.entries[j].name;

            for (size_t k = 0; k < i; k++) {
                if (provider_config_find(&node->files[k].config, name) != NULL)
                    report_line(report, REPORT_FAILED, "kubelet.configuration",
                                "Remove one of them: the kubelet does not start with both",
                                "%s and %s both have a provider named %s", node->files[k].path,
                                node->files[i].path, name);
            }
        }
    }
}

static bool is_newer(const struct node *node, const char *path)
{
    struct stat status;

    return node->kubelet.started_s != 0 && get_status(&status, node, path) &&
           (int64_t)status.st_mtime > node->kubelet.started_s;
}

static void check_restart(const struct node *node, struct report *report)
{
    char when[TEXT_UTC_SIZE];
    struct stat status;
    const char *changed =
        is_newer(node, node->kubelet.config.value) ? node->kubelet.config.value : NULL;

    for (size_t i = 0; i < node->file_count; i++) {
        if (is_newer(node, node->files[i].path))
            changed = node->files[i].path;
    }
    if (changed == NULL || !get_status(&status, node, changed))
        return;
    text_format_utc(when, (int64_t)status.st_mtime);
    report_line(report, REPORT_FAILED, "kubelet.restart",
                "Restart it: it reads its configuration when it starts",
                "%s was changed after the kubelet started, at %s", changed, when);
}

static void check_count(const struct node *node, struct report *report)
{
    struct error_advice advice;
    size_t count = 0;

    for (size_t i = 0; i < node->file_count; i++)
        count += node->files[i].config.count;
    if (count == 0 && node->file_count > 0 && !node->is_incomplete)
        report_line(report, REPORT_FAILED, "kubelet.configuration", install_advice(node, &advice),
                    "there is no provider in %s, without which the kubelet does not start",
                    node->kubelet.config.value);
}

static void read_configuration(struct node *node, struct report *report)
{
    struct error_advice advice;
    const char *path = node->kubelet.config.value;
    struct stat status;

    node->files = alloc_zeroed(FILES_MAX, sizeof *node->files);
    if (is_hidden(node, path))
        report_hidden(node, report, path);
    else if (!get_status(&status, node, path))
        report_line(report, REPORT_FAILED, "kubelet.configuration", install_advice(node, &advice),
                    "%s cannot be read: %s", path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        read_directory(node, report, path);
    else
        read_file(node, report, path);
    check_duplicates(node, report);
    check_count(node, report);
    check_restart(node, report);
}

/* -- the programs -- */

/* Class and machine of an ELF file (elf(5)); false if it is none. */
static bool read_machine(unsigned char out[2], const char *root, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(root, path, O_RDONLY);
    unsigned char head[sizeof(Elf64_Ehdr)] = {0};

    if (descriptor < 0 || read(descriptor, head, sizeof head) != (ssize_t)sizeof head ||
        memcmp(head, ELFMAG, SELFMAG) != 0)
        return false;
    out[0] = head[EI_CLASS];
    out[1] = head[offsetof(Elf64_Ehdr, e_machine)];
    return true;
}

/* Of another architecture than this program. */
static bool is_foreign(const struct node *node, const char *path)
{
    unsigned char its[2];
    unsigned char ours[2];

    return read_machine(its, node->root, path) && read_machine(ours, "", "/proc/self/exe") &&
           memcmp(its, ours, sizeof its) != 0;
}

/* Whether links lead to a file that has the name of this program. */
static bool leads_to_us(const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_PATH);
    const struct host_root_path place = host_root_path_of(descriptor);
    char target[PATH_SIZE] = "";
    const char *slash;

    if (descriptor < 0 || readlink(place.text, target, sizeof target - 1) < 0)
        return false;
    slash = strrchr(target, '/');
    return text_starts_with(slash == NULL ? target : slash + 1, PROVIDER_CONFIG_NAME);
}

static bool check_program(const struct node *node, struct report *report, const char *path)
{
    struct stat status;

    if (!get_status(&status, node, path) && errno == EACCES)
        report_closed(report, "kubelet.program", path);
    else if (!get_status(&status, node, path))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    "Put it there, and restart the kubelet, which does not start without it",
                    "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        report_line(report, REPORT_FAILED, "kubelet.program", "Put the program there",
                    "%s is not a file", path);
    else if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        report_line(report, REPORT_FAILED, "kubelet.program", ADVICE("Run: chmod 0755 %s", path),
                    "%s is not executable: the kubelet does not start with it", path);
    else if (is_foreign(node, path))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    "Install the release for this architecture",
                    "%s is of another architecture than this program", path);
    else if (!is_trusted(&status))
        report_writable(report, path);
    else
        return true;
    return false;
}

/* Others are a mistake of the configuration. */
static bool is_file_name(const char *name)
{
    return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* Checks the file that an entry runs, and whether it is this program. */
static bool check_entry(const struct node *node, struct report *report,
                        const struct provider_config_entry *entry)
{
    char path[PATH_SIZE];
    bool is_own;

    if (!is_file_name(entry->name))
        return false;
    is_own = strcmp(entry->name, PROVIDER_CONFIG_NAME) == 0;
    if (node->kubelet.bin_dir.value == NULL)
        return is_own;
    text_join(path, sizeof path, node->kubelet.bin_dir.value, "/", entry->name);
    is_own = is_own || leads_to_us(node, path);
    if (check_program(node, report, path) && is_own)
        report_ok(report, "kubelet.program", "%s is this program", path);
    if (is_own && text_starts_with(entry->name, "docker-credential-"))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    ADVICE("Name the entry %s, or another link to it", PROVIDER_CONFIG_NAME),
                    "by the name %s the program is a docker credential helper", entry->name);
    return is_own;
}

/* -- tokens of pods -- */

static bool lists(const struct yaml_node *keys, const char *key)
{
    for (size_t i = 0; keys != NULL && keys->kind == YAML_SEQUENCE && i < keys->count; i++) {
        if (keys->children[i].kind == YAML_SCALAR && strcmp(keys->children[i].text, key) == 0)
            return true;
    }
    return false;
}

static void check_gate(const struct node *node, struct report *report)
{
    const char *gates = node->kubelet.feature_gates == NULL ? "" : node->kubelet.feature_gates;
    const char *off = strcasestr(gates, TOKENS_GATE "=false");

    if (off != NULL)
        report_line(report, REPORT_FAILED, "kubelet.tokens", "Remove it from --feature-gates",
                    "the feature gate " TOKENS_GATE " is off, without which the kubelet refuses "
                    "tokenAttributes");
    else if (node->minor == PROVIDER_CONFIG_TOKENS_MINOR &&
             strcasestr(gates, TOKENS_GATE "=true") == NULL)
        report_line(report, REPORT_WARNING, "kubelet.tokens",
                    "Set it to true in --feature-gates or KubeletConfiguration",
                    "Kubernetes 1.33 refuses tokenAttributes unless the feature gate " TOKENS_GATE
                    " is on");
}

static void check_attributes(const struct node *node, struct report *report)
{
    static const char *const read_keys[] = {EXPLAIN_ARN_ANNOTATION,
                                            "pod-identity.alibabacloud.com/role-name",
                                            "pod-identity.alibabacloud.com/role-arn"};
    const struct yaml_node *tokens = node->own->tokens;
    const struct yaml_node *audience = yaml_tree_member(tokens, "serviceAccountTokenAudience");

    check_gate(node, report);
    if (audience != NULL && audience->kind == YAML_SCALAR && audience->text[0] != '\0' &&
        strcmp(audience->text, EXPLAIN_AUDIENCE) != 0)
        report_line(report, REPORT_WARNING, "kubelet.tokens",
                    "Write " EXPLAIN_AUDIENCE
                    ", unless the OIDC provider in RAM has this client id",
                    "serviceAccountTokenAudience is %.80s", audience->text);
    for (size_t i = 0; i < COUNT_OF(read_keys); i++) {
        if (!lists(yaml_tree_member(tokens, "optionalServiceAccountAnnotationKeys"),
                   read_keys[i]) &&
            !lists(yaml_tree_member(tokens, "requiredServiceAccountAnnotationKeys"), read_keys[i]))
            report_line(report, REPORT_WARNING, "kubelet.tokens",
                        "Add it to optionalServiceAccountAnnotationKeys",
                        "the kubelet does not send the annotation %s: pods that have it alone are "
                        "served as the node",
                        read_keys[i]);
    }
}

/* Older kubelets ignore the field. */
static bool has_tokens(const struct node *node)
{
    return node->own != NULL && node->own->tokens != NULL &&
           (node->minor == 0 || node->minor >= PROVIDER_CONFIG_TOKENS_MINOR);
}

void node_check_tokens(const struct node *node, struct report *report)
{
    char name[256] = "";
    const struct yaml_node *audience;

    if (!has_tokens(node))
        return;
    audience = yaml_tree_member(node->own->tokens, "serviceAccountTokenAudience");
    if (node->kubelet.node_name != NULL)
        text_copy(name, sizeof name, node->kubelet.node_name);
    else if (gethostname(name, sizeof name - 1) != 0)
        text_copy(name, sizeof name, "NODE");
    text_lower(name);
    report_line(
        report, REPORT_SKIPPED, "pods.rbac",
        ADVICE("Run where kubectl is: kubectl auth can-i request-serviceaccounts-token-audience %s "
               "--as=system:node:%s --as-group=system:nodes (its warning about the resource type "
               "does not matter). If it says no: kubectl apply -f token-audience.yaml",
               audience == NULL || audience->kind != YAML_SCALAR ? EXPLAIN_AUDIENCE
                                                                 : audience->text,
               name),
        "a node cannot see whether RBAC lets it request these tokens; if not, the kubelet logs "
        "\"Error getting service account token\" and runs no provider");
}

/* -- all of it -- */

void node_check(struct node *node, struct report *report, int minor)
{
    struct error_advice advice;
    struct stat status;
    const char *bin_dir;

    node->minor = minor;
    node_kubelet_find(&node->kubelet, node->root);
    check_process(node, report);
    if (!check_flags(node, report))
        return;
    read_configuration(node, report);
    bin_dir = node->kubelet.bin_dir.value;
    if (bin_dir != NULL && get_status(&status, node, bin_dir) && !is_trusted(&status))
        report_writable(report, bin_dir);
    for (size_t i = 0; i < node->file_count; i++) {
        for (size_t j = 0; j < node->files[i].config.count; j++) {
            const struct provider_config_entry *entry = &node->files[i].config.entries[j];

            if (check_entry(node, report, entry) && node->own == NULL) {
                node->own = entry;
                node->own_is_trusted = node->files[i].is_trusted;
            }
        }
    }
    if (has_tokens(node))
        check_attributes(node, report);
    if (node->own == NULL && node->file_count > 0 && !node->is_incomplete)
        report_line(report, REPORT_FAILED, "kubelet.provider", install_advice(node, &advice),
                    "none of the providers is this program");
}

static void explain_no_match(const struct node *node, struct report *report, const char *image)
{
    const int almost = provider_config_almost_matches(node->own, image);

    if (almost < 0)
        report_line(report, REPORT_FAILED, "match.entry",
                    ADVICE("Add \"%.*s\" to the matchImages of %s, and restart the kubelet",
                           (int)strcspn(image, "/"), image, node->own->name),
                    "no pattern of matchImages matches: the kubelet does not run this program");
    else
        report_line(
            report, REPORT_FAILED, "match.entry",
            ADVICE("Correct it, or add \"%.*s\": a * stands for a part of one label, a path is "
                   "a literal prefix, a port must be the image's, and letters are in lower "
                   "case",
                   (int)strcspn(image, "/"), image),
            "no pattern of matchImages matches; matchImages[%d], \"%.120s\", was probably meant to",
            almost, node->own->matches->children[almost].text);
}

void node_check_image(const struct node *node, struct report *report, const char *image)
{
    struct buf names AUTO(buf_clear) = {0};
    size_t count = 0;
    bool is_ours = false;

    if (node->own == NULL)
        return;
    for (size_t i = 0; i < node->file_count; i++) {
        for (size_t j = 0; j < node->files[i].config.count; j++) {
            const struct provider_config_entry *entry = &node->files[i].config.entries[j];

            if (!provider_config_matches(entry, image))
                continue;
            is_ours = is_ours || entry == node->own;
            buf_append_format(&names, "%s%s", count++ == 0 ? "" : ", ", entry->name);
        }
    }
    if (!is_ours)
        explain_no_match(node, report, image);
    else if (count == 1)
        report_ok(report, "match.entry", "the entry %s of the kubelet matches", node->own->name);
    else
        report_ok(report, "match.entry",
                  "the entries %s of the kubelet match; it tries their passwords in this order",
                  buf_text(&names));
}
