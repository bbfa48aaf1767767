/* The grammar of image references and registry hosts. Pure. */
#ifndef REGISTRY_HOST_H
#define REGISTRY_HOST_H

#include <stdbool.h>

#include "base/auto.h"
#include "base/error.h"

enum host_kind {
    HOST_FOREIGN,    /* outside Alibaba Cloud's domains */
    HOST_ALIBABA,    /* under .cr.aliyuncs.com, in none of the forms below */
    HOST_ENTERPRISE, /* NAME-registry[-intl][-vpc|-internal][.distributed].REGION.cr.aliyuncs.com */
    HOST_PERSONAL,   /* registry[-...].REGION.aliyuncs.com, crpi-ID[-vpc].REGION.personal.cr... */
    HOST_ANONYMOUS,  /* registry-REGION[-vpc].ack.aliyuncs.com: ACK's public images */
};

enum { HOST_NAME_SIZE = 256, HOST_LABEL_SIZE = 64, HOST_AS_ASKED_SIZE = 264 };

struct host {
    enum host_kind kind;
    char as_asked[HOST_AS_ASKED_SIZE];  /* with port, case and trailing dot as they came */
    char name[HOST_NAME_SIZE];          /* lower case, without port and trailing dot */
    char port[8];                       /* ":5000", "" if none */
    char authority[HOST_AS_ASKED_SIZE]; /* name and port */
    char region[HOST_LABEL_SIZE];       /* of Enterprise and Personal hosts */
    char instance[HOST_LABEL_SIZE];     /* name of the instance, of Enterprise hosts */
    bool is_vpc;                        /* the host answers inside VPCs only */
    bool is_new_personal;               /* crpi-..., documented for fixed passwords only */
    const char *path;                   /* of the image, "" or "/team/app:tag"; borrowed from it */
};

/* Takes an image reference, HOST[:PORT][/PATH[:TAG][@DIGEST]], apart and classifies the host by its
 * name. Fails with ERROR_REQUEST if there is no well-formed host in front: labels of letters,
 * digits and inner hyphens of up to 63 bytes, 253 in all (RFC 1123), a port from 1 to 65535. */
CHECKED bool host_parse(struct host *out, const char *image, struct error *err);

/* Whether the name can be a domain of an instance: it has a dot, and its last label does not begin
 * with a digit, which URL parsers may read as an IPv4 address (127.0.0.0x1). */
bool host_can_be_domain(const struct host *host);

#endif
