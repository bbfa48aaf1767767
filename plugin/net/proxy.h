/* The proxy for HTTPS, from the environment as curl(1) reads it. */
#ifndef NET_PROXY_H
#define NET_PROXY_H

#include <stdbool.h>

struct system;

/* Texts are borrowed from the environment, "" if unset. */
struct proxy {
    const char *variable; /* that names it */
    const char *url;
    const char *exceptions; /* hosts that are asked directly */
    bool is_usable;         /* the URL is one, of a proxy; also if there is none */
};

struct proxy proxy_of_environment(const struct system *system);

#endif
