/* What every step of one run shares. The cache does not belong to it: it is handed to those steps
 * that may keep something. */
#ifndef CONFIG_RUN_H
#define CONFIG_RUN_H

#include "net/http.h"

struct settings;
struct system;

struct run {
    const struct settings *settings; /* borrowed */
    const struct system *system;     /* borrowed */
    struct http http;                /* with the deadline */
};

#endif
