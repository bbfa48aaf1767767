/* What every step of one run shares: the settings, the connections, the deadline and the cache. */
#ifndef CONFIG_RUN_H
#define CONFIG_RUN_H

#include "net/http.h"

struct settings;
struct store;
struct system;

struct run {
    const struct settings *settings; /* borrowed */
    const struct system *system;     /* borrowed */
    struct http http;                /* with the deadline */
    struct store *store;             /* borrowed; the on-node cache, closed until it is needed */
};

#endif
