#include "cmd/options.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cmd/options_table.h"

/* What the arguments so far have come to. */
struct reading {
    const char *command;
    unsigned forms;          /* of that command, which the flags leave */
    const char *narrowed_by; /* the last flag that not all forms take */
};

static void append_overview(struct buf *out)
{
    buf_append_text(
        out, "usage: aliyun-acr-credential-provider [get-credentials] [FLAGS]\n"
             "       aliyun-acr-credential-provider COMMAND [FLAGS] [ARGUMENT]...\n"
             "       docker-credential-aliyun-acr get|store|erase|list|version\n"
             "           a docker credential helper: a link of that name to this file\n\n"
             "Gives the kubelet temporary credentials for Alibaba Cloud Container Registry.\n\n");
    for (const struct options_table_form *form = options_table_forms; form->name != NULL; form++) {
        int width = 31 - (int)strlen(form->name);

        buf_append_format(out, "  %s %-*s%s\n", form->name, width, form->arguments, form->help);
    }
    buf_append_text(out, "\nFlags without a command (COMMAND --help shows those of a command):\n");
}

static void append_usage(struct buf *out, const char *command)
{
    const char *before = "usage:";

    for (const struct options_table_form *form = options_table_forms; form->name != NULL; form++) {
        if (strcmp(form->name, command) != 0)
            continue;
        buf_append_format(out, "%s aliyun-acr-credential-provider %s [FLAGS]%s%s\n           %s\n",
                          before, form->name, form->arguments[0] == '\0' ? "" : " ",
                          form->arguments, form->help);
        before = "      ";
    }
}

void options_append_help(struct buf *out, const char *command)
{
    unsigned forms = options_table_forms[0].bit;

    if (command == NULL) {
        append_overview(out);
    } else {
        append_usage(out, command);
        forms = options_table_forms_of(command);
    }
    buf_append_text(out, "\n");
    for (const struct options_table_flag *flag = options_table_flags; flag->name != NULL; flag++) {
        int width = 29 - (int)strlen(flag->name);

        if ((flag->forms & forms) == 0)
            continue;
        buf_append_format(out, "  %s %-*s%s", flag->name, width, flag->argument, flag->help);
        for (size_t i = 0; i < COUNT_OF(flag->words) && flag->words[i] != NULL; i++)
            buf_append_format(out, "%s%s", i == 0 ? ": " : "|", flag->words[i]);
        if (flag->words[0] != NULL)
            buf_append_format(out, " (default %s)", flag->words[0]);
        buf_append_text(out, "\n");
    }
    if (command == NULL)
        buf_append_text(out,
                        "\n"
                        "Exit status: 0 answered, 1 a check of doctor failed, 64 usage, 65 bad "
                        "request, 69 answer not to\n"
                        "be trusted, 70 a defect, 74 input or output failed, 75 try again "
                        "later, 77 not permitted,\n78 bad configuration.\n");
}

/* The first flag that this is, and that one of the forms takes; NULL if there is none. */
static const struct options_table_flag *find_flag(const char *argument, unsigned forms)
{
    const char *name = strcmp(argument, "-h") == 0 ? "--help" : argument;
    size_t length = strcspn(name, "=");

    for (const struct options_table_flag *flag = options_table_flags; flag->name != NULL; flag++) {
        if ((flag->forms & forms) != 0 && strncmp(name, flag->name, length) == 0 &&
            flag->name[length] == '\0' && (name[length] == '\0' || flag->argument[0] != '\0'))
            return flag;
    }
    return NULL;
}

/* The first argument that is neither a known flag nor the value of one; NULL if there is none. */
static char **find_command(char **next)
{
    for (; *next != NULL; next++) {
        const struct options_table_flag *flag = find_flag(*next, ~0U);

        if (flag == NULL)
            return next;
        if (flag->argument[0] != '\0' && strchr(*next, '=') == NULL && next[1] != NULL)
            next++;
    }
    return NULL;
}

/* A value may be a secret. */
static bool refuse_unknown(const char *word, struct error *err)
{
    const size_t length = strcspn(word, "=");

    if (word[0] == '-')
        return error_set(err, ERROR_USAGE, "unknown flag: %.*s%s", (int)length, word,
                         word[length] == '\0' ? "" : "=");
    return error_set_advised(err, ERROR_USAGE,
                             ADVICE("See --help; to get a password: "
                                    "aliyun-acr-credential-provider get %.200s",
                                    word),
                             "unknown command: %s", word);
}

/* Says why this is no flag of the command, or not with those before it. */
static bool refuse_flag(const char *argument, const struct reading *reading, struct error *err)
{
    const struct options_table_flag *flag = find_flag(argument, ~0U);
    struct buf takers AUTO(buf_clear) = {0};
    const char *last = "";

    if (flag == NULL)
        return refuse_unknown(argument, err);
    if (find_flag(argument, options_table_forms_of(reading->command)) != NULL)
        return error_set(err, ERROR_USAGE, "%s is not valid with %s", flag->name,
                         reading->narrowed_by);
    if ((flag->forms & options_table_forms[0].bit) != 0)
        return error_set(err, ERROR_USAGE, "%s is not valid with %s", flag->name, reading->command);
    for (const struct options_table_form *form = options_table_forms; form->name != NULL; form++) {
        if (find_flag(flag->name, form->bit) == NULL || strcmp(form->name, last) == 0)
            continue;
        buf_append_format(&takers, "%s%s", takers.length == 0 ? "" : ", ", form->name);
        last = form->name;
    }
    return error_set(err, ERROR_USAGE, "%s is valid only with %s", flag->name, buf_text(&takers));
}

static bool append(struct options_list *list, const char *value, const char *what,
                   struct error *err)
{
    if (list->count == COUNT_OF(list->values))
        return error_set(err, ERROR_USAGE, "%s: more than %d values", what, OPTIONS_LIST_MAX);
    list->values[list->count++] = value;
    return true;
}

/* Of a flag that is given twice, the last value counts. */
static void set_key(struct options *out, const struct options_table_flag *flag, const char *value)
{
    struct load_flag *place = out->flags;

    while (place->name != NULL && strcmp(place->name, flag->name) != 0)
        place++;
    *place = (struct load_flag){flag->name, flag->key, value};
}

static bool check_choice(unsigned *out, const char *value, const char *const *words,
                         const char *what, struct error *err)
{
    *out = 0;
    if (words[0] == NULL || check_word(out, value, words, OPTIONS_TABLE_WORDS_MAX, what, err))
        return true;
    err->kind = ERROR_USAGE;
    return false;
}

static bool apply_flag(struct options *out, const struct options_table_flag *flag,
                       const char *value, struct error *err)
{
    void *place = (char *)out + flag->place;
    unsigned word;

    if (!check_choice(&word, value, flag->words, flag->name, err))
        return false;
    switch (flag->effect) {
    case OPTIONS_TABLE_KEY:
        set_key(out, flag, value);
        break;
    case OPTIONS_TABLE_TEXT:
        *(const char **)place = value;
        break;
    case OPTIONS_TABLE_LIST:
        return append(place, value, flag->name, err);
    case OPTIONS_TABLE_BOOL:
        *(bool *)place = flag->words[0] == NULL || word == 1;
        break;
    case OPTIONS_TABLE_OUTPUT:
        *(enum get_output *)place = word;
        break;
    case OPTIONS_TABLE_VERSION:
        out->command = OPTIONS_VERSION;
        break;
    case OPTIONS_TABLE_HELP:
        out->command = OPTIONS_HELP;
        break;
    }
    return true;
}

/* Reads the flag at `*next`, and its value if that is an argument of its own. */
static bool read_flag(struct options *out, struct reading *reading, char ***next, struct error *err)
{
    const char *argument = **next;
    const struct options_table_flag *flag = find_flag(argument, reading->forms);
    const char *equals = strchr(argument, '=');
    const char *value = equals == NULL ? NULL : equals + 1;

    if (flag == NULL)
        return refuse_flag(argument, reading, err);
    if (flag->argument[0] == '\0')
        value = flag->value;
    else if (value == NULL && (*next)[1] != NULL && !text_starts_with((*next)[1], "--"))
        value = *++*next;
    if (flag->argument[0] != '\0' && (value == NULL || value[0] == '\0'))
        return error_set(err, ERROR_USAGE, "%s requires a value", flag->name);
    if ((reading->forms & ~flag->forms) != 0)
        reading->narrowed_by = flag->name;
    reading->forms &= flag->forms;
    return apply_flag(out, flag, value, err);
}

/* By the most general form that the flags have left. */
static bool check_words(const struct options *options, unsigned forms, struct error *err)
{
    const struct options_table_form *form = options_table_forms;
    const struct options_list *words = &options->words;
    unsigned word;

    while ((form->bit & forms) == 0)
        form++;
    if (words->count < form->words_min)
        return error_set(err, ERROR_USAGE, "%s requires an argument: %s", form->name,
                         form->arguments);
    if (words->count > form->words_max)
        return error_set(err, ERROR_USAGE, "unexpected argument: %s",
                         words->values[form->words_max]);
    if (form->command == OPTIONS_HELP && words->count == 1 &&
        options_table_forms_of(words->values[0]) == 0)
        return error_set(err, ERROR_USAGE, "unknown command: %s", words->values[0]);
    return check_choice(&word, words->values[0], form->words, "its argument", err) ||
           error_wrap(err, "%s", form->name);
}

bool options_parse(struct options *out, int argc, char **argv, struct error *err)
{
    char **arguments = argv + (argc > 0);
    char **command = find_command(arguments);
    const struct options_table_form *form = options_table_forms;
    struct reading reading;

    *out = (struct options){0};
    while (command != NULL && form->name != NULL && strcmp(form->name, *command) != 0)
        form++;
    if (form->name == NULL)
        return refuse_unknown(*command, err);
    out->command = form->command;
    reading = (struct reading){form->name, options_table_forms_of(form->name), ""};
    for (char **next = arguments; *next != NULL; next++) {
        if ((*next)[0] == '-') {
            if (!read_flag(out, &reading, &next, err))
                return false;
        } else if (next != command && !append(&out->words, *next, "arguments", err)) {
            return false;
        }
        /* --version and --help are all that was asked for. */
        if (out->command != form->command) {
            out->words =
                (struct options_list){{command == NULL ? NULL : *command}, command != NULL};
            return true;
        }
    }
    return check_words(out, reading.forms, err);
}
