/* The clocks. Wall time is Unix seconds and may jump; deadlines are monotonic milliseconds; the age
 * of what is kept on disk is measured since the start of the system. They never meet in one
 * expression. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_s(void);
int64_t clock_mono_ms(void);

/* Milliseconds since the system started, sleep included; no change of the wall clock moves it. */
int64_t clock_boot_ms(void);

/* Sleeps until the monotonic clock shows `mono_ms`; returns at once if it is past. */
void clock_sleep_until(int64_t mono_ms);

#endif
