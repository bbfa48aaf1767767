#include "cmd/docker.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/system.h"
#include "base/text.h"
#include "proto-json/kubelet_request.h"
#include "proto-json/login.h"
#include "provide.h"

/* Clients compare errors with these sentences. */
#define NOT_FOUND "credentials not found in native keychain"
#define NO_SERVER "no credentials server URL"

#define USAGE "usage: docker-credential-aliyun-acr get|store|erase|list|version"

/* As long as the reference implementation allows. */
enum { INPUT_MAX_BYTES = 64 * 1024, STORE_WAIT_MS = 5000 };

bool docker_is_called(const char *program)
{
    const char *slash = strrchr(program, '/');

    return text_starts_with(slash == NULL ? program : slash + 1, "docker-credential-");
}

static bool read_input(struct buf *out, int64_t deadline_ms, struct error *err)
{
    return file_read_stream(out, STDIN_FILENO, INPUT_MAX_BYTES, deadline_ms, err);
}

/* Fails if the kubelet's request was read, since its configuration names the helper in place of the
 * provider. */
static bool refuse_request(const struct buf *input, struct error *err)
{
    const char *text = buf_text(input);

    if (text[strspn(text, " \t\r\n")] != '{' || strstr(text, "CredentialProviderRequest") == NULL)
        return true;
    return error_set_advised(err, ERROR_USAGE,
                             "In the kubelet's configuration, name aliyun-acr-credential-provider "
                             "instead, without args",
                             "the kubelet's CredentialProviderRequest was sent to "
                             "docker-credential-aliyun-acr, a helper for docker");
}

/* "https://HOST/v2/" -> "HOST". False for what cannot be an ACR registry. */
static bool take_host(char *out, size_t size, const char *server)
{
    static const char *const api_paths[] = {"", "/", "/v1", "/v1/", "/v2", "/v2/"};
    const char *host = text_starts_with(server, "https://") ? server + strlen("https://") : server;
    size_t length = strcspn(host, "/");

    if (!text_is_visible(server) || strstr(host, "://") != NULL || !text_copy(out, size, host))
        return false;
    for (size_t i = 0; i < COUNT_OF(api_paths); i++) {
        if (strcmp(host + length, api_paths[i]) == 0)
            out[length] = '\0';
    }
    return true;
}

bool docker_run(struct answer *out, const struct run *run, const struct options *options,
                struct error *err)
{
    struct buf input AUTO(buf_clear) = {0};
    struct buf text AUTO(buf_clear) = {0};
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};
    const char *server;

    (void)options;
    if (!read_input(&input, run->http.deadline_ms, err))
        return error_advise(err, "Write the URL of a registry on standard input, and close it");
    if (!refuse_request(&input, err))
        return false;
    if (memchr(buf_text(&input), '\0', input.length) != NULL)
        return error_set(err, ERROR_VERBATIM, NOT_FOUND);
    server = input.length == 0 ? "" : text_trim(input.bytes);
    if (server[0] == '\0')
        return error_set(err, ERROR_VERBATIM, NO_SERVER);
    if (!take_host(request.image, sizeof request.image, server) ||
        !provide_is_ours(run, request.image))
        return error_set(err, ERROR_VERBATIM, NOT_FOUND);
    if (!provide(out, run, &request, err))
        return error_wrap(err, "%.200s", server);
    if (!out->has_credentials)
        return error_set(err, ERROR_VERBATIM, NOT_FOUND);
    login_append_helper(&text, server, &out->token);
    return file_write_all(STDOUT_FILENO, text.bytes, text.length, err);
}

bool docker_answer(bool *is_get, int argc, char **argv, struct error *err)
{
    static const char version[] =
        "docker-credential-aliyun-acr (aliyun-acr-credential-provider) " PROVIDER_VERSION "\n";
    static const char help[] =
        USAGE "\n\n"
              "A docker credential helper for Alibaba Cloud Container Registry: in "
              "~/.docker/config.json,\n"
              "{\"credHelpers\": {\"HOST\": \"aliyun-acr\"}}.\n";
    static const struct {
        const char *word;
        const char *output; /* NULL for get */
        bool reads_input;   /* and drops it, because a client whose pipe breaks fails */
    } actions[] = {
        {"get", NULL, false},    {"store", "", true},         {"erase", "", true},
        {"list", "{}\n", false}, {"version", version, false}, {"--version", version, false},
        {"-v", version, false},  {"help", help, false},       {"--help", help, false},
        {"-h", help, false},
    };
    struct buf dropped AUTO(buf_clear) = {0};
    size_t i = 0;

    while (argc == 2 && i < COUNT_OF(actions) && strcmp(argv[1], actions[i].word) != 0)
        i++;
    if (argc != 2 || i == COUNT_OF(actions)) {
        /* Nothing makes the kubelet say `get`. */
        if (!isatty(STDIN_FILENO) && read_input(&dropped, system_mono_ms() + STORE_WAIT_MS, err) &&
            !refuse_request(&dropped, err))
            return false;
        return error_set(err, ERROR_VERBATIM, USAGE);
    }
    *is_get = actions[i].output == NULL;
    if (actions[i].reads_input && !read_input(&dropped, system_mono_ms() + STORE_WAIT_MS, err))
        *err = (struct error){0};
    return *is_get ||
           file_write_all(STDOUT_FILENO, actions[i].output, strlen(actions[i].output), err);
}
