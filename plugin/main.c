/* argv, hardening, one error line, exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/run.h"
#include "cmd/kubelet.h"
#include "cmd/options.h"
#include "net/http.h"
#include "proto-json/doc.h"
#include "proto-json/settings.h"

#define DEFAULT_CONFIG "/etc/aliyun-acr-credential-provider/config.json"

/* Secrets pass through this process: no core dumps, no debugger of the same user. */
static void harden(void)
{
    const struct rlimit none = {0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
}

static void on_alarm(int unused)
{
    static const char complaint[] =
        "aliyun-acr-credential-provider: the deadline has passed while the system did not answer. "
        "Check name resolution and file systems of the node\n";
    ssize_t written = write(STDERR_FILENO, complaint, sizeof complaint - 1);

    (void)unused;
    _exit(written < 0 ? EX_SOFTWARE : EX_TEMPFAIL);
}

/* Every step keeps to the deadline by itself; this is for calls of the system that block. */
static void start_watchdog(int64_t deadline_s)
{
    const struct itimerval after = {.it_value = {.tv_sec = (time_t)deadline_s, .tv_usec = 500000}};

    (void)signal(SIGALRM, on_alarm);
    (void)setitimer(ITIMER_REAL, &after, NULL);
}

static bool load_settings(struct settings *out, const struct options *options, struct error *err)
{
    struct buf file AUTO(buf_clear) = {0};
    const char *path = options->config_path != NULL ? options->config_path : DEFAULT_CONFIG;

    settings_default(out);
    switch (file_read_trusted(&file, path, SETTINGS_MAX_BYTES, err)) {
    case FILE_READ:
        if (!settings_decode(out, file.bytes, file.length, err))
            return error_wrap(err, "%s", path);
        break;
    case FILE_ABSENT:
        if (options->config_path != NULL)
            return error_set(err, ERROR_CONFIG, "%s: there is no such file", path);
        break;
    case FILE_REFUSED:
        return false;
    }
    return options_apply(options, out, err);
}

static bool serve_kubelet(const struct options *options, struct error *err)
{
    struct settings settings AUTO(settings_clear) = {0};
    struct http *http AUTO(http_close) = NULL;
    struct run run;
    int64_t deadline_ms;

    if (!load_settings(&settings, options, err))
        return false;
    log_configure(settings.log_level, settings.log_format);
    start_watchdog(settings.deadline_s);
    deadline_ms = clock_mono_ms() + settings.deadline_s * 1000;
    http = http_open(deadline_ms);
    run = (struct run){.settings = &settings, .http = http};
    return kubelet_run(&run, deadline_ms, err);
}

static bool print(const char *text, struct error *err)
{
    return file_write_all(STDOUT_FILENO, text, strlen(text), err);
}

static bool print_version(struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_format(&text, "aliyun-acr-credential-provider %s\n%s\n%s\njson-c %s\n",
                      PROVIDER_VERSION, http_library_version(), digest_library_version(),
                      doc_library_version());
    return print(buf_text(&text), err);
}

static bool run_command(int argc, char **argv, struct error *err)
{
    struct options options;

    if (!options_parse(&options, argc, argv, err))
        return false;
    if (options.command == OPTIONS_VERSION)
        return print_version(err);
    /* Nobody types a request: on a terminal without arguments, help is wanted. */
    if (options.command == OPTIONS_HELP || (argc == 1 && isatty(STDIN_FILENO)))
        return print(options_help, err);
    return serve_kubelet(&options, err);
}

int main(int argc, char **argv)
{
    struct error err = {0};

    harden();
    if (run_command(argc, argv, &err))
        return EXIT_SUCCESS;
    log_error(&err);
    return error_exit_status(&err);
}
