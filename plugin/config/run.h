/* What every step of one run shares: the settings, the connections, the deadline and the cache. */
#ifndef CONFIG_RUN_H
#define CONFIG_RUN_H

struct settings;
struct http;
struct store;

struct run {
    const struct settings *settings; /* borrowed */
    struct http *http;               /* borrowed; knows the deadline */
    struct store *store;             /* borrowed; the on-node cache, closed until it is needed */
};

#endif
