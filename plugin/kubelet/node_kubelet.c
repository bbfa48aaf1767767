#include "kubelet/node_kubelet.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "kubelet/host_root.h"
#include "kubelet/process.h"
#include "kubelet/yaml_tree.h"

enum { FILE_MAX_BYTES = 2 * 1024 * 1024, PATH_SIZE = 300, FILES_MAX = 64 };

#define CONFIG_KEY  "image-credential-provider-config"
#define BIN_DIR_KEY "image-credential-provider-bin-dir"

/* -- flags -- */

/* An empty value is none. */
static void set_path(struct node_kubelet_path *path, const char *value)
{
    if (path->value != NULL && strcmp(path->value, value) != 0) {
        free(path->overruled);
        path->overruled = TAKE(path->value);
    }
    free(path->value);
    path->value = value[0] == '\0' ? NULL : alloc_string(value);
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
    for (char *at = name; (at = strchr(at, '_')) != NULL;)
        *at = '-';
    if (strcmp(name, "--" CONFIG_KEY) == 0)
        set_path(&kubelet->config, value);
    else if (strcmp(name, "--" BIN_DIR_KEY) == 0)
        set_path(&kubelet->bin_dir, value);
    else if (strcmp(name, "--hostname-override") == 0 || strcmp(name, "--node-name") == 0)
        set_text(&kubelet->node_name, value);
    else if (strcmp(name, "--feature-gates") == 0)
        buf_append_format(&kubelet->feature_gates, "%s,", value);
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

/* -- files -- */

typedef void take_file(void *out, const char *root, const char *path);

static int is_snippet(const struct dirent *entry)
{
    return text_ends_with(entry->d_name, ".yaml") || text_ends_with(entry->d_name, ".yml") ||
           text_ends_with(entry->d_name, ".conf");
}

/* Takes the files of a directory in the order of their names. */
static void take_directory(void *out, const char *root, take_file *take, const char *directory)
{
    int descriptor AUTO(file_close) = host_root_open(root, directory, O_RDONLY | O_DIRECTORY);
    const struct host_root_path place = host_root_path_of(descriptor);
    struct dirent **entries = NULL;
    char path[PATH_SIZE];
    int count = descriptor < 0 ? 0 : scandir(place.text, &entries, is_snippet, alphasort);

    for (int i = 0; i < count; i++) {
        if (i < FILES_MAX) {
            text_join(path, sizeof path, directory, "/", entries[i]->d_name);
            take(out, root, path);
        }
        free(entries[i]);
    }
    free(entries);
}

typedef void take_word(void *out, const char *word, const char *next);

/* Takes the words of a line for a shell or systemd, none of a comment. */
static void take_line(void *out, take_word *take, char *line)
{
    static const char separators[] = " \t\r\"'\\";
    char *rest = NULL;
    char *word = strtok_r(line, separators, &rest);

    if (word == NULL || word[0] == '#' || word[0] == ';')
        return;
    while (word != NULL) {
        char *next = strtok_r(NULL, separators, &rest);
        const char *flag = strstr(word, "--");

        take(out, flag == NULL ? word : flag, next);
        word = next;
    }
}

/* Takes the flags of a command line, or of a variable for one, that a file has. A backslash at the
 * end of a line continues it. */
static bool take_text(void *out, take_word *take, const char *root, const char *path)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error ignored;
    char *line;

    if (host_root_read(&file, root, path, FILE_MAX_BYTES, &ignored) != FILE_READ)
        return false;
    while (file.length > 0 && (line = strstr(file.bytes, "\\\n")) != NULL)
        line[0] = line[1] = ' ';
    line = file.bytes;
    while (line != NULL && *line != '\0') {
        char *end = strchrnul(line, '\n');
        const bool is_last = *end == '\0';

        *end = '\0';
        take_line(out, take, line);
        line = is_last ? NULL : end + 1;
    }
    return true;
}

static void take_kubelet_word(void *out, const char *word, const char *next)
{
    take_flag(out, word, next);
}

static void take_kubelet_file(void *out, const char *root, const char *path)
{
    if (take_text(out, take_kubelet_word, root, path))
        name_source(out, path);
}

static bool read_tree(struct yaml_node *out, const char *root, const char *path)
{
    struct buf file AUTO(buf_clear) = {0};
    struct error ignored;
    bool is_unsupported;

    return host_root_read(&file, root, path, YAML_TREE_MAX_BYTES, &ignored) == FILE_READ &&
           yaml_tree_parse(out, &is_unsupported, file.bytes, file.length, &ignored);
}

/* -- k3s and RKE2 -- */

/* Source: k3s' pkg/daemons/agent and pkg/configfilearg, which RKE2 uses too. */
struct k3s {
    struct node_kubelet own;       /* by its own flags and keys */
    struct node_kubelet arguments; /* by kubelet-arg, which counts more */
    char *dropped_by;              /* owned; see node_kubelet */
    char *named_by;                /* owned; the first file that names a path; "": none */
};

static void clear_k3s(struct k3s *k3s)
{
    node_kubelet_clear(&k3s->own);
    node_kubelet_clear(&k3s->arguments);
    free(k3s->dropped_by);
    free(k3s->named_by);
}

/* kubelet-arg has flags of the kubelet without their hyphens. */
static void take_k3s_flag(struct k3s *k3s, const char *name, const char *value)
{
    char argument[PATH_SIZE];

    if (strcmp(name, "kubelet-arg") == 0) {
        text_join(argument, sizeof argument, "--", "", value + strspn(value, "-"));
        take_flag(&k3s->arguments, argument, NULL);
    } else {
        (void)snprintf(argument, sizeof argument, "--%.60s=%s", name, value);
        take_flag(&k3s->own, argument, NULL);
    }
}

static bool has_path(const struct k3s *k3s)
{
    return k3s->own.config.value != NULL || k3s->own.bin_dir.value != NULL ||
           k3s->arguments.config.value != NULL || k3s->arguments.bin_dir.value != NULL;
}

static void name_k3s(struct k3s *k3s, const char *path)
{
    if (!has_path(k3s))
        set_text(&k3s->named_by, "");
    else if (k3s->named_by == NULL || k3s->named_by[0] == '\0')
        set_text(&k3s->named_by, path);
}

static void drop_arguments(struct k3s *k3s, const char *path)
{
    if (k3s->arguments.config.value != NULL || k3s->arguments.bin_dir.value != NULL)
        set_text(&k3s->dropped_by, path);
    node_kubelet_clear(&k3s->arguments);
}

/* The value of a key replaces that of an earlier file, unless a plus follows the key. */
static void take_k3s_file(void *out, const char *root, const char *path)
{
    struct k3s *k3s = out;
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};

    if (!read_tree(&tree, root, path) || tree.kind != YAML_MAPPING)
        return;
    for (size_t i = 0; i + 1 < tree.count; i += 2) {
        const struct yaml_node *value = &tree.children[i + 1];
        char *key = tree.children[i].text;

        if (strcmp(key, "kubelet-arg") == 0)
            drop_arguments(k3s, path);
        key[strcspn(key, "+")] = '\0';
        if (value->kind == YAML_SCALAR)
            take_k3s_flag(k3s, key, value->text);
        for (size_t j = 0; value->kind == YAML_SEQUENCE && j < value->count; j++) {
            if (value->children[j].kind == YAML_SCALAR)
                take_k3s_flag(k3s, key, value->children[j].text);
        }
    }
    name_k3s(k3s, path);
}

static void take_k3s_word(void *out, const char *word, const char *next)
{
    char name[64];
    const char *equals = strchr(word, '=');
    const size_t length = strcspn(word, "=");

    if (!text_starts_with(word, "--") || length >= sizeof name || (equals == NULL && next == NULL))
        return;
    text_copy(name, length - 1, word + 2);
    take_k3s_flag(out, name, equals == NULL ? next : equals + 1);
}

/* k3s hides its command line; the installer writes it into a unit. */
static void take_k3s_unit(void *out, const char *root, const char *path)
{
    if (take_text(out, take_k3s_word, root, path))
        name_k3s(out, path);
}

static bool exists(const char *root, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(root, path, O_PATH);

    return descriptor >= 0;
}

static void take_default(struct node_kubelet_path *path, const char *value)
{
    if (path->value == NULL)
        path->value = alloc_string(value);
}

/* Of k3s' own keys a later file has the last word, which is no mistake to be told. */
static void choose_path(struct node_kubelet_path *out, struct node_kubelet_path *argument,
                        struct node_kubelet_path *own)
{
    if (argument->value != NULL)
        *out = TAKE(*argument);
    else
        out->value = TAKE(own->value);
}

static void take_k3s(struct node_kubelet *out, const char *root, const char *name)
{
    static const char config[] = "/var/lib/rancher/credentialprovider/config.yaml";
    static const char bin_dir[] = "/var/lib/rancher/credentialprovider/bin";
    struct k3s k3s AUTO(clear_k3s) = {0};
    char path[PATH_SIZE];

    (void)snprintf(path, sizeof path, "/etc/rancher/%s/config.yaml", name);
    take_k3s_file(&k3s, root, path);
    (void)snprintf(path, sizeof path, "/etc/rancher/%s/config.yaml.d", name);
    take_directory(&k3s, root, take_k3s_file, path);
    if (strcmp(name, "k3s") == 0) {
        take_k3s_unit(&k3s, root, "/etc/systemd/system/k3s.service");
        take_k3s_unit(&k3s, root, "/etc/systemd/system/k3s-agent.service");
    }
    if (!has_path(&k3s) && exists(root, config) && exists(root, bin_dir)) {
        text_join(path, sizeof path, "the defaults of ", "", name);
        set_text(&k3s.named_by, path);
    } else if (!has_path(&k3s)) {
        out->dropped_by = TAKE(k3s.dropped_by);
        return;
    }
    take_default(&k3s.own.config, config);
    take_default(&k3s.own.bin_dir, bin_dir);
    out->is_optional = k3s.arguments.config.value == NULL && k3s.arguments.bin_dir.value == NULL;
    choose_path(&out->config, &k3s.arguments.config, &k3s.own.config);
    choose_path(&out->bin_dir, &k3s.arguments.bin_dir, &k3s.own.bin_dir);
    out->node_name = TAKE(k3s.own.node_name);
    out->feature_gates = TAKE(k3s.arguments.feature_gates);
    out->named_by = TAKE(k3s.named_by);
    text_copy(out->program, sizeof out->program, name);
}

/* -- MicroShift -- */

static void take_microshift_file(void *out, const char *root, const char *path)
{
    struct node_kubelet *kubelet = out;
    struct yaml_node tree AUTO(yaml_tree_clear) = {0};
    const struct yaml_node *section;
    const struct yaml_node *config;
    const struct yaml_node *bin_dir;

    if (!read_tree(&tree, root, path) || (section = yaml_tree_member(&tree, "kubelet")) == NULL)
        return;
    config = yaml_tree_member(section, "imageCredentialProviderConfigPath");
    bin_dir = yaml_tree_member(section, "imageCredentialProviderBinDir");
    if (config != NULL && config->kind == YAML_SCALAR)
        set_text(&kubelet->config.value, config->text);
    if (bin_dir != NULL && bin_dir->kind == YAML_SCALAR)
        set_text(&kubelet->bin_dir.value, bin_dir->text);
    name_source(kubelet, path);
}

static void take_microshift(struct node_kubelet *out, const char *root)
{
    take_microshift_file(out, root, "/etc/microshift/config.yaml");
    take_directory(out, root, take_microshift_file, "/etc/microshift/config.d");
    if (out->named_by != NULL)
        text_copy(out->program, sizeof out->program, "microshift");
}

/* -- without a process -- */

/* In the order in which their flags come on the command line: a unit's own, with its snippets, and
 * those of the files that kubeadm's unit and ACK's read. */
static void take_kubelet_files(struct node_kubelet *out, const char *root)
{
    static const char *const units[] = {"/etc/systemd/system/kubelet.service",
                                        "/usr/lib/systemd/system/kubelet.service",
                                        "/lib/systemd/system/kubelet.service"};
    static const char *const paths[] = {"/var/lib/kubelet/kubeadm-flags.env",
                                        "/etc/default/kubelet", "/etc/sysconfig/kubelet",
                                        "/etc/kubernetes/kubelet-customized-args.conf"};
    size_t unit = 0;

    while (unit + 1 < COUNT_OF(units) && !exists(root, units[unit]))
        unit++;
    take_kubelet_file(out, root, units[unit]);
    take_directory(out, root, take_kubelet_file, "/usr/lib/systemd/system/kubelet.service.d");
    take_directory(out, root, take_kubelet_file, "/etc/systemd/system/kubelet.service.d");
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        take_kubelet_file(out, root, paths[i]);
    if (out->named_by != NULL)
        text_copy(out->program, sizeof out->program, "kubelet");
}

static void take_files(struct node_kubelet *out, const char *root)
{
    take_kubelet_files(out, root);
    if (out->named_by == NULL)
        take_k3s(out, root, "k3s");
    if (out->named_by == NULL)
        take_k3s(out, root, "rke2");
    if (out->named_by == NULL)
        take_microshift(out, root);
}

/* Looks why nothing may have been found. */
static void find_closed(struct node_kubelet *out, const char *root)
{
    static const char *const paths[] = {"/etc/rancher/k3s/config.yaml",
                                        "/etc/rancher/k3s/config.yaml.d",
                                        "/etc/systemd/system/k3s.service",
                                        "/etc/systemd/system/k3s-agent.service",
                                        "/etc/rancher/rke2/config.yaml",
                                        "/etc/microshift/config.yaml",
                                        "/etc/systemd/system/kubelet.service",
                                        "/var/lib/kubelet/kubeadm-flags.env",
                                        "/etc/default/kubelet",
                                        "/etc/sysconfig/kubelet"};

    for (size_t i = 0; out->named_by == NULL && out->closed == NULL && i < COUNT_OF(paths); i++) {
        int descriptor AUTO(file_close) = host_root_open(root, paths[i], O_RDONLY);

        if (descriptor < 0 && errno == EACCES)
            out->closed = alloc_string(paths[i]);
    }
}

/* -- all of it -- */

/* A relative path is one from the kubelet's working directory. */
static void make_absolute(struct node_kubelet_path *path, const struct process *process)
{
    char folder[PATH_SIZE] = "";
    struct buf whole AUTO(buf_clear) = {0};

    if (path->value == NULL || path->value[0] == '/' || process->pid == 0 ||
        readlinkat(process->folder, "cwd", folder, sizeof folder - 1) < 0)
        return;
    buf_append_format(&whole, "%s/%s", folder, path->value);
    set_text(&path->value, whole.bytes);
}

void node_kubelet_find(struct node_kubelet *out, const char *root)
{
    *out = (struct node_kubelet){0};
    process_find(&out->process, root);
    memcpy(out->program, out->process.program, sizeof out->program);
    if (out->process.pid == 0)
        take_files(out, root);
    else if (out->process.is_contained && root[0] == '\0')
        return;
    else if (strcmp(out->program, "kubelet") == 0)
        take_command_line(out, &out->process.command_line);
    else if (strcmp(out->program, "microshift") == 0)
        take_microshift(out, root);
    else
        take_k3s(out, root, out->program);
    make_absolute(&out->config, &out->process);
    make_absolute(&out->bin_dir, &out->process);
    if (strcmp(out->program, "kubelet") != 0)
        find_closed(out, root);
}

void node_kubelet_clear(struct node_kubelet *kubelet)
{
    process_clear(&kubelet->process);
    free(kubelet->named_by);
    free(kubelet->dropped_by);
    free(kubelet->closed);
    free(kubelet->config.value);
    free(kubelet->config.overruled);
    free(kubelet->bin_dir.value);
    free(kubelet->bin_dir.overruled);
    free(kubelet->node_name);
    buf_clear(&kubelet->feature_gates);
    *kubelet = (struct node_kubelet){0};
}

bool node_kubelet_environment(struct buf *out, const struct node_kubelet *kubelet)
{
    return kubelet->process.pid != 0 && !kubelet->process.is_contained &&
           process_read(out, kubelet->process.folder, "environ");
}
