#include "identity/external.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/system.h"
#include "identity/explain.h"
#include "proto-json/credentials_reply.h"

void external_clear(struct external_command *command)
{
    for (size_t i = 0; command->argv[i] != NULL; i++) {
        free(command->argv[i]);
        command->argv[i] = NULL;
    }
}

/* Appends one word from `*at` on, up to a blank outside quotes. */
static bool read_word(struct buf *word, const char **at, struct error *err)
{
    char quote = '\0';

    for (; **at != '\0' && (quote != '\0' || strchr(" \t\r\n", **at) == NULL); (*at)++) {
        char c = **at;
        char next = (*at)[1];

        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'') {
            if (next == '\0')
                return error_set(err, ERROR_CONFIG, "the command ends with a backslash");
            if (quote == '"' && strchr("\"\\$`\n", next) == NULL)
                buf_append(word, "\\", 1);
            if (next != '\n')
                buf_append(word, &next, 1);
            (*at)++;
        } else {
            buf_append(word, &c, 1);
        }
    }
    return quote == '\0' || error_set(err, ERROR_CONFIG, "the command has an open quote");
}

bool external_split(struct external_command *out, const char *text, struct error *err)
{
    *out = (struct external_command){{0}};
    for (size_t count = 0;; count++) {
        struct buf word AUTO(buf_clear) = {0};

        text += strspn(text, " \t\r\n");
        if (*text == '\0')
            return count > 0 || error_set(err, ERROR_CONFIG, "the command is empty");
        if (count == EXTERNAL_ARGUMENTS_MAX)
            return error_set(err, ERROR_CONFIG, "the command has more than %d arguments",
                             EXTERNAL_ARGUMENTS_MAX);
        if (!read_word(&word, &text, err))
            return false;
        out->argv[count] = alloc_string(buf_text(&word));
    }
}

/* -- the child -- */

/* The process group of the command that runs, 0 if none does: for signal handlers. */
static volatile sig_atomic_t running_group;

void external_abandon(void)
{
    if (running_group == 0)
        return;
    (void)kill(-(pid_t)running_group, SIGKILL);
    (void)kill((pid_t)running_group, SIGKILL); /* it may not have its own group yet */
}

static void on_end(int number)
{
    external_abandon();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* Signals that end this process end the command too; they are blocked while the command starts. */
struct signals {
    struct sigaction before[4];
    sigset_t mask_before;
};

/* SIGCHLD: if our parent has set it to SIG_IGN, there would be no exit status to wait for. */
static const int caught[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};

static void catch_signals(struct signals *signals)
{
    sigset_t blocked;

    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGALRM);
    for (size_t i = 0; i < COUNT_OF(caught); i++) {
        const struct sigaction action = {.sa_handler = caught[i] == SIGCHLD ? SIG_DFL : on_end};

        (void)sigaddset(&blocked, caught[i]);
        (void)sigaction(caught[i], NULL, &signals->before[i]);
        /* Signals that our parent has set to SIG_IGN stay ignored. */
        if (caught[i] == SIGCHLD || signals->before[i].sa_handler != SIG_IGN)
            (void)sigaction(caught[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, &signals->mask_before);
}

static void restore_signals(const struct signals *signals)
{
    for (size_t i = 0; i < COUNT_OF(caught); i++)
        (void)sigaction(caught[i], &signals->before[i], NULL);
}

/* Both ends of a pipe; -1 where closed. */
struct pipe_ends {
    int read;
    int write;
};

static void close_end(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
    *descriptor = -1;
}

static void close_pipe(struct pipe_ends *ends)
{
    close_end(&ends->read);
    close_end(&ends->write);
}

static bool open_pipe(struct pipe_ends *ends, struct error *err)
{
    int both[2];

    if (pipe2(both, O_CLOEXEC) != 0)
        return error_set(err, ERROR_INTERNAL, "no pipe: %s", strerror(errno));
    *ends = (struct pipe_ends){both[0], both[1]};
    return true;
}

enum { DESCRIPTORS_MAX = 1024 };

/* In the child: a process group of its own, so that all of it can be killed; killed with its
 * parent; nothing on stdin, nothing kept of stderr, no other descriptor. Writes errno to `failure`
 * if it cannot start. */
static _Noreturn void exec_child(const struct external_command *command, int output, int failure,
                                 const sigset_t *mask)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    int reason;

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, mask, NULL);
    /* Our own are all close-on-exec, but libcurl's socket pairs are not (7.88). */
    for (int descriptor = STDERR_FILENO + 1; descriptor < DESCRIPTORS_MAX; descriptor++)
        (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        dup2(null, STDERR_FILENO) >= 0)
        (void)execvp(command->argv[0], command->argv);
    reason = errno;
    _exit(write(failure, &reason, sizeof reason) == sizeof reason ? EXIT_FAILURE : 127);
}

static void kill_child(pid_t pid)
{
    (void)kill(-pid, SIGKILL);
    (void)kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* -- the parent -- */

enum { CHUNK_BYTES = 4096 };

/* A command that runs. */
struct child {
    pid_t pid;
    bool has_ended;
    int status; /* once it has ended */
    struct pollfd stream;
    struct buf *output;
    size_t max_bytes;
};

/* Reads what is available within `wait_ms`; false if nothing is. */
static bool read_available(struct child *child, int wait_ms)
{
    char chunk[CHUNK_BYTES];
    ssize_t got;

    if (poll(&child->stream, 1, wait_ms) <= 0)
        return false;
    got = read(child->stream.fd, chunk, sizeof chunk);
    if (got > 0)
        buf_append(child->output, chunk, (size_t)got);
    else if (got == 0 || errno != EINTR)
        child->stream.fd = -1;
    explicit_bzero(chunk, sizeof chunk);
    return true;
}

/* Reads until the command has ended. Processes that it leaves in the background may keep the pipe
 * open for longer; they are not waited for. False at the deadline or when there is too much output.
 */
static bool wait_for_exit(struct child *child, int64_t deadline_ms)
{
    enum { POLL_MS = 10 };

    while (!child->has_ended) {
        if (system_mono_ms() >= deadline_ms)
            return false;
        (void)read_available(child, POLL_MS);
        child->has_ended = waitpid(child->pid, &child->status, WNOHANG) == child->pid;
        while (child->has_ended && child->output->length <= child->max_bytes &&
               system_mono_ms() < deadline_ms && read_available(child, 0))
            continue;
        if (child->output->length > child->max_bytes)
            return false;
    }
    return true;
}

static bool check_exit(const struct child *child, bool in_time, struct error *err)
{
    if (child->output->length > child->max_bytes)
        return error_set(err, ERROR_UNAVAILABLE, "it printed more than %zu bytes",
                         child->max_bytes);
    if (!in_time)
        return error_set(err, ERROR_TEMPORARY, "it did not end in time");
    if (WIFSIGNALED(child->status))
        return error_set(err, ERROR_UNAVAILABLE, "it was ended by signal %d",
                         WTERMSIG(child->status));
    return WEXITSTATUS(child->status) == 0 ||
           error_set(err, ERROR_UNAVAILABLE, "exit status %d", WEXITSTATUS(child->status));
}

/* Waits until the command runs, which closes its end of the pipe. */
static bool wait_for_start(int failure, const char *name, int64_t deadline_ms, struct error *err)
{
    struct pollfd stream = {.fd = failure, .events = POLLIN};
    int64_t left_ms = deadline_ms - system_mono_ms();
    int reason = 0;

    if (left_ms <= 0 || poll(&stream, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) <= 0)
        return error_set(err, ERROR_TEMPORARY, "it did not start in time");
    if (read(failure, &reason, sizeof reason) != (ssize_t)sizeof reason)
        return true;
    return error_set(err, ERROR_UNAVAILABLE, "cannot start %s: %s", name, strerror(reason));
}

bool external_run(struct buf *out, const struct external_command *command, size_t max_bytes,
                  int64_t deadline_ms, struct error *err)
{
    struct pipe_ends output AUTO(close_pipe) = {-1, -1};
    struct pipe_ends failure AUTO(close_pipe) = {-1, -1};
    struct child child = {.output = out, .max_bytes = max_bytes};
    struct signals signals;
    bool succeeded;

    if (!open_pipe(&output, err) || !open_pipe(&failure, err))
        return false;
    catch_signals(&signals);
    child.pid = fork();
    if (child.pid == 0)
        exec_child(command, output.write, failure.write, &signals.mask_before);
    running_group = child.pid > 0 ? child.pid : 0;
    (void)sigprocmask(SIG_SETMASK, &signals.mask_before, NULL);
    if (child.pid < 0) {
        restore_signals(&signals);
        return error_set(err, ERROR_INTERNAL, "no process: %s", strerror(errno));
    }
    /* On both sides, so that the group exists for whoever comes first. */
    (void)setpgid(child.pid, child.pid);
    close_end(&output.write);
    close_end(&failure.write);
    child.stream = (struct pollfd){.fd = output.read, .events = POLLIN};
    succeeded = wait_for_start(failure.read, command->argv[0], deadline_ms, err) &&
                check_exit(&child, wait_for_exit(&child, deadline_ms), err);
    if (!child.has_ended)
        kill_child(child.pid);
    running_group = 0;
    restore_signals(&signals);
    return succeeded;
}

bool external_fetch(struct credentials *out, const struct run *run, const char *command,
                    struct error *err)
{
    struct external_command arguments AUTO(external_clear) = {{0}};
    struct buf answer AUTO(buf_clear) = {0};

    if (!external_split(&arguments, command, err))
        return error_advise(err, ADVICE_COMMAND_LINE);
    return (external_run(&answer, &arguments, CREDENTIALS_REPLY_MAX_BYTES, run->http.deadline_ms,
                         err) &&
            credentials_reply_decode(out, CREDENTIALS_REPLY_PROCESS, answer.bytes, answer.length,
                                     err)) ||
           error_advise(err, ADVICE_COMMAND);
}
