/* From a request to the answer for it: the whole way. */
#ifndef PROVIDE_H
#define PROVIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/credentials.h"
#include "base/error.h"
#include "config/run.h"
#include "identity/identity.h"
#include "registry/host.h"

struct kubelet_request;

enum { ANSWER_KEY_SIZE = HOST_AS_ASKED_SIZE + 512 };

/* `{0}` is empty. What is known of host and principal is filled in even if provide() fails, for the
 * log. */
struct answer {
    bool has_credentials;
    char host[HOST_AS_ASKED_SIZE]; /* as requested */
    char key[ANSWER_KEY_SIZE];     /* the host with the path of the configuration's match */
    bool depends_on_path;          /* cached per image, else per registry */
    struct token token;
    int64_t remaining_s;                 /* of the token's life, when it was obtained */
    int64_t cache_s;                     /* seconds that the kubelet may cache the answer */
    bool is_from_cache;                  /* else requested from the API in this run */
    char principal[PLAN_PRINCIPAL_SIZE]; /* whose identity it is for, "" if unknown */
};

void provide_answer_clear(struct answer *answer);

/* Whether name or configuration alone make the image's registry one that can have a token: without
 * the network, for callers that ask about every registry there is. */
bool provide_is_ours(const struct run *run, const char *image);

/* Fails with the kinds of error.h; the answer then has no credentials. */
CHECKED bool provide(struct answer *out, const struct run *run,
                     const struct kubelet_request *request, struct error *err);

#endif
