#include "identity/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"

enum {
    STDERR_MAX_BYTES = 4096,
    STDERR_SHOWN_BYTES = 300,
    DESCRIPTORS_MAX = 1024,
    EXEC_FAILED = 127
};

/* The process group of the command that runs, 0 if none does: for signal handlers. */
static volatile sig_atomic_t running_group;

void command_clear(struct command *command)
{
    for (size_t i = 0; command->words[i] != NULL; i++) {
        free(command->words[i]);
        command->words[i] = NULL;
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

/* Fills `out` word by word, so that it can be cleared whatever comes. */
static bool split(struct command *out, const char *text, struct error *err)
{
    for (size_t count = 0;; count++) {
        struct buf word AUTO(buf_clear) = {0};

        text += strspn(text, " \t\r\n");
        if (*text == '\0')
            return count > 0 || error_set(err, ERROR_CONFIG, "the command is empty");
        if (count == COMMAND_WORDS_MAX)
            return error_set(err, ERROR_CONFIG, "the command has more than %d words",
                             COMMAND_WORDS_MAX);
        if (!read_word(&word, &text, err))
            return false;
        out->words[count] = alloc_string(buf_text(&word));
    }
}

bool command_split(struct command *out, const char *text, struct error *err)
{
    *out = (struct command){{0}};
    if (split(out, text, err))
        return true;
    command_clear(out);
    return false;
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

static bool open_pipe(struct pipe_ends *ends)
{
    int both[2];

    if (pipe2(both, O_CLOEXEC) != 0)
        return false;
    *ends = (struct pipe_ends){both[0], both[1]};
    return true;
}

static void close_others(void)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0) == 0)
        return;
#endif
    for (int descriptor = STDERR_FILENO + 1; descriptor < DESCRIPTORS_MAX; descriptor++)
        (void)close(descriptor);
}

/* The child: its own process group, so that all of it can be killed, ended with its parent, without
 * our descriptors and with the usual signals. */
static _Noreturn void become(const struct command *command, const struct pipe_ends *output,
                             const struct pipe_ends *complaint, const sigset_t *usual)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)signal(SIGXFSZ, SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, usual, NULL);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output->write, STDOUT_FILENO) >= 0 &&
        dup2(complaint->write, STDERR_FILENO) >= 0) {
        close_others();
        (void)execvp(command->words[0], command->words);
        (void)dprintf(STDERR_FILENO, "cannot start %s: %s", command->words[0], strerror(errno));
    }
    _exit(EXEC_FAILED);
}

enum { CHUNK_BYTES = 4096 };

/* Takes what has come. False at the end of the stream. */
static bool take_some(struct buf *out, int descriptor)
{
    char chunk[CHUNK_BYTES];
    ssize_t got = read(descriptor, chunk, sizeof chunk);

    if (got > 0)
        buf_append(out, chunk, (size_t)got);
    explicit_bzero(chunk, sizeof chunk);
    return got > 0 || (got < 0 && errno == EINTR);
}

/* Keeps the last bytes only: of too many words, they tell most. */
static void keep_last(struct buf *text, size_t max_bytes)
{
    if (text->length <= max_bytes)
        return;
    memmove(text->bytes, text->bytes + text->length - max_bytes, max_bytes + 1);
    text->length = max_bytes;
}

/* A command that runs, and what it has said so far. */
struct conversation {
    pid_t child;
    bool has_ended;
    int status; /* once it has ended */
    struct pollfd streams[2];
    struct buf *output;
    struct buf complaint;
    size_t max_bytes;
    command_hider *hide;
};

/* Takes what has come within `wait_ms`; false if nothing has. */
static bool hear(struct conversation *with, int wait_ms)
{
    struct pollfd *streams = with->streams;

    if (poll(streams, 2, wait_ms) <= 0)
        return false;
    if (streams[0].revents != 0 && !take_some(with->output, streams[0].fd))
        streams[0].fd = -1;
    if (streams[1].revents != 0 && !take_some(&with->complaint, streams[1].fd))
        streams[1].fd = -1;
    keep_last(&with->complaint, STDERR_MAX_BYTES);
    return true;
}

/* Reads both streams until the command has ended. What it leaves in the background may hold them
 * open for longer; nobody waits for that. False at the deadline or when there is too much output.
 */
static bool hear_out(struct conversation *with, int64_t deadline_ms)
{
    enum { NAP_MS = 10 };

    while (!with->has_ended) {
        if (clock_mono_ms() >= deadline_ms)
            return false;
        (void)hear(with, NAP_MS);
        with->has_ended = waitpid(with->child, &with->status, WNOHANG) == with->child;
        while (with->has_ended && with->output->length <= with->max_bytes &&
               clock_mono_ms() < deadline_ms && hear(with, 0))
            continue;
        if (with->output->length > with->max_bytes)
            return false;
    }
    return true;
}

static void kill_all(pid_t child)
{
    (void)kill(-child, SIGKILL);
    (void)kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        continue;
}

/* Covers the values of keys that hold secrets in the documents that such commands print: some print
 * them to stderr too when they are asked to tell more. */
static void cover_secrets(char *text)
{
    static const char *const keys[] = {"access_key_secret", "accesskeysecret", "sts_token",
                                       "securitytoken", "security_token"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        for (char *at = text; (at = strcasestr(at, keys[i])) != NULL;) {
            at += strlen(keys[i]);
            at += strspn(at, "\"'\\:= \t");
            for (; *at != '\0' && strchr("\"'\\, \t\r\n}", *at) == NULL; at++)
                *at = '*';
        }
    }
}

/* The last of what the command wrote to stderr, as it is most likely the reason. */
static const char *last_words_of(const struct conversation *with)
{
    const struct buf *complaint = &with->complaint;
    char *text = complaint->bytes;
    size_t length;

    if (complaint->length == 0)
        return "";
    for (size_t i = 0; i < complaint->length; i++) {
        if (text[i] == '\0')
            text[i] = '?';
    }
    cover_secrets(text);
    text = text_trim(text);
    with->hide(text, with->output);
    length = strlen(text);
    return text + (length > STDERR_SHOWN_BYTES ? length - STDERR_SHOWN_BYTES : 0);
}

/* Ends the command if it has not ended by itself, and says how it went. */
static bool finish(struct conversation *with, bool in_time, struct error *err)
{
    const char *last_words;
    const char *colon;

    if (!with->has_ended)
        kill_all(with->child);
    last_words = last_words_of(with);
    colon = last_words[0] == '\0' ? "" : ": ";
    if (with->output->length > with->max_bytes)
        return error_set(err, ERROR_UNAVAILABLE, "it printed more than %zu bytes", with->max_bytes);
    if (!in_time)
        return error_set(err, ERROR_TEMPORARY, "it did not end in time%s%s", colon, last_words);
    if (WIFSIGNALED(with->status))
        return error_set(err, ERROR_UNAVAILABLE, "it was ended by signal %d%s%s",
                         WTERMSIG(with->status), colon, last_words);
    return WEXITSTATUS(with->status) == 0 ||
           error_set(err, ERROR_UNAVAILABLE, "exit status %d%s%s", WEXITSTATUS(with->status), colon,
                     last_words);
}

/* Whoever ends this process ends what it started. */
static void on_end(int number)
{
    command_abandon();
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* But for what whoever started us has us ignore. They are held back until there is something to
 * end; `usual` is what was held back before. */
static void catch_ends(sigset_t *usual)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    sigset_t held;

    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGALRM);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        (void)sigaddset(&held, numbers[i]);
        if (signal(numbers[i], on_end) == SIG_IGN)
            (void)signal(numbers[i], SIG_IGN);
    }
    (void)sigprocmask(SIG_BLOCK, &held, usual);
}

bool command_run(struct buf *out, const struct command *command, size_t max_bytes,
                 int64_t deadline_ms, command_hider *hide, struct error *err)
{
    struct pipe_ends output AUTO(close_pipe) = {-1, -1};
    struct pipe_ends complaint AUTO(close_pipe) = {-1, -1};
    struct conversation with = {.output = out, .max_bytes = max_bytes, .hide = hide};
    sigset_t usual;
    bool succeeded;

    if (!open_pipe(&output) || !open_pipe(&complaint))
        return error_set(err, ERROR_INTERNAL, "no pipe: %s", strerror(errno));
    /* If whoever started us ignores it, there would be no exit status to wait for. */
    (void)signal(SIGCHLD, SIG_DFL);
    catch_ends(&usual);
    with.child = fork();
    if (with.child == 0)
        become(command, &output, &complaint, &usual);
    running_group = with.child > 0 ? with.child : 0;
    (void)sigprocmask(SIG_SETMASK, &usual, NULL);
    if (with.child < 0)
        return error_set(err, ERROR_INTERNAL, "no process: %s", strerror(errno));
    /* On both sides, so that the group is there for whoever comes first. */
    (void)setpgid(with.child, with.child);
    close_end(&output.write);
    close_end(&complaint.write);
    with.streams[0] = (struct pollfd){.fd = output.read, .events = POLLIN};
    with.streams[1] = (struct pollfd){.fd = complaint.read, .events = POLLIN};
    succeeded = finish(&with, hear_out(&with, deadline_ms), err);
    running_group = 0;
    buf_clear(&with.complaint);
    return succeeded;
}

void command_abandon(void)
{
    if (running_group == 0)
        return;
    (void)kill(-(pid_t)running_group, SIGKILL);
    (void)kill((pid_t)running_group, SIGKILL); /* should it have no group of its own yet */
}
