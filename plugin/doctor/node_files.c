#include "doctor/node_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
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
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_PATH);

    return (descriptor < 0 ||
            faccessat(AT_FDCWD, host_root_path_of(descriptor).text, R_OK, AT_EACCESS) != 0) &&
           errno == EACCES;
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

const char *node_files_quote(struct node_files_quoted *out, const char *text)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/:@+-";
    size_t at = 0;

    if (text[strspn(text, plain)] == '\0') {
        (void)text_copy(out->text, sizeof out->text, text);
        return out->text;
    }
    out->text[at++] = '\'';
    for (; *text != '\0' && at + sizeof "'\\''" + 1 < sizeof out->text; text++) {
        const char *piece = *text == '\'' ? "'\\''" : (const char[]){*text, '\0'};

        memcpy(out->text + at, piece, strlen(piece));
        at += strlen(piece);
    }
    out->text[at++] = '\'';
    out->text[at] = '\0';
    return out->text;
}

const char *node_files_advise(const struct node *node, struct error_advice *out)
{
    const char *bin_dir = node->kubelet.bin_dir.value;
    struct node_files_quoted quoted;
    struct node_files_quoted quoted_bin_dir;

    return error_format_advice(
        out, "Run: aliyun-acr-credential-provider config --install %s%s%s, and restart the kubelet",
        node_files_quote(&quoted, node->kubelet.config.value), bin_dir == NULL ? "" : " --bin-dir ",
        bin_dir == NULL ? "" : node_files_quote(&quoted_bin_dir, bin_dir));
}

void node_files_report_writable(struct report *report, const char *path)
{
    struct node_files_quoted quoted;

    (void)node_files_quote(&quoted, path);
    report_line(report, REPORT_WARNING, "kubelet.owner",
                ADVICE("Run: chown root %s; chmod go-w %s", quoted.text, quoted.text),
                "%s can be written by others than root, who then run programs as root", path);
}
