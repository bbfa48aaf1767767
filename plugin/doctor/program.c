#include "doctor/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cache/store.h"
#include "cmd/options.h"
#include "config/load.h"
#include "doctor/node.h"
#include "doctor/report.h"
#include "kubelet/host_root.h"

enum { ARGUMENTS_MAX = 64, FLAGS_MAX = 2 * OPTIONS_FLAGS_MAX };

static const char *files_root = "";

static enum file_outcome read_below_root(struct buf *out, const char *path, size_t max_bytes,
                                         struct error *err)
{
    int descriptor AUTO(file_close) = host_root_open(files_root, path, O_RDONLY);

    return file_read_trusted_from(out, descriptor, path, max_bytes, err);
}

struct system program_system(const char *root)
{
    struct system system = system_real;

    files_root = root;
    system.read_file = read_below_root;
    return system;
}

static void report_version(struct report *report)
{
    /* A static executable needs no loader. */
    report_ok(report, "program.version", "version " PROVIDER_VERSION ", %s",
              getauxval(AT_BASE) == 0 ? "a static release" : "with this system's libraries");
}

/* -- the environment -- */

/* Takes the kubelet's environment in place of our own. */
static bool take_environment(const struct node *node)
{
    struct buf variables AUTO(buf_clear) = {0};

    if (node->root[0] != '\0' || !node_kubelet_environment(&variables, &node->kubelet))
        return false;
    (void)clearenv();
    for (size_t at = 0; at < variables.length;) {
        char *name = variables.bytes + at;
        char *equals = strchr(name, '=');

        at += strlen(name) + 1;
        if (equals == NULL)
            continue;
        *equals = '\0';
        (void)setenv(name, equals + 1, 1);
    }
    return true;
}

/* To the kubelet null is an empty string. */
static char *text_of(const struct yaml_node *node)
{
    static char empty[1];

    return node != NULL && node->kind == YAML_SCALAR && yaml_tree_type(node) != YAML_TYPE_NULL
               ? node->text
               : empty;
}

/* Adds the variables of our entry, and appends their names. */
static void add_variables(struct buf *names, const struct node *node)
{
    const struct yaml_node *env = node->own == NULL ? NULL : node->own->env;

    /* Whoever has written a tree elsewhere must not choose proxies and commands for this process.
     */
    if (node->root[0] != '\0')
        (void)setenv("ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS", "true", 1);
    if (env == NULL || env->kind != YAML_SEQUENCE || !node->own_is_trusted || node->root[0] != '\0')
        return;
    for (size_t i = 0; i < env->count; i++) {
        const char *name = text_of(yaml_tree_member(&env->children[i], "name"));

        if (name[0] == '\0' || strchr(name, '=') != NULL)
            continue;
        (void)setenv(name, text_of(yaml_tree_member(&env->children[i], "value")), 1);
        buf_append_format(names, "%s%s",
                          names->length == 0 ? ", with the env of its entry: " : ", ", name);
    }
}

static void check_environment(const struct node *node, struct report *report)
{
    const bool is_kubelets = take_environment(node);
    struct buf names AUTO(buf_clear) = {0};

    add_variables(&names, node);
    /* As at the start of main(): libcurl would write TLS keys there. */
    (void)unsetenv("SSLKEYLOGFILE");
    if (is_kubelets || node->kubelet.process.pid == 0)
        report_ok(report, "program.environment", "uses %s environment%s",
                  is_kubelets ? "the kubelet's" : "this command's", buf_text(&names));
    else
        report_line(report, REPORT_SKIPPED, "program.environment",
                    geteuid() == 0 ? "Run doctor on the node itself, or give it the same variables"
                                   : "Run doctor as root, or give it the same variables",
                    "uses this command's environment, since the kubelet's cannot be seen%s",
                    buf_text(&names));
}

/* -- settings -- */

/* Reads the arguments of our entry; `flags` gets those that set keys of the configuration. */
static bool read_arguments(struct options *out, const struct node *node, struct error *err)
{
    const struct yaml_node *args =
        node->own == NULL || !node->own_is_trusted ? NULL : node->own->args;
    char *argv[ARGUMENTS_MAX + 2] = {PROVIDER_CONFIG_NAME};

    for (size_t i = 0; args != NULL && args->kind == YAML_SEQUENCE && i < args->count; i++) {
        if (i == ARGUMENTS_MAX)
            return error_set(err, ERROR_USAGE, "more than %d arguments", ARGUMENTS_MAX);
        argv[i + 1] = text_of(&args->children[i]);
    }
    if (!options_parse(out, args == NULL ? 1 : (int)args->count + 1, argv, err))
        return false;
    return out->command == OPTIONS_KUBELET ||
           error_set(err, ERROR_USAGE, "they name a command that does not answer the kubelet");
}

/* Appends flags, without those of the log if they are the entry's: this run is not logged. */
static size_t add_flags(struct load_flag *out, size_t count, const struct load_flag *flags,
                        bool with_log)
{
    for (; flags->name != NULL; flags++) {
        if (with_log || !text_starts_with(flags->key, "log."))
            out[count++] = *flags;
    }
    return count;
}

/* What the user of doctor asks for: the configured level is for the kubelet's runs. */
static enum log_level wanted_level(const struct options *options, const struct settings *settings)
{
    for (const struct load_flag *flag = options->flags; flag->name != NULL; flag++) {
        if (strcmp(flag->key, "log.level") == 0)
            return settings->log.level;
    }
    return LOG_LEVEL_ERROR;
}

static bool can_open(int *error, const char *root, const char *path)
{
    int descriptor AUTO(file_close) = host_root_open(root, path, O_RDONLY);

    *error = errno;
    return descriptor >= 0;
}

/* The configuration file that counts, NULL if there is none. `named` is what flags name. */
static const char *find_file(const struct system *system, const char *named, const char *root)
{
    const char *variable = system->variable(LOAD_CONFIG_VARIABLE);
    int error;

    if (named != NULL || variable[0] != '\0')
        return named != NULL ? named : variable;
    return can_open(&error, root, LOAD_CONFIG_FILE) || error != ENOENT ? LOAD_CONFIG_FILE : NULL;
}

static bool load(struct settings *out, const struct system *system, struct report *report,
                 const struct node *node, const struct options *options)
{
    struct load_flag flags[FLAGS_MAX + 1] = {{0}};
    struct options entry;
    struct error err = {0};
    const char *named = options->config_path;
    const char *path;
    size_t count;
    int error;

    if (!read_arguments(&entry, node, &err)) {
        error_wrap(&err, "args of the entry %s", node->own->name);
        error_advise(&err, "Correct them in the kubelet's configuration, and restart it; --help "
                           "has the flags");
        report_error(report, REPORT_FAILED, "program.arguments", &err);
        return false;
    }
    count = add_flags(flags, 0, entry.flags, false);
    (void)add_flags(flags, count, options->flags, true);
    named = named == NULL ? entry.config_path : named;
    path = find_file(system, named, node->root);
    if (path != NULL && !can_open(&error, node->root, path) && error == EACCES) {
        report_closed(report, "program.settings", path);
        return false;
    }
    if (!load_settings(out, system, named, flags, &err)) {
        report_error(report, REPORT_FAILED, "program.settings", &err);
        return false;
    }
    log_configure(wanted_level(options, out), LOG_TO_STDERR);
    report_ok(report, "program.settings", "%s%s",
              path == NULL ? "no configuration file, and none is needed" : "configuration file ",
              path == NULL ? "" : path);
    return true;
}

/* -- cache -- */

/* Why the directory cannot be used; NULL if it can. */
static const char *find_fault(const struct stat *status)
{
    if (!S_ISDIR(status->st_mode))
        return "is not a directory";
    if (status->st_uid != geteuid())
        return "belongs to another user";
    return (status->st_mode & (S_IRWXG | S_IRWXO)) != 0 ? "can be entered by others" : NULL;
}

static void report_tokens(struct report *report, const struct system *system, const char *directory)
{
    struct store store AUTO(store_close) = {0};
    size_t count;

    if (!store_open(&store, system, directory)) {
        report_line(report, REPORT_WARNING, "program.cache", "To see why: --log-level info",
                    "cache %s cannot be used", directory);
        return;
    }
    count = store_count(&store, STORE_TOKEN);
    report_ok(report, "program.cache", "cache %s: %zu token%s that can be used", directory, count,
              count == 1 ? "" : "s");
}

/* Root's cache tells other users nothing. */
static void check_cache(const struct settings *settings, const struct system *system,
                        struct report *report)
{
    const char *directory = settings->cache.directory;
    struct stat status;
    const char *fault;

    if (!settings->cache.is_enabled)
        report_line(report, REPORT_WARNING, "program.cache", "Enable it: cache.enabled",
                    "the cache is switched off: each run calls the API");
    else if (lstat(directory, &status) != 0)
        report_skipped(report, "program.cache", "cache %s: %s; the first run makes it", directory,
                       strerror(errno));
    else if ((fault = find_fault(&status)) == NULL)
        report_tokens(report, system, directory);
    else if (geteuid() != 0 && status.st_uid == 0)
        report_closed(report, "program.cache", directory);
    else
        report_line(report, REPORT_WARNING, "program.cache",
                    "Name a directory that nothing else uses: cache.directory", "cache %s %s",
                    directory, fault);
}

bool program_check(struct settings *out, const struct system *system, struct report *report,
                   const struct node *node, const struct options *options)
{
    report_version(report);
    check_environment(node, report);
    if (!load(out, system, report, node, options))
        return false;
    if (node->root[0] == '\0')
        check_cache(out, system, report);
    else
        report_skipped(report, "program.cache", "cache %s was not looked at below --host-root",
                       out->cache.directory);
    return true;
}
