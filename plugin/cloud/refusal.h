/* What an error code of an Alibaba Cloud API means for the caller. Pure. Codes are matched as
 * prefixes up to a dot, generously, since their spelling differs between services; the status
 * decides only for codes that nobody knows. */
#ifndef CLOUD_REFUSAL_H
#define CLOUD_REFUSAL_H

#include "base/error.h"

enum refusal_reaction {
    REFUSAL_RETRY,     /* temporary: back off, try again */
    REFUSAL_SKEW,      /* our clock is off: take the server's, sign again, once */
    REFUSAL_NONCE,     /* seen before: sign again with a new one, once */
    REFUSAL_RENEW,     /* the STS credentials have ended: fetch them anew, once */
    REFUSAL_RENEW_STS, /* the same if they are STS credentials, else final */
    REFUSAL_FORBIDDEN, /* permission is missing: final */
    REFUSAL_FINAL,     /* anything else: final */
};

struct refusal {
    enum refusal_reaction reaction;
    enum error_kind kind;
    const char *advice; /* "" for REFUSAL_FORBIDDEN, which depends on who asked for what */
};

/* `code` as received, "" if the answer had none; `status` is the HTTP status. */
struct refusal refusal_of(const char *code, long status);

/* Whether it is INSTANCE_NOT_EXIST, however the service spells it. */
bool refusal_is_of_instance(const char *code);

#endif
