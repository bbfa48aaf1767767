/* Scripts with which shells complete command lines. */
#ifndef CMD_COMPLETION_H
#define CMD_COMPLETION_H

#include "base/buf.h"

/* Appends the script of a shell: "bash", "zsh" or "fish". It needs nothing but that shell. */
void completion_append(struct buf *out, const char *shell);

#endif
