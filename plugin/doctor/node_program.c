#include "doctor/node_program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "doctor/node.h"
#include "doctor/node_files.h"
#include "doctor/report.h"
#include "kubelet/host_root.h"

enum { PATH_SIZE = 512 };

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

static bool is_mounted_noexec(const struct node *node, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(node->root, path, O_PATH);
    struct statvfs system;

    return descriptor >= 0 && fstatvfs(descriptor, &system) == 0 &&
           (system.f_flag & ST_NOEXEC) != 0;
}

/* Whether a file is the executable of this process, or has the same content. */
static bool has_our_bytes(const struct node *node, const char *path)
{
    int its AUTO(file_close) = host_root_open(node->root, path, O_RDONLY);
    int ours AUTO(file_close) = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char block[2][2048];
    ssize_t got;

    if (its < 0 || ours < 0)
        return false;
    do {
        got = read(ours, block[0], sizeof block[0]);
        if (got < 0 || read(its, block[1], sizeof block[1]) != got ||
            memcmp(block[0], block[1], (size_t)got) != 0)
            return false;
    } while (got > 0);
    return true;
}

static bool check_program(const struct node *node, struct report *report, const char *path)
{
    struct node_files_quoted quoted;
    struct stat status;

    if (!node_files_status(&status, node, path) && errno == EACCES)
        report_closed(report, "kubelet.program", path);
    else if (!node_files_status(&status, node, path))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    "Put it there, and restart the kubelet, which does not start without it",
                    "%s: %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        report_line(report, REPORT_FAILED, "kubelet.program", "Put the program there",
                    "%s is not a file", path);
    else if ((status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) == 0)
        report_line(report, REPORT_FAILED, "kubelet.program",
                    ADVICE("Run: chmod 0755 %s", node_files_quote(&quoted, path)),
                    "%s is not executable: the kubelet does not start with it", path);
    else if (is_mounted_noexec(node, path))
        report_line(
            report, REPORT_FAILED, "kubelet.program", "Use a directory of another file system",
            "%s is on a file system that is mounted noexec: the kubelet does not start with "
            "it",
            path);
    else if (status.st_size == 0)
        report_line(report, REPORT_FAILED, "kubelet.program", "Put the program there",
                    "%s is empty", path);
    else if (is_foreign(node, path))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    "Install the release for this architecture",
                    "%s is of another architecture than this program", path);
    else if (!node_files_is_trusted(&status))
        node_files_report_writable(report, path);
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

bool node_program_check(const struct node *node, struct report *report,
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
    if (check_program(node, report, path) && is_own) {
        if (has_our_bytes(node, path))
            report_ok(report, "kubelet.program", "%s is this program", path);
        else
            report_line(report, REPORT_WARNING, "kubelet.program",
                        "Compare what both print for version, and install this one by config "
                        "--install FILE_OR_DIR --bin-dir DIR",
                        "%s is another build than the program that runs doctor", path);
    }
    if (is_own && text_starts_with(entry->name, "docker-credential-"))
        report_line(report, REPORT_FAILED, "kubelet.program",
                    ADVICE("Name the entry %s, or another link to it", PROVIDER_CONFIG_NAME),
                    "by the name %s the program is a docker credential helper", entry->name);
    return is_own;
}
