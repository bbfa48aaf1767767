#include "kubelet/node_kubelet.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "kubelet/host_root.h"
#include "kubelet/yaml_tree.h"

enum { FILE_MAX_BYTES = 2 * 1024 * 1024, PATH_SIZE = 300, FILES_MAX = 64 };

#define CONFIG_FLAG  "--image-credential-provider-config"
#define BIN_DIR_FLAG "--image-credential-provider-bin-dir"

/* Those that a node runs, the best first. */
static const char *const programs[] = {"kubelet", "k3s", "rke2", "microshift"};

/* -- flags -- */

static void set_path(struct node_kubelet_path *path, const char *value)
{
    if (path->value != NULL && strcmp(path->value, value) != 0) {
        free(path->overruled);
        path->overruled = TAKE(path->value);
    }
    free(path->value);
    path->value = alloc_string(value);
}

static void set_text(char **out, const char *value)
{
    free(*out);
    *out = alloc_string(value);
}

/* Takes "--flag=value", or "--flag" with the argument after it. The kubelet reads underscores in
 * the name of a flag as hyphens, and counts the last of several. */
static void take_flag(struct node_kubelet *kubelet, const char *argument, const char *next)
{
    char name[64] = "";
    size_t length = strcspn(argument, "=");
    const char *value = argument[length] == '=' ? argument + length + 1 : next;

    if (length >= sizeof name || value == NULL)
        return;
    text_copy(name, length + 1, argument);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '_' ? '-' : *at;
    if (strcmp(name, CONFIG_FLAG) == 0)
        set_path(&kubelet->config, value);
    else if (strcmp(name, BIN_DIR_FLAG) == 0)
        set_path(&kubelet->bin_dir, value);
    else if (strcmp(name, "--hostname-override") == 0)
        set_text(&kubelet->node_name, value);
    else if (strcmp(name, "--feature-gates") == 0)
        set_text(&kubelet->feature_gates, value);
}

static void name_source(struct node_kubelet *kubelet, const char *source)
{
    if (kubelet->named_by == NULL &&
        (kubelet->config.value != NULL || kubelet->bin_dir.value != NULL))
        kubelet->named_by = alloc_string(source);
}

/* Arguments that end with a NUL each. */
static void take_command_line(struct node_kubelet *kubelet, const struct buf *line)
{
    const char *end = line->bytes + line->length;

    for (const char *argument = line->bytes; argument < end;) {
        const char *next = argument + strlen(argument) + 1;

        take_flag(kubelet, argument, next < end ? next : NULL);
        argument = next;
    }
    name_source(kubelet, "its flags");
}

/* -- the configuration of programs that embed it -- */

/* A value of k3s' configuration is a flag of k3s; kubelet-arg has flags of the kubelet without
 * their hyphens, one or a list. */
static void take_k3s_value(struct node_kubelet *kubelet, const char *key,
                           const struct yaml_node *value)
{
    char argument[PATH_SIZE];

    if (value->kind == YAML_SEQUENCE) {
        for (size_t i = 0; i < value->count; i++)
            take_k3s_value(kubelet, key, &value->children[i]);
    } else if (value->kind == YAML_SCALAR) {
        if (strcmp(key, "kubelet-arg") == 0 || strcmp(key, "kubelet-arg+") == 0)
            text_join(argument, sizeof argument, "--", "", value->text);
        else
            (void)snprintf(argument, sizeof argument, "--%.60s=%s", key, value->text);
        take_flag(kubelet, argument, NULL);
        if (strcmp(key, CONFIG_FLAG + 2) == 0)
            kubelet->ignores_directories = true;
        else if (text_starts_with(argument, CONFIG_FLAG))
            kubelet->ignores_directories = false;
    }
}

static bool read_tree(struct yaml_node *out, const char *root, const char *path)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error ignored;
    bool is_unsupported;

    return host_root_read(&file, root, path, YAML_TREE_MAX_BYTES, &ignored) == FILE_READ &&
           yaml_tree_parse(out, &is_unsupported, file.bytes, file.length, &ignored);
}

static void take_k3s_file(struct node_kubelet *kubelet, const char *root, const char *path)
{
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};

    if (!read_tree(&tree, root, path) || tree.kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i + 1 < tree.count; i += 2)
        take_k3s_value(kubelet, tree.children[i].text, &tree.children[i + 1]);
    name_source(kubelet, path);
}

static void take_microshift_file(struct node_kubelet *kubelet, const char *root, const char *path)
{
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};
    const struct yaml_node *section;
    const struct yaml_node *config;
    const struct yaml_node *bin_dir;

    if (!read_tree(&tree, root, path) || (section = yaml_tree_member(&tree, "kubelet")) == NULL)
        return;
    config = yaml_tree_member(section, "imageCredentialProviderConfigPath");
    bin_dir = yaml_tree_member(section, "imageCredentialProviderBinDir");
    if (config != NULL && config->kind == YAML_SCALAR)
        set_path(&kubelet->config, config->text);
    if (bin_dir != NULL && bin_dir->kind == YAML_SCALAR)
        set_path(&kubelet->bin_dir, bin_dir->text);
    name_source(kubelet, path);
}

static int is_yaml(const struct dirent *entry)
{
    return text_ends_with(entry->d_name, ".yaml") || text_ends_with(entry->d_name, ".yml");
}

typedef void take_file(struct node_kubelet *kubelet, const char *root, const char *path);

/* Takes a file, then those of a directory in the order of their names. */
static void take_files(struct node_kubelet *kubelet, const char *root, take_file *take,
                       const char *file, const char *directory)
{
    struct buf place AUTO(buf_clear) = {0};
    struct dirent **entries = NULL;
    char path[PATH_SIZE];
    int count;

    take(kubelet, root, file);
    host_root_append(&place, root, directory);
    count = scandir(buf_text(&place), &entries, is_yaml, alphasort);
    for (int i = 0; i < count; i++) {
        if (i < FILES_MAX) {
            text_join(path, sizeof path, directory, "/", entries[i]->d_name);
            take(kubelet, root, path);
        }
        free(entries[i]);
    }
    free(entries);
}

static bool exists(const char *root, const char *path)
{
    struct buf place AUTO(buf_clear) = {0};

    host_root_append(&place, root, path);
    return access(buf_text(&place), F_OK) == 0;
}

/* Source: k3s' pkg/daemons/agent and pkg/configfilearg; the same in RKE2. */
static void take_k3s(struct node_kubelet *kubelet, const char *root)
{
    static const char config[] = "/var/lib/rancher/credentialprovider/config.yaml";
    static const char bin_dir[] = "/var/lib/rancher/credentialprovider/bin";

    take_files(kubelet, root, take_k3s_file, "/etc/rancher/k3s/config.yaml",
               "/etc/rancher/k3s/config.yaml.d");
    if (kubelet->named_by != NULL || !exists(root, config) || !exists(root, bin_dir))
        return;
    set_path(&kubelet->config, config);
    set_path(&kubelet->bin_dir, bin_dir);
    kubelet->ignores_directories = true;
    name_source(kubelet, "k3s' defaults");
}

/* -- without a process -- */

/* Takes the flags out of a line for a shell or systemd. */
static void take_text(struct node_kubelet *kubelet, const char *root, const char *path)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error ignored;
    char *rest = NULL;
    char *word;

    if (host_root_read(&file, root, path, FILE_MAX_BYTES, &ignored) != FILE_READ ||
        file.length == 0)
        return;
    word = strtok_r(file.bytes, " \t\r\n\"'\\", &rest);
    while (word != NULL) {
        char *next = strtok_r(NULL, " \t\r\n\"'\\", &rest);
        const char *flag = strstr(word, "--");

        take_flag(kubelet, flag == NULL ? word : flag, next);
        word = next;
    }
    name_source(kubelet, path);
}

/* In the order in which their flags come: of kubeadm's unit, and of ACK's. */
static void take_unit_files(struct node_kubelet *kubelet, const char *root)
{
    static const char *const paths[] = {"/var/lib/kubelet/kubeadm-flags.env",
                                        "/etc/default/kubelet", "/etc/sysconfig/kubelet",
                                        "/etc/kubernetes/kubelet-customized-args.conf"};

    for (size_t i = 0; i < COUNT_OF(paths); i++)
        take_text(kubelet, root, paths[i]);
    if (kubelet->named_by == NULL)
        take_k3s(kubelet, root);
}

/* -- the process -- */

static void format_proc(char out[PATH_SIZE], const char *root, const char *process,
                        const char *file)
{
    (void)snprintf(out, PATH_SIZE, "%.200s/proc/%.20s/%s", root, process, file);
}

/* Reads what a file of /proc has, which is not subject to links below the root. */
static bool read_proc(struct buf *out, const char *root, const char *process, const char *file)
{
    struct error ignored;
    char path[PATH_SIZE];

    format_proc(path, root, process, file);
    return host_root_read(out, "", path, FILE_MAX_BYTES, &ignored) == FILE_READ;
}

/* The name of the program in a command line, "" if it is none of ours. A program that writes its
 * own title, as k3s does, has blanks instead of NULs. */
static const char *program_of(const struct buf *line)
{
    const char *text = buf_text(line);
    const size_t length = strcspn(text, " ");
    const char *slash = memrchr(text, '/', length);
    const char *name = slash == NULL ? text : slash + 1;
    const size_t name_length = length - (size_t)(name - text);

    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (strlen(programs[i]) == name_length && strncmp(name, programs[i], name_length) == 0)
            return programs[i];
    }
    return "";
}

static bool is_in_other_namespace(const char *root, const char *process)
{
    char path[PATH_SIZE];
    char its[64] = "";
    char ours[64] = "";

    format_proc(path, root, process, "ns/mnt");
    if (readlink(path, its, sizeof its - 1) < 0)
        return false;
    format_proc(path, root, root[0] == '\0' ? "self" : "1", "ns/mnt");
    return readlink(path, ours, sizeof ours - 1) > 0 && strcmp(its, ours) != 0;
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

    if (!read_proc(&machine, root, "", "stat") || !read_proc(&own, root, process, "stat") ||
        (boot = strstr(buf_text(&machine), "btime ")) == NULL ||
        (field = strrchr(buf_text(&own), ')')) == NULL || ticks <= 0)
        return 0;
    for (int number = 2; number < 22 && field != NULL; number++)
        field = strchr(field + 1, ' ');
    return field == NULL ? 0 : strtoll(boot + 6, NULL, 10) + strtoll(field, NULL, 10) / ticks;
}

/* Whether a process is a better one to look at than the one found before. */
static bool is_better(const struct node_kubelet *found, const char *program, bool is_contained)
{
    if (found->pid == 0)
        return true;
    if (found->is_contained != is_contained)
        return found->is_contained;
    for (size_t i = 0; i < COUNT_OF(programs); i++) {
        if (strcmp(programs[i], found->program) == 0)
            return false;
        if (strcmp(programs[i], program) == 0)
            return true;
    }
    return false;
}

static void consider(struct node_kubelet *found, struct buf *command_line, const char *root,
                     const char *process)
{
    struct buf line AUTO(buf_clear) = {0};
    struct stat status;
    char path[PATH_SIZE];
    const char *program;
    bool is_contained;

    format_proc(path, root, process, "cmdline");
    if (stat(path, &status) != 0 || (status.st_uid != 0 && status.st_uid != geteuid()) ||
        !read_proc(&line, root, process, "cmdline"))
        return;
    program = program_of(&line);
    is_contained = is_in_other_namespace(root, process);
    if (program[0] == '\0' || !is_better(found, program, is_contained))
        return;
    found->pid = strtol(process, NULL, 10);
    found->is_contained = is_contained;
    found->started_s = read_start(root, process);
    text_copy(found->program, sizeof found->program, program);
    buf_clear(command_line);
    *command_line = TAKE(line);
}

void node_kubelet_find(struct node_kubelet *out, const char *root)
{
    struct buf command_line AUTO(buf_clear) = {0};
    char path[PATH_SIZE];
    const struct dirent *entry;
    DIR *processes;

    *out = (struct node_kubelet){0};
    (void)snprintf(path, sizeof path, "%.200s/proc", root);
    processes = opendir(path);
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        if (entry->d_name[strspn(entry->d_name, "0123456789")] == '\0')
            consider(out, &command_line, root, entry->d_name);
    }
    if (processes != NULL)
        (void)closedir(processes);
    if (out->pid != 0)
        take_command_line(out, &command_line);
    if (out->pid == 0)
        take_unit_files(out, root);
    else if (strcmp(out->program, "microshift") == 0)
        take_files(out, root, take_microshift_file, "/etc/microshift/config.yaml",
                   "/etc/microshift/config.d");
    else if (strcmp(out->program, "k3s") == 0)
        take_k3s(out, root);
}

void node_kubelet_clear(struct node_kubelet *kubelet)
{
    free(kubelet->named_by);
    free(kubelet->config.value);
    free(kubelet->config.overruled);
    free(kubelet->bin_dir.value);
    free(kubelet->bin_dir.overruled);
    free(kubelet->node_name);
    free(kubelet->feature_gates);
    *kubelet = (struct node_kubelet){0};
}

bool node_kubelet_environment(struct buf *out, const struct node_kubelet *kubelet, const char *root)
{
    char process[24];

    (void)snprintf(process, sizeof process, "%ld", kubelet->pid);
    return kubelet->pid != 0 && !kubelet->is_contained && read_proc(out, root, process, "environ");
}
