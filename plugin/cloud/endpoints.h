/* The hosts of an API, and which of them to ask first: the one policy for all services. Pure. */
#ifndef CLOUD_ENDPOINTS_H
#define CLOUD_ENDPOINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/error.h"
#include "config/settings.h"

enum { ENDPOINTS_MAX = 3, ENDPOINTS_URL_SIZE = 320 };

/* Base URLs ("https://host[:port]") that offer the same API, best first. The next one is tried when
 * one is unreachable; what one call learns about them serves the next call. */
struct endpoints {
    char urls[ENDPOINTS_MAX][ENDPOINTS_URL_SIZE];
    size_t count;
    size_t reached;         /* index of the first to try: the last that answered */
    int64_t clock_offset_s; /* how far their clock is ahead of ours, 0 if unknown */
};

enum endpoints_service {
    ENDPOINTS_CR,  /* cr[-vpc].REGION.aliyuncs.com */
    ENDPOINTS_STS, /* sts[-vpc].REGION.aliyuncs.com, and sts.aliyuncs.com, which serves all regions
                    */
};

struct endpoints_wish {
    enum endpoints_service service;
    const char *configured; /* a base URL that replaces all others; NULL if there is none */
    enum settings_network network;
    const char *region; /* a checked label; "" if unknown */
    bool prefers_vpc;   /* with SETTINGS_NETWORK_AUTO: the VPC host first, else public hosts only */
};

/* Replaces `out`. Fails with ERROR_CONFIG if no host can be named without the region. */
CHECKED bool endpoints_choose(struct endpoints *out, const struct endpoints_wish *wish,
                              struct error *err);

#endif
