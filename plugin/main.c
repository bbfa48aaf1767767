/* argv, hardening, one error line, exit status. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/system.h"
#include "cmd/completion.h"
#include "cmd/config.h"
#include "cmd/docker.h"
#include "cmd/kubelet.h"
#include "cmd/options.h"
#include "cmd/report.h"
#include "config/load.h"
#include "config/run.h"
#include "config/settings.h"
#include "doctor/doctor.h"
#include "identity/external.h"
#include "kubelet/yaml_tree.h"
#include "net/http.h"
#include "proto-json/doc.h"
#include "provide.h"

/* The descriptor of a closed standard stream would be reused by the next file or socket, and an
 * answer be written into that. What is opened in its place fails every use. */
static void hold_standard_streams(void)
{
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (fcntl(descriptor, F_GETFD) < 0 &&
            open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) != descriptor)
            _exit(EX_OSERR);
    }
}

/* Secrets pass through this process: no core dumps, no debugger of the same user, and no file with
 * TLS keys, which libcurl writes where SSLKEYLOGFILE says. Whoever calls a set-user-id file
 * controls its environment, which therefore does not count. */
static void harden(void)
{
    const struct rlimit none = {0};

    if (getauxval(AT_SECURE) != 0)
        (void)clearenv();
    (void)unsetenv("SSLKEYLOGFILE");
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    /* So that these writes fail instead of ending the process. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

/* Set once nothing can change the exit status any more; negative before. */
static volatile sig_atomic_t final_exit_status = -1;

static void on_alarm(int unused)
{
    static const char message[] =
        "aliyun-acr-credential-provider: timed out: a system call did not return before the "
        "deadline. Check name resolution and file systems of the node\n";
    struct pollfd stderr_state = {.fd = STDERR_FILENO, .events = POLLOUT};

    (void)unused;
    external_abandon(); /* NOLINT(bugprone-signal-handler,cert-sig30-c): it calls kill(2) only */
    if (final_exit_status >= 0)
        _exit(final_exit_status);
    /* Not if it would block: a full pipe may be what has blocked before. */
    if (poll(&stderr_state, 1, 0) == 1 && write(STDERR_FILENO, message, sizeof message - 1) < 0)
        _exit(EX_SOFTWARE);
    _exit(EX_TEMPFAIL);
}

/* Every step respects the deadline by itself; this is for system calls that block beyond it. Our
 * parent may have blocked the signal. */
static void start_watchdog(int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms + 500 - system_mono_ms();
    struct itimerval after = {.it_value = {.tv_usec = 1}};
    sigset_t alarm;

    if (left_ms > 0)
        after.it_value = (struct timeval){.tv_sec = (time_t)(left_ms / 1000),
                                          .tv_usec = (suseconds_t)(left_ms % 1000 * 1000)};
    (void)signal(SIGALRM, on_alarm);
    (void)sigemptyset(&alarm);
    (void)sigaddset(&alarm, SIGALRM);
    (void)sigprocmask(SIG_UNBLOCK, &alarm, NULL);
    (void)setitimer(ITIMER_REAL, &after, NULL);
}

/* From here on keep this exit status; allow 5 s to print the error and to log. */
static void fix_exit_status(int status)
{
    enum { PRINT_MS = 5000 };

    start_watchdog(system_mono_ms() + PRINT_MS);
    final_exit_status = status;
}

typedef bool front_end(struct answer *out, const struct run *run, const struct options *options,
                       struct error *err);

static bool serve(front_end *run_front_end, struct answer *out, int64_t started_ms,
                  const struct options *options, struct error *err)
{
    struct settings settings AUTO(settings_clear) = {0};
    struct http_transport *transport AUTO(http_curl_close) = http_curl_open();
    struct run run = {.settings = &settings,
                      .system = &system_real,
                      .http = {.system = &system_real, .transport = transport}};
    bool is_loaded;

    start_watchdog(started_ms + SETTINGS_DEADLINE_DEFAULT_S * INT64_C(1000));
    is_loaded = load_settings(&settings, &system_real, options->config_path, options->flags, err);
    log_configure(settings.log.level, settings.log.destination);
    if (!is_loaded)
        return false;
    run.http.deadline_ms = started_ms + settings.deadline_s * 1000;
    start_watchdog(run.http.deadline_ms);
    if (!run_front_end(out, &run, options, err))
        return false;
    /* The whole answer has been written: whatever blocks now, the run has succeeded. */
    final_exit_status = EXIT_SUCCESS;
    return true;
}

static bool print_text(const struct options *options, struct error *err)
{
    struct buf text AUTO(buf_clear) = {0};

    if (options->command == OPTIONS_COMPLETION)
        completion_append(&text, options->words.values[0]);
    else if (options->command == OPTIONS_VERSION)
        buf_append_format(&text,
                          "aliyun-acr-credential-provider %s\n%s\n%s\njson-c %s\nlibyaml %s\n",
                          PROVIDER_VERSION, http_curl_version(), digest_library_version(),
                          doc_library_version(), yaml_tree_library_version());
    else
        options_append_help(&text, options->words.values[0]);
    return file_write_all(STDOUT_FILENO, text.bytes, text.length, err);
}

static bool check_node(int *status, int64_t started_ms, const struct options *options,
                       struct error *err)
{
    enum { LONGEST_MS = 600000 }; /* of each image */
    bool is_healthy = false;

    start_watchdog(started_ms + LONGEST_MS * (int64_t)(options->words.count + 1));
    if (!doctor_run(&is_healthy, options, err))
        return false;
    *status = is_healthy ? EXIT_SUCCESS : EXIT_FAILURE;
    return true;
}

static bool run_command(struct answer *out, int *status, int64_t started_ms, int argc, char **argv,
                        struct error *err)
{
    struct options options;

    if (!options_parse(&options, argc, argv, err))
        return false;
    /* Nobody types a request: on a terminal, help is wanted. */
    if (options.command == OPTIONS_KUBELET && isatty(STDIN_FILENO))
        options.command = OPTIONS_HELP;
    if (options.command == OPTIONS_KUBELET || options.command == OPTIONS_GET)
        return serve(options.command == OPTIONS_GET ? kubelet_get : kubelet_run, out, started_ms,
                     &options, err);
    if (options.command == OPTIONS_CONFIG)
        return config_run(&options, &system_real, err);
    if (options.command == OPTIONS_DOCTOR)
        return check_node(status, started_ms, &options, err);
    return print_text(&options, err);
}

static bool run_docker_helper(struct answer *out, int64_t started_ms, int argc, char **argv,
                              struct error *err)
{
    const struct options defaults = {0};
    bool is_get = false;

    return docker_answer(&is_get, argc, argv, err) &&
           (!is_get || serve(docker_run, out, started_ms, &defaults, err));
}

static bool print_line(int descriptor, const char *name, const char *line)
{
    struct buf text AUTO(buf_clear) = {0};
    struct error ignored;

    buf_append_format(&text, "%s%s\n", name, line);
    return file_write_all(descriptor, text.bytes, text.length, &ignored);
}

/* One line: on stderr, which the kubelet logs, or on stdout, where the clients of a credential
 * helper look for it. On both if the kubelet has called the helper, which is an ERROR_USAGE. */
static void print_error(const struct error *err, bool is_docker)
{
    char line[ERROR_LINE_SIZE];
    bool is_printed = true;

    error_format(err, line, sizeof line);
    /* Printed first, since syslog may block. A protocol's own sentences are answers rather than
     * failures; the log has them only if they cannot be printed. */
    if (!is_docker || err->kind == ERROR_USAGE)
        is_printed = print_line(STDERR_FILENO, "aliyun-acr-credential-provider: ", line);
    if (is_docker)
        is_printed = print_line(STDOUT_FILENO, "", line) && is_printed;
    if (!is_printed || err->kind != ERROR_VERBATIM)
        log_error(err);
}

int main(int argc, char **argv)
{
    int64_t started_ms = system_mono_ms();
    struct answer answer AUTO(provide_answer_clear) = {0};
    struct error err = {0};
    struct buf report AUTO(buf_clear) = {0};
    int status = EXIT_SUCCESS;
    bool is_docker;
    bool succeeded;

    hold_standard_streams();
    harden();
    is_docker = argc > 0 && docker_is_called(argv[0]);
    if (is_docker)
        succeeded = run_docker_helper(&answer, started_ms, argc, argv, &err);
    else
        succeeded = run_command(&answer, &status, started_ms, argc, argv, &err);
    if (!succeeded)
        status = is_docker ? EXIT_FAILURE : error_exit_status(&err);
    fix_exit_status(status);
    if (!succeeded)
        print_error(&err, is_docker);
    report_append(&report, &answer, &err, status, system_mono_ms() - started_ms);
    log_info("%s", report.bytes);
    return status;
}
