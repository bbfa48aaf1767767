/* What every file uses: clean up at the end of the scope, never drop a result, count an array. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/* The local variable is handed to `clear` (a function that takes its address) on every way out. */
#define AUTO(clear) __attribute__((cleanup(clear)))

/* The caller must look at the result: false means that an error waits to be carried up. */
#define CHECKED __attribute__((warn_unused_result))

#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#endif
