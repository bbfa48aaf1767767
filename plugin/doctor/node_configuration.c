#include "doctor/node_configuration.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "doctor/node.h"
#include "doctor/node_files.h"
#include "doctor/report.h"
#include "kubelet/host_root.h"

enum { FILES_MAX = 64, PATH_SIZE = 512 };

static void report_problems(const struct node_file *file, struct report *report)
{
    for (size_t i = 0; i < file->config.problem_count; i++) {
        struct error err = file->config.problems[i].err;

        error_wrap(&err, "%s", file->path);
        report_error(report, file->config.problems[i].is_fatal ? REPORT_FAILED : REPORT_WARNING,
                     "kubelet.configuration", &err);
    }
}

static void read_file(struct node *node, struct report *report, const char *path)
{
    struct node_file *file = &node->files[node->file_count++];
    struct buf content AUTO(buf_clear) = {0};
    struct stat status;
    struct error err = {0};
    bool is_unsupported = false;

    file->path = alloc_string(path);
    if (node_files_is_hidden(node, path)) {
        node_files_report_hidden(node, report, path);
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
    file->is_trusted = node_files_status(&status, node, path) && node_files_is_trusted(&status);
    if (!file->is_trusted)
        node_files_report_writable(report, path);
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
        report_line(report, REPORT_FAILED, "kubelet.configuration",
                    node_files_advise(node, &advice),
                    "%s has no file *.json, *.yaml or *.yml, without which the kubelet does not "
                    "start",
                    path);
    if (count > FILES_MAX) {
        node->is_incomplete = true;
        report_line(report, REPORT_WARNING, "kubelet.configuration", "Join some of them",
                    "%s has %d files, of which only the first %d are checked", path, count,
                    FILES_MAX);
    }
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
    /* Both parts of the time of a start are rounded down to a second. */
    enum { ROUNDING_S = 2 };
    struct stat status;

    return node->kubelet.process.started_s != 0 && node_files_status(&status, node, path) &&
           (int64_t)status.st_mtime > node->kubelet.process.started_s + ROUNDING_S;
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
    if (changed == NULL || !node_files_status(&status, node, changed))
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
        report_line(report, REPORT_FAILED, "kubelet.configuration",
                    node_files_advise(node, &advice),
                    "there is no provider in %s, without which the kubelet does not start",
                    node->kubelet.config.value);
}

void node_configuration_read(struct node *node, struct report *report)
{
    struct error_advice advice;
    const char *path = node->kubelet.config.value;
    struct stat status;

    node->files = alloc_zeroed(FILES_MAX, sizeof *node->files);
    if (node_files_is_hidden(node, path))
        node_files_report_hidden(node, report, path);
    else if (!node_files_status(&status, node, path))
        report_line(report, REPORT_FAILED, "kubelet.configuration",
                    node_files_advise(node, &advice), "%s cannot be read: %s", path,
                    strerror(errno));
    else if (S_ISDIR(status.st_mode))
        read_directory(node, report, path);
    else
        read_file(node, report, path);
    check_duplicates(node, report);
    check_count(node, report);
    check_restart(node, report);
}
