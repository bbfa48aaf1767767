/* What every step of one run shares: the settings, the connections and the deadline. */
#ifndef BASE_RUN_H
#define BASE_RUN_H

struct settings;
struct http;

struct run {
    const struct settings *settings; /* borrowed */
    struct http *http;               /* borrowed; knows the deadline */
};

#endif
