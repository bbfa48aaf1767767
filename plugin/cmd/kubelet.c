#include "cmd/kubelet.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "proto-json/kubelet_request.h"
#include "proto-json/kubelet_response.h"
#include "provide.h"

bool kubelet_print(const char *api_version, const struct answer *answer, struct error *err)
{
    struct buf document AUTO(buf_clear) = {0};
    const struct kubelet_response response = {
        .api_version = api_version,
        .auth_key = answer->has_credentials ? answer->key : NULL,
        .user = answer->token.user,
        .password = &answer->token.password,
        .cache_key_type = answer->depends_on_path ? "Image" : "Registry",
        .cache_duration_s = answer->cache_s,
    };

    kubelet_response_append(&document, &response);
    return file_write_all(STDOUT_FILENO, document.bytes, document.length, err);
}

bool kubelet_run(struct answer *out, const struct run *run, const struct options *options,
                 struct error *err)
{
    struct buf input AUTO(buf_clear) = {0};
    struct kubelet_request request AUTO(kubelet_request_clear) = {0};

    (void)options;
    if (!file_read_stream(&input, STDIN_FILENO, KUBELET_REQUEST_MAX_BYTES, run->http.deadline_ms,
                          err) ||
        !kubelet_request_decode(&request, input.bytes, input.length, err))
        return error_wrap(err, "request on stdin");
    if (!provide(out, run, &request, err))
        return error_wrap(err, "image %.200s", request.image);
    return kubelet_print(request.api_version, out, err);
}
