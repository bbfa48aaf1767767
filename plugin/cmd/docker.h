/* The docker credential helper protocol (docker/docker-credential-helpers), for when the program is
 * called docker-credential-... . Unlike elsewhere, errors go to stdout: clients show them, and
 * compare them with fixed sentences (ERROR_VERBATIM). ERROR_USAGE goes to stderr too: it is for the
 * kubelet, which sends its request where its configuration names the helper. */
#ifndef CMD_DOCKER_H
#define CMD_DOCKER_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

struct answer;
struct options;

/* Whether the program was called by the name of a credential helper. */
bool docker_is_called(const char *program);

/* Reads the one argument and answers every action but `get`. `store` and `erase` do nothing, so
 * that logging in and out succeeds. */
CHECKED bool docker_answer(bool *is_get, int argc, char **argv, struct error *err);

/* Answers `get`: reads a server on stdin and prints a login for it; `options` are not used. A
 * server that neither its name nor the configuration makes an ACR registry is refused without the
 * network, with the sentence after which clients continue anonymously. On failure `out` has what is
 * known, for the log. */
CHECKED bool docker_run(struct answer *out, const struct run *run, const struct options *options,
                        struct error *err);

#endif
