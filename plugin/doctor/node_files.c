#include "doctor/node_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "doctor/node.h"
#include "doctor/report.h"
#include "kubelet/host_root.h"

bool node_files_status(struct stat *out, const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_PATH);

    return descriptor >= 0 && fstat(descriptor, out) == 0;
}

bool node_files_is_hidden(const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_RDONLY);

    return descriptor < 0 && errno == EACCES;
}

void node_files_report_hidden(struct node *node, struct report *report, const char *path)
{
    node->is_incomplete = true;
    report_closed(report, "kubelet.configuration", path);
}

bool node_files_is_trusted(const struct stat *status)
{
    return (status->st_uid == 0 || status->st_uid == geteuid()) &&
           (status->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

const char *node_files_advise(const struct node *node, struct error_advice *out)
{
    const char *bin_dir = node->kubelet.bin_dir.value;

    return error_format_advice(
        out, "Run: aliyun-acr-credential-provider config --install %s%s%s, and restart the kubelet",
        node->kubelet.config.value, bin_dir == NULL ? "" : " --bin-dir ",
        bin_dir == NULL ? "" : bin_dir);
}

void node_files_report_writable(struct report *report, const char *path)
{
    report_line(report, REPORT_WARNING, "kubelet.owner",
                ADVICE("Run: chown root %s; chmod go-w %s", path, path),
                "%s can be written by others than root, who then run programs as root", path);
}
