/* Random numbers from the kernel: nonces that must not repeat, jitter that spreads a fleet. */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `length` (at most 256) bytes. Ends the process when the kernel has no randomness to give.
 */
void random_bytes(void *out, size_t length);

/* A number from 0 to `below` - 1, evenly enough for jitter; 0 if `below` is not positive. */
int64_t random_below(int64_t below);

#endif
