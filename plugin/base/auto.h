/* What every file uses: clean up at the end of the scope, move a value out, never drop a result,
 * count an array. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

/* Calls `clear` with the address of the local variable at the end of its scope. */
#define AUTO(clear) __attribute__((cleanup(clear)))

/* Moves a value out of a variable: yields it and leaves `{0}`, so that it is not cleared twice. */
#define TAKE(from)                                                                                 \
    __extension__({                                                                                \
        __typeof__(from) taken_ = (from);                                                          \
        (from) = (__typeof__(from)){0};                                                            \
        taken_;                                                                                    \
    })

/* The caller must use the result: false means that there is an error to pass on. */
#define CHECKED __attribute__((warn_unused_result))

#define PRINTF_LIKE(text_at, first_at) __attribute__((format(printf, text_at, first_at)))

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#endif
