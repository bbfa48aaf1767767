#include "kubelet/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/system.h"
#include "base/text.h"
#include "kubelet/host_root.h"

enum { FILE_MAX_BYTES = 2 * 1024 * 1024, PATH_SIZE = 64, READ_WAIT_MS = 5000, USER_IDS = 4 };

/* Later than any process started. */
static const int64_t END_S = INT64_C(1) << 40;

/* Those that run a kubelet, the best first, and the commands of theirs that do. */
static const struct program {
    const char *name;
    const char *commands[2]; /* NULL: all */
} programs[] = {{"kubelet", {NULL}},
                {"k3s", {"server", "agent"}},
                {"rke2", {"server", "agent"}},
                {"microshift", {"run"}}};

bool process_read(struct buf *out, int folder, const char *file)
{
    int descriptor AUTO(file_close) = openat(folder, file, O_RDONLY | O_CLOEXEC);
    struct error ignored;

    return descriptor >= 0 && file_read_stream(out, descriptor, FILE_MAX_BYTES,
                                               system_mono_ms() + READ_WAIT_MS, &ignored);
}

/* Where the word that begins there ends. A program that writes its own title, as k3s does, has
 * blanks instead of NULs. */
static size_t word_length(const char *word)
{
    return strcspn(word, " ");
}

static bool is_word(const char *word, size_t length, const char *wanted)
{
    return strlen(wanted) == length && strncmp(word, wanted, length) == 0;
}

/* The name of the program in a command line, "" if it is none of ours. */
static const char *program_of(const struct buf *line)
{
    const char *text = buf_text(line);
    const size_t length = word_length(text);
    const char *slash = memrchr(text, '/', length);
    const char *name = slash == NULL ? text : slash + 1;
    /* A NUL follows the last argument. */
    const char *command = length + 1 < line->length ? text + length + 1 : "";

    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        const struct program *program = &programs[i];
        bool is_command = program->commands[0] == NULL;

        for (size_t j = 0; j < COUNT_OF(program->commands) && program->commands[j] != NULL; j++)
            is_command = is_command || is_word(command, word_length(command), program->commands[j]);
        if (is_command && is_word(name, length - (size_t)(name - text), program->name))
            return program->name;
    }
    return "";
}

/* Which mount namespace a process has; "" if this user may not know. */
static void read_namespace(char out[64], int folder)
{
    memset(out, 0, 64);
    if (folder < 0 || readlinkat(folder, "ns/mnt", out, 63) < 0)
        out[0] = '\0';
}

/* What root cannot see of this machine's own processes is not trusted. */
static bool is_in_other_namespace(const char *root, int folder)
{
    int own AUTO(file_close) =
        host_root_open(root, root[0] == '\0' ? "/proc/self" : "/proc/1", O_PATH | O_DIRECTORY);
    char its[64];
    char ours[64];

    read_namespace(its, folder);
    read_namespace(ours, own);
    if (its[0] == '\0' || ours[0] == '\0')
        return root[0] == '\0' && geteuid() == 0;
    return strcmp(its, ours) != 0;
}

/* When it started: boot time and the 22nd field of its status line, in clock ticks after boot
 * (proc(5)). The second field, a name in parentheses, may hold blanks. */
static int64_t read_start(const char *root, int folder)
{
    struct buf machine AUTO(buf_clear) = {0};
    struct buf own AUTO(buf_clear) = {0};
    const char *boot;
    const char *field;
    const long ticks = sysconf(_SC_CLK_TCK);
    int all AUTO(file_close) = host_root_open(root, "/proc", O_PATH | O_DIRECTORY);
    int64_t boot_s;
    int64_t since;

    if (!process_read(&machine, all, "stat") || !process_read(&own, folder, "stat") ||
        (boot = strstr(buf_text(&machine), "btime ")) == NULL ||
        (field = strrchr(buf_text(&own), ')')) == NULL || ticks <= 0)
        return 0;
    for (int number = 2; number < 22 && field != NULL; number++)
        field = strchr(field + 1, ' ');
    boot_s = strtoll(boot + strlen("btime "), NULL, 10);
    since = field == NULL ? -1 : strtoll(field, NULL, 10) / ticks;
    return since < 0 || boot_s < 0 || boot_s > END_S || since > END_S ? 0 : boot_s + since;
}

/* Whether a process is a better one to look at than the one found before. */
static bool is_better(const struct process *found, const char *program, bool is_contained)
{
    if (found->pid == 0)
        return true;
    if (found->is_contained != is_contained)
        return found->is_contained;
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (strcmp(programs[i].name, found->program) == 0)
            return false;
        if (strcmp(programs[i].name, program) == 0)
            return true;
    }
    return false;
}

/* Whether root or this user runs it, by all of its user ids: whoever starts a set-user-id program
 * chooses its arguments and its environment. The owner of files in /proc says less. */
static bool is_trusted(int folder)
{
    struct buf status AUTO(buf_clear) = {0};
    const char *line;
    char *next;

    if (!process_read(&status, folder, "status") ||
        (line = strstr(buf_text(&status), "\nUid:")) == NULL)
        return false;
    next = status.bytes + (line - status.bytes) + strlen("\nUid:");
    for (int i = 0; i < USER_IDS; i++) {
        const char *before = next;
        const unsigned long id = strtoul(before, &next, 10);

        if (next == before || (id != 0 && id != geteuid()) ||
            (i > 0 && id != strtoul(line + strlen("\nUid:"), NULL, 10)))
            return false;
    }
    return true;
}

static void consider(struct process *found, const char *root, const char *number)
{
    struct buf line AUTO(buf_clear) = {0};
    char path[PATH_SIZE];
    int folder AUTO(file_close) = -1;
    const char *program;
    bool is_contained;

    (void)snprintf(path, sizeof path, "/proc/%.20s", number);
    folder = host_root_open(root, path, O_PATH | O_DIRECTORY);
    if (folder < 0 || !process_read(&line, folder, "cmdline"))
        return;
    program = program_of(&line);
    if (program[0] == '\0' || !is_trusted(folder))
        return;
    is_contained = is_in_other_namespace(root, folder);
    if (!is_better(found, program, is_contained))
        return;
    process_clear(found);
    found->pid = strtol(number, NULL, 10);
    found->is_contained = is_contained;
    found->started_s = read_start(root, folder);
    text_copy(found->program, sizeof found->program, program);
    found->command_line = TAKE(line);
    found->folder = fcntl(folder, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

void process_find(struct process *out, const char *root)
{
    int descriptor = host_root_open(root, "/proc", O_RDONLY | O_DIRECTORY);
    DIR *processes = descriptor < 0 ? NULL : fdopendir(descriptor);
    const struct dirent *entry;

    *out = (struct process){.folder = -1};
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[strspn(entry->d_name, "0123456789")] == '\0')
            consider(out, root, entry->d_name);
    }
    if (processes != NULL)
        (void)closedir(processes);
}

void process_clear(struct process *process)
{
    buf_clear(&process->command_line);
    if (process->pid != 0)
        file_close(&process->folder);
    *process = (struct process){.folder = -1};
}
