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
#include "base/text.h"
#include "kubelet/host_root.h"

enum { FILE_MAX_BYTES = 2 * 1024 * 1024, PATH_SIZE = 64 };

/* Those that run a kubelet, the best first, and the commands of theirs that do. */
static const struct program {
    const char *name;
    const char *commands[2]; /* NULL: all */
} programs[] = {{"kubelet", {NULL}},
                {"k3s", {"server", "agent"}},
                {"rke2", {"server", "agent"}},
                {"microshift", {"run"}}};

static int open_proc(const char *root, const char *process, const char *file, int flags)
{
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof path, "/proc/%.20s/%.20s", process, file);
    return host_root_open(root, path, flags);
}

bool process_read(struct buf *out, const char *root, const char *process, const char *file)
{
    int descriptor AUTO(file_close) = open_proc(root, process, file, O_RDONLY);
    struct error ignored;

    return descriptor >= 0 &&
           file_read_stream(out, descriptor, FILE_MAX_BYTES, INT64_MAX, &ignored);
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
static void read_namespace(char out[64], const char *root, const char *process)
{
    int directory AUTO(file_close) = open_proc(root, process, "ns", O_PATH | O_DIRECTORY);

    memset(out, 0, 64);
    if (directory >= 0 && readlinkat(directory, "mnt", out, 63) < 0)
        out[0] = '\0';
}

static bool is_in_other_namespace(const char *root, const char *process)
{
    char its[64];
    char ours[64];

    read_namespace(its, root, process);
    read_namespace(ours, root, root[0] == '\0' ? "self" : "1");
    return its[0] != '\0' && ours[0] != '\0' && strcmp(its, ours) != 0;
}

/* When it started: boot time and the 22nd field of its status line, in clock ticks after boot
 * (proc(5)). The second field, a name in parentheses, may hold blanks. */
static int64_t read_start(const char *root, const char *process)
{
    struct buf machine AUTO(buf_clear) = {0};
    struct buf own AUTO(buf_clear) = {0};
    const char *boot;
    const char *field;
    const long ticks = sysconf(_SC_CLK_TCK);

    if (!process_read(&machine, root, ".", "stat") || !process_read(&own, root, process, "stat") ||
        (boot = strstr(buf_text(&machine), "btime ")) == NULL ||
        (field = strrchr(buf_text(&own), ')')) == NULL || ticks <= 0)
        return 0;
    for (int number = 2; number < 22 && field != NULL; number++)
        field = strchr(field + 1, ' ');
    return field == NULL ? 0 : strtoll(boot + 6, NULL, 10) + strtoll(field, NULL, 10) / ticks;
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

/* Whether root or this user runs it: what others call a kubelet is of no interest. */
static bool is_trusted(const char *root, const char *process)
{
    int descriptor AUTO(file_close) = open_proc(root, process, "cmdline", O_PATH);
    struct stat status;

    return descriptor >= 0 && fstat(descriptor, &status) == 0 &&
           (status.st_uid == 0 || status.st_uid == geteuid());
}

static void consider(struct process *found, const char *root, const char *process)
{
    struct buf line AUTO(buf_clear) = {0};
    const char *program;
    bool is_contained;

    if (!is_trusted(root, process) || !process_read(&line, root, process, "cmdline"))
        return;
    program = program_of(&line);
    is_contained = program[0] != '\0' && is_in_other_namespace(root, process);
    if (program[0] == '\0' || !is_better(found, program, is_contained))
        return;
    found->pid = strtol(process, NULL, 10);
    found->is_contained = is_contained;
    found->started_s = read_start(root, process);
    text_copy(found->program, sizeof found->program, program);
    buf_clear(&found->command_line);
    found->command_line = TAKE(line);
}

void process_find(struct process *found, const char *root)
{
    int descriptor = host_root_open(root, "/proc", O_RDONLY | O_DIRECTORY);
    DIR *processes = descriptor < 0 ? NULL : fdopendir(descriptor);
    const struct dirent *entry;

    *found = (struct process){0};
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[strspn(entry->d_name, "0123456789")] == '\0')
            consider(found, root, entry->d_name);
    }
    if (processes != NULL)
        (void)closedir(processes);
}

void process_clear(struct process *process)
{
    buf_clear(&process->command_line);
    *process = (struct process){0};
}
