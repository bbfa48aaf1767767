#include "cmd/config.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/check.h"
#include "base/file.h"
#include "base/text.h"
#include "cmd/options.h"
#include "kubelet/bin_dir.h"
#include "kubelet/diff.h"
#include "kubelet/docker_config.h"
#include "kubelet/provider_edit.h"
#include "kubelet/replace.h"
#include "kubelet/splice.h"
#include "registry/host.h"

#define NEW_FILE "50-" PROVIDER_CONFIG_NAME ".yaml" /* in a directory of configurations */

/* Leaves room for what is added. */
enum { FILE_MAX_BYTES = YAML_TREE_MAX_BYTES / 2 };

struct task {
    const struct options *options;
    const struct system *system;
    int minor; /* of the kubelet; 0: the newest */
    struct provider_entry entry;
};

/* -- what is wanted -- */

static bool check_matches(const struct options_list *matches, struct error *err)
{
    char what[256];

    for (size_t i = 0; i < matches->count; i++) {
        text_join(what, sizeof what, "--match", " ", matches->values[i]);
        if (!check_text(CHECK_MATCH, matches->values[i], what, err)) {
            err->kind = ERROR_USAGE;
            return false;
        }
    }
    return true;
}

static bool read_options(struct task *task, struct error *err)
{
    const struct options *options = task->options;
    int minor = PROVIDER_CONFIG_NEWEST_MINOR;

    if (options->bin_dir != NULL && options->install_path == NULL)
        return error_set(err, ERROR_USAGE, "--bin-dir is valid only with --install");
    if (!check_matches(&options->matches, err))
        return false;
    if (options->kubelet_version != NULL) {
        if (!provider_config_parse_version(&minor, options->kubelet_version, err))
            return false;
        task->minor = minor;
    }
    if (options->for_pods && minor < PROVIDER_CONFIG_TOKENS_MINOR)
        return error_set(err, ERROR_USAGE, "--pods needs Kubernetes 1.%d or later",
                         PROVIDER_CONFIG_TOKENS_MINOR);
    task->entry = (struct provider_entry){
        .version = provider_config_version(minor),
        .matches = options->matches.values,
        .match_count = options->matches.count,
        .is_for_pods = options->for_pods,
        .has_cache_type = minor >= PROVIDER_CONFIG_CACHE_TYPE_MINOR,
    };
    return true;
}

static bool append_whole(struct buf *out, const struct provider_entry *entry, bool is_json,
                         struct error *err)
{
    struct provider_config config AUTO(provider_config_clear) = {0};

    if (!is_json) {
        provider_entry_append(out, entry);
        return true;
    }
    if (!provider_entry_read(&config, entry, err))
        return false;
    splice_append_json(out, &config.tree, "  ");
    buf_append_text(out, "\n");
    return true;
}

/* -- files -- */

static bool open_file(struct replace *out, const char *path, struct error *err)
{
    return replace_open(out, path, FILE_MAX_BYTES, err);
}

static bool print(const struct buf *text, struct error *err)
{
    return file_write_all(STDOUT_FILENO, text->bytes, text->length, err);
}

static bool say(const char *path, const char *what, struct error *err)
{
    struct buf line AUTO(buf_clear) = {0};

    buf_append_format(&line, "%s: %s\n", path, what);
    return print(&line, err);
}

static bool print_diff(const struct replace *file, const char *new_name, const struct buf *text,
                       struct error *err)
{
    const char *old_name = file->kind == REPLACE_NOTHING ? "/dev/null" : file->path;
    struct buf diff AUTO(buf_clear) = {0};

    diff_append(&diff, old_name, &file->content, new_name, text);
    return print(&diff, err);
}

static void append_backup(struct buf *out, const struct replace *file, bool is_kept)
{
    buf_append_format(
        out, is_kept ? ", the old file is %s.bak" : ", %s.bak is of an earlier change", file->path);
}

/* Writes a file that is not there with this mode; `next` is what the user is told to do then. */
static bool write_file(const struct task *task, const struct replace *file, const struct buf *text,
                       mode_t mode, const char *next, struct error *err)
{
    struct buf done AUTO(buf_clear) = {0};
    bool is_kept;

    const bool is_same = file->kind == REPLACE_FILE && file->content.length == text->length &&
                         memcmp(buf_text(&file->content), buf_text(text), text->length) == 0;

    /* Docker's file may hold log-ins. */
    if (task->options->is_dry_run && !task->options->is_docker)
        return print_diff(file, file->path, text, err);
    if (is_same)
        return say(file->path, "nothing to change", err);
    if (task->options->is_dry_run)
        return say(file->path, "would be changed", err);
    if (!replace_write(file, task->system, text, mode, &is_kept, err))
        return false;
    buf_append_text(&done, file->kind == REPLACE_FILE ? "changed" : "written");
    if (file->kind == REPLACE_FILE)
        append_backup(&done, file, is_kept);
    buf_append_text(&done, next);
    return say(file->path, done.bytes, err);
}

/* -- the kubelet's file, or one of its directory -- */

static int is_configuration(const struct dirent *entry)
{
    return provider_config_is_file_name(entry->d_name);
}

/* Puts a file of the directory into `found` if it has the entry, and counts one with providers. */
static bool look_into(struct replace *found, int *count, const char *directory, const char *name,
                      struct error *err)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf path AUTO(buf_clear) = {0};
    bool has_entry = false;
    bool has_providers = false;

    buf_append_format(&path, "%s/%s", directory, name);
    if (!open_file(&file, path.bytes, err))
        return false;
    if (file.kind != REPLACE_FILE)
        return true;
    if (!provider_edit_find(&has_entry, &has_providers, &file.content, err)) {
        (void)error_advise(err, "Correct it, or name a file instead of the directory: %s/" NEW_FILE,
                           directory);
        return error_wrap(err, "%.200s", file.path);
    }
    *count += has_providers;
    if (!has_entry)
        return true;
    if (found->kind == REPLACE_FILE)
        return error_set_advised(err, ERROR_CONFIG, "Remove one of them",
                                 "%s and %s have an entry " PROVIDER_CONFIG_NAME " each",
                                 found->path, file.path);
    *found = TAKE(file);
    return true;
}

static bool search(struct replace *found, int *count, const char *directory, struct error *err)
{
    struct dirent **entries = NULL;
    bool is_read = true;
    int listed = scandir(directory, &entries, is_configuration, alphasort);

    if (listed < 0)
        return error_set_advised(err, ERROR_CONFIG, "Name a directory that can be read",
                                 "cannot read %s: %s", directory, strerror(errno));
    for (int i = 0; i < listed; i++) {
        is_read = is_read && look_into(found, count, directory, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return is_read;
}

/* Opens the file to change. Of a directory, with `count` files that have providers, the one that
 * has the entry, else a new one. */
static bool open_target(struct replace *out, int *count, const struct task *task, const char *path,
                        struct error *err)
{
    struct replace named AUTO(replace_clear) = {0};
    struct buf new_path AUTO(buf_clear) = {0};

    *count = 0;
    if (!open_file(&named, path, err))
        return false;
    if (named.kind != REPLACE_DIRECTORY) {
        *out = TAKE(named);
        return true;
    }
    if (task->minor != 0 && task->minor < PROVIDER_CONFIG_DIRECTORY_MINOR)
        return error_set_advised(err, ERROR_USAGE, "Name a file",
                                 "%s is a directory, which needs Kubernetes 1.%d or later",
                                 named.path, PROVIDER_CONFIG_DIRECTORY_MINOR);
    if (!search(out, count, named.path, err))
        return false;
    buf_append_format(&new_path, "%s/" NEW_FILE, named.path);
    return out->kind == REPLACE_FILE || open_file(out, new_path.bytes, err);
}

/* Before the configuration, for a kubelet that finds no such program does not start. */
static bool install_executable(const struct task *task, struct error *err)
{
    const char *directory = task->options->bin_dir;
    bool changed = false;

    if (directory == NULL)
        return true;
    if (!bin_dir_install(&changed, directory, task->options->is_dry_run, task->system, err))
        return false;
    return task->options->is_dry_run ||
           say(directory, changed ? PROVIDER_CONFIG_NAME " written" : "nothing to change", err);
}

static bool install(const struct task *task, struct error *err)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    int count;

    if (!open_target(&file, &count, task, task->options->install_path, err))
        return false;
    if (file.kind == REPLACE_FILE) {
        if (!provider_edit_install(&text, &file.content, &task->entry, task->minor, err))
            return error_wrap(err, "%.200s", file.path);
    } else if (!file.has_directory) {
        return error_set_advised(err, ERROR_CONFIG, "Create the directory",
                                 "there is no directory for %s", file.path);
    } else if (!provider_config_is_file_name(file.path)) {
        return error_set_advised(err, ERROR_CONFIG,
                                 "Create the directory, or name a file: *.yaml, *.yml or *.json",
                                 "there is no %s", file.path);
    } else if (!append_whole(&text, &task->entry, text_ends_with(file.path, ".json"), err)) {
        return false;
    }
    return install_executable(task, err) &&
           write_file(task, &file, &text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH,
                      task->options->bin_dir != NULL
                          ? "; restart the kubelet"
                          : "; put the program into the kubelet's "
                            "--image-credential-provider-bin-dir, and restart the kubelet",
                      err);
}

/* Removes a file without other providers; `has_others` tells of other files in its directory. */
static bool remove_file(const struct task *task, const struct replace *file, bool has_others,
                        struct error *err)
{
    const struct buf nothing = {0};
    struct buf done AUTO(buf_clear) = {0};
    bool is_kept;

    if (task->options->is_dry_run)
        return print_diff(file, "/dev/null", &nothing, err);
    if (!replace_remove(file, &is_kept, err))
        return false;
    buf_append_text(&done, "removed");
    append_backup(&done, file, is_kept);
    buf_append_format(&done, "; %srestart the kubelet",
                      has_others ? ""
                                 : "remove the flags --image-credential-provider-config and "
                                   "--image-credential-provider-bin-dir, and ");
    return say(file->path, done.bytes, err);
}

static bool uninstall(const struct task *task, struct error *err)
{
    struct replace file AUTO(replace_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    bool has_entry = false;
    bool has_providers;
    bool is_only = false;
    int count;

    if (!open_target(&file, &count, task, task->options->remove_path, err))
        return false;
    if (file.kind == REPLACE_FILE &&
        (!provider_edit_find(&has_entry, &has_providers, &file.content, err) ||
         (has_entry && !provider_edit_remove(&text, &is_only, &file.content, err))))
        return error_wrap(err, "%.200s", file.path);
    if (!has_entry)
        return task->options->is_dry_run ||
               say(file.path,
                   file.kind == REPLACE_FILE ? "nothing to change"
                                             : "there is no such file: nothing to change",
                   err);
    if (is_only)
        return remove_file(task, &file, count > 1, err);
    return write_file(task, &file, &text, 0, "; restart the kubelet", err);
}

/* -- docker's file -- */

static bool find_docker_file(struct buf *out, const struct system *system, struct error *err)
{
    const char *directory = system->variable("DOCKER_CONFIG");
    const char *home = system->variable("HOME");

    if (directory[0] != '\0') {
        buf_append_format(out, "%s/config.json", directory);
        return true;
    }
    if (home[0] == '\0')
        home = system->home();
    if (home == NULL)
        return error_set_advised(err, ERROR_CONFIG, "Name the file",
                                 "this user has no home directory, and DOCKER_CONFIG is not set");
    buf_append_format(out, "%s/.docker/config.json", home);
    return true;
}

static bool check_host(const char *word, struct error *err)
{
    struct host host;

    if (host_parse(&host, word, err) && host.path[0] == '\0' && host_can_be_domain(&host))
        return true;
    return error_set_advised(err, ERROR_USAGE,
                             "Write HOST or HOST:PORT; docker knows no patterns and no paths",
                             "%.200s is not the host of a registry", word);
}

/* Makes the directory of the file, if that is all that is missing. */
static bool open_docker_file(struct replace *out, const struct task *task, const char *path,
                             struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct buf directory AUTO(buf_clear) = {0};
    int problem = 0;

    if (slash != NULL && !task->options->is_dry_run) {
        buf_append(&directory, path, (size_t)(slash - path));
        problem = mkdir(buf_text(&directory), S_IRWXU) == 0 ? 0 : errno;
    }
    if (!open_file(out, path, err))
        return false;
    if (out->kind == REPLACE_DIRECTORY)
        return error_set_advised(err, ERROR_CONFIG, "Name a file", "%s is a directory", out->path);
    if (!out->has_directory && !task->options->is_dry_run)
        return error_set_advised(err, ERROR_CONFIG, "Create it, with mode 0700",
                                 "cannot make the directory %s: %s", buf_text(&directory),
                                 strerror(problem));
    return true;
}

static bool edit_docker(const struct task *task, struct error *err)
{
    const struct options_list *words = &task->options->words;
    const char *first = words->count == 0 ? "" : words->values[0];
    const size_t hosts = strchr(first, '/') != NULL || text_ends_with(first, ".json");
    struct replace file AUTO(replace_clear) = {0};
    struct buf path AUTO(buf_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};

    if (words->count == hosts)
        return error_set_advised(
            err, ERROR_USAGE,
            "What has a slash or ends in .json is docker's file: name hosts after it",
            "config --docker requires an argument: HOST");
    for (size_t i = hosts; i < words->count; i++) {
        if (!check_host(words->values[i], err))
            return false;
    }
    if (hosts > 0)
        buf_append_text(&path, first);
    else if (!find_docker_file(&path, task->system, err))
        return false;
    if (!open_docker_file(&file, task, buf_text(&path), err))
        return false;
    if (!docker_config_add(&text, &file.content, words->values + hosts, words->count - hosts, err))
        return error_wrap(err, "%.200s", file.path);
    return write_file(task, &file, &text, S_IRUSR | S_IWUSR, "", err);
}

bool config_run(const struct options *options, const struct system *system, struct error *err)
{
    struct task task = {.options = options, .system = system};
    struct buf text AUTO(buf_clear) = {0};

    if (!read_options(&task, err))
        return false;
    if (options->is_docker)
        return edit_docker(&task, err);
    if (options->install_path != NULL)
        return install(&task, err);
    if (options->remove_path != NULL)
        return uninstall(&task, err);
    return append_whole(&text, &task.entry, options->is_json, err) && print(&text, err);
}
