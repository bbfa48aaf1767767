/* The docker credential helper protocol (docker/docker-credential-helpers), for when the program is
 * called docker-credential-... . Other than elsewhere, errors go to stdout: clients show it, and
 * compare it with fixed sentences. */
#ifndef CMD_DOCKER_H
#define CMD_DOCKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/run.h"

enum docker_action {
    DOCKER_GET,
    DOCKER_STORE, /* this one and the next succeed without doing anything, for log-ins not to fail
                   */
    DOCKER_ERASE,
    DOCKER_LIST,
    DOCKER_VERSION,
    DOCKER_HELP
};

/* Whether the program was called by the name of a credential helper. */
bool docker_is_called(const char *program);

/* Reads the one argument. Fails with ERROR_USAGE. */
CHECKED bool docker_parse(enum docker_action *out, int argc, char **argv, struct error *err);

/* Answers `get`: reads a server on stdin and prints a log-in for it. A server that neither its name
 * nor the configuration makes an ACR registry is refused without the network, by the sentence that
 * lets clients go on anonymously. */
CHECKED bool docker_get(const struct run *run, int64_t deadline_ms, struct error *err);

/* Answers any other action. */
CHECKED bool docker_answer(enum docker_action action, struct error *err);

/* Prints err to stdout. */
void docker_print_error(const struct error *err);

#endif
