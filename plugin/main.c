/* argv, hardening, one error line, exit status. */
#include <fcntl.h>
#include <poll.h>
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
#include "base/system.h"
#include "cache/store.h"
#include "cmd/docker.h"
#include "cmd/get.h"
#include "cmd/kubelet.h"
#include "cmd/options.h"
#include "config/load.h"
#include "config/run.h"
#include "config/settings.h"
#include "identity/command.h"
#include "net/http.h"
#include "proto-json/doc.h"

/* A standard stream that is closed would be the number of the next file or socket, and an answer
 * would go into that. What is opened in its place fails every use. */
static void hold_standard_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor)
            _exit(EX_OSERR);
    }
}

/* Secrets pass through this process: no core dumps, no debugger of the same user, and no file with
 * the keys of TLS, which libcurl writes where the environment wants it. */
static void harden(void)
{
    const struct rlimit none = {0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)unsetenv("SSLKEYLOGFILE");
    (void)signal(SIGPIPE, SIG_IGN);
}

/* The exit status, once nothing that the system does can change it any more; negative before. */
static volatile sig_atomic_t settled = -1;

static void on_alarm(int unused)
{
    static const char complaint[] =
        "aliyun-acr-credential-provider: the deadline has passed while the system did not answer. "
        "Check name resolution and file systems of the node\n";
    struct pollfd told = {.fd = STDERR_FILENO, .events = POLLOUT};

    (void)unused;
    command_abandon(); /* NOLINT(bugprone-signal-handler,cert-sig30-c): it calls kill(2) only */
    if (settled >= 0)
        _exit(settled);
    /* A pipe that nobody reads may be what has blocked: it is not waited for again. */
    if (poll(&told, 1, 0) == 1 && write(STDERR_FILENO, complaint, sizeof complaint - 1) < 0)
        _exit(EX_SOFTWARE);
    _exit(EX_TEMPFAIL);
}

/* Every step keeps to the deadline by itself; this is for calls of the system that block. Whoever
 * started us may have held the signal back. */
static void start_watchdog(int64_t deadline_s)
{
    const struct itimerval after = {.it_value = {.tv_sec = (time_t)deadline_s, .tv_usec = 500000}};
    sigset_t its;

    (void)signal(SIGALRM, on_alarm);
    (void)sigemptyset(&its);
    (void)sigaddset(&its, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &its, NULL);
    (void)setitimer(ITIMER_REAL, &after, NULL);
}

/* Once an error is about to be told, another one would only hide it; but that may block too. */
static void settle(int status)
{
    enum { TELLING_S = 5 };

    start_watchdog(TELLING_S);
    settled = status;
}

/* What a command does once there are settings and connections. */
typedef bool work(const struct run *run, const struct options *options, int64_t deadline_ms,
                  struct error *err);

static bool serve(work *serve_one, const struct options *options, struct error *err)
{
    struct settings settings AUTO(settings_clear) = {0};
    struct store store AUTO(store_close) = {0};
    struct http_transport *transport AUTO(http_curl_close) = http_curl_open();
    struct run run;
    int64_t deadline_ms;

    start_watchdog(SETTINGS_DEADLINE_DEFAULT_S);
    if (!load_settings(&settings, &system_real, options->config_path, options->flags, err))
        return false;
    log_configure(settings.log.level, settings.log.destination);
    start_watchdog(settings.deadline_s);
    deadline_ms = clock_mono_ms() + settings.deadline_s * 1000;
    run = (struct run){
        .settings = &settings,
        .system = &system_real,
        .http = {.system = &system_real, .transport = transport, .deadline_ms = deadline_ms},
        .store = &store,
    };
    if (!serve_one(&run, options, deadline_ms, err))
        return false;
    /* The whole answer has been written: whatever happens now, it was given. */
    settled = EXIT_SUCCESS;
    return true;
}

static bool serve_kubelet(const struct run *run, const struct options *options, int64_t deadline_ms,
                          struct error *err)
{
    (void)options;
    return kubelet_run(run, deadline_ms, err);
}

static bool serve_get(const struct run *run, const struct options *options, int64_t deadline_ms,
                      struct error *err)
{
    (void)deadline_ms;
    return get_run(run, options->image, options->output, err);
}

static bool serve_docker(const struct run *run, const struct options *options, int64_t deadline_ms,
                         struct error *err)
{
    (void)options;
    return docker_get(run, deadline_ms, err);
}

static bool print(const char *text, struct error *err)
{
    return file_write_all(STDOUT_FILENO, text, strlen(text), err);
}

static bool print_version(struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    buf_append_format(&text, "aliyun-acr-credential-provider %s\n%s\n%s\njson-c %s\n",
                      PROVIDER_VERSION, http_curl_version(), digest_library_version(),
                      doc_library_version());
    return print(buf_text(&text), err);
}

static bool print_help(struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    options_append_help(&text);
    return print(buf_text(&text), err);
}

static bool run_command(int argc, char **argv, struct error *err)
{
    struct options options;

    if (!options_parse(&options, argc, argv, err))
        return false;
    if (options.command == OPTIONS_VERSION)
        return print_version(err);
    /* Nobody types a request: on a terminal, help is wanted. */
    if (options.command == OPTIONS_HELP ||
        (options.command == OPTIONS_KUBELET && isatty(STDIN_FILENO)))
        return print_help(err);
    return serve(options.command == OPTIONS_GET ? serve_get : serve_kubelet, &options, err);
}

static int run_as_docker_helper(int argc, char **argv)
{
    const struct options defaults = {0};
    struct error err = {0};
    enum docker_action action;

    if (docker_parse(&action, argc, argv, &err) &&
        (action == DOCKER_GET ? serve(serve_docker, &defaults, &err) : docker_answer(action, &err)))
        return EXIT_SUCCESS;
    settle(EXIT_FAILURE);
    docker_print_error(&err);
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct error err = {0};

    hold_standard_streams();
    harden();
    if (argc > 0 && docker_is_called(argv[0]))
        return run_as_docker_helper(argc, argv);
    if (run_command(argc, argv, &err))
        return EXIT_SUCCESS;
    settle(error_exit_status(&err));
    log_error(&err);
    return error_exit_status(&err);
}
