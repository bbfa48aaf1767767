/* All commands and flags, for what reads, explains and completes the command line. */
#ifndef CMD_OPTIONS_TABLE_H
#define CMD_OPTIONS_TABLE_H

#include <stddef.h>

#include "cmd/options.h"

enum { OPTIONS_TABLE_WORDS_MAX = 4 };

/* A command, or one of its forms, which differ in the flags that they take. */
struct options_table_form {
    unsigned bit;     /* 1, 2, 4, ... */
    const char *name; /* the command */
    enum options_command command;
    const char *arguments; /* for people: "IMAGE_OR_HOST" */
    size_t words_min;      /* how many arguments it takes that are no flags */
    size_t words_max;
    const char *words[OPTIONS_TABLE_WORDS_MAX]; /* all values of its argument; none: any value */
    const char *help;
};

/* What a flag does. All but the first and the last two set a field of struct options. */
enum options_table_effect {
    OPTIONS_TABLE_KEY,    /* sets a key of the configuration */
    OPTIONS_TABLE_TEXT,   /* const char * */
    OPTIONS_TABLE_LIST,   /* struct options_list, to which the value is appended */
    OPTIONS_TABLE_BOOL,   /* true; of a flag with words, whether the value is the second one */
    OPTIONS_TABLE_OUTPUT, /* enum get_output, whose numbers are those of the words */
    OPTIONS_TABLE_VERSION,
    OPTIONS_TABLE_HELP,
};

struct options_table_flag {
    const char *name;
    const char *argument; /* "": takes none. FILE, DIR and FILE_OR_DIR are completed as paths */
    unsigned forms;       /* the bits of those that take the flag */
    enum options_table_effect effect;
    size_t place;                               /* of the field */
    const char *key;                            /* of the configuration */
    const char *value;                          /* of that key, where the flag takes no argument */
    const char *words[OPTIONS_TABLE_WORDS_MAX]; /* all values, the default first; none: any value */
    const char *help; /* shells show what is before the first bracket or line end */
};

/* Both end with a NULL name. The forms of a command follow each other, the most general first; the
 * first command is the one of a command line without any. */
extern const struct options_table_form options_table_forms[];
extern const struct options_table_flag options_table_flags[];

/* The bits of all forms of a command; 0: there is no such command. */
unsigned options_table_forms_of(const char *name);

#endif
