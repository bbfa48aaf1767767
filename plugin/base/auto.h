/* What every file uses: clean up at the end of the scope, move a value out, never drop a result,
 * count an array. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/* The local variable is handed to `clear` (a function that takes its address) on every way out. */
#define AUTO(clear) __attribute__((cleanup(clear)))

/* Moves a value out of a variable: yields it and leaves `{0}`, so that it is not cleared twice. */
#define TAKE(from)                                                                                 \
    __extension__({                                                                                \
        __typeof__(from) taken_ = (from);                                                          \
        (from) = (__typeof__(from)){0};                                                            \
        taken_;                                                                                    \
    })

/* The caller must look at the result: false means that an error waits to be carried up. */
#define CHECKED __attribute__((warn_unused_result))

#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#endif
