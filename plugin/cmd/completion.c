#include "cmd/completion.h"

#include <string.h>

#include "base/text.h"
#include "cmd/options_table.h"

enum values { ANY_VALUE, WORDS, PATHS, DIRECTORIES };

static enum values values_of(const struct options_table_flag *flag)
{
    if (flag->words[0] != NULL)
        return WORDS;
    if (strcmp(flag->argument, "DIR") == 0)
        return DIRECTORIES;
    return text_starts_with(flag->argument, "FILE") ? PATHS : ANY_VALUE;
}

/* The first form of the next command. */
static const struct options_table_form *next_command(const struct options_table_form *form)
{
    const char *name = form->name;

    while (form->name != NULL && strcmp(form->name, name) == 0)
        form++;
    return form;
}

/* These append lists, with a blank before each element. */
static void append_words(struct buf *out, const char *const *words)
{
    for (size_t i = 0; i < OPTIONS_TABLE_WORDS_MAX && words[i] != NULL; i++)
        buf_append_format(out, " %s", words[i]);
}

static void append_commands(struct buf *out, unsigned forms)
{
    const struct options_table_form *form;

    for (form = options_table_forms; form->name != NULL; form = next_command(form)) {
        if ((options_table_forms_of(form->name) & forms) != 0)
            buf_append_format(out, " %s", form->name);
    }
}

static void append_arguments(struct buf *out, const struct options_table_form *command)
{
    append_words(out, command->words);
    if (command->command == OPTIONS_HELP)
        append_commands(out, ~0U);
}

/* Whether a form of the command takes a path without a flag. */
static bool takes_path(const struct options_table_form *command)
{
    const struct options_table_form *end = next_command(command);

    while (command < end && strstr(command->arguments, "[FILE]") == NULL)
        command++;
    return command < end;
}

/* Chooses by the flag before the cursor, else what may come after the command. */
static void append_case(struct buf *out, const struct options_table_form *command)
{
    static const char *const paths[] = {[ANY_VALUE] = "",
                                        [WORDS] = "",
                                        [PATHS] = " paths=default",
                                        [DIRECTORIES] = " paths=dirnames"};
    struct buf flags AUTO(buf_clear) = {0};

    buf_append_format(out, "    %s)\n        case $flag in\n", command->name);
    for (const struct options_table_flag *flag = options_table_flags; flag->name != NULL; flag++) {
        if ((flag->forms & options_table_forms_of(command->name)) == 0)
            continue;
        buf_append_format(&flags, " %s", flag->name);
        if (flag->argument[0] == '\0')
            continue;
        buf_append_format(out, "        %s)%s choices='", flag->name, paths[values_of(flag)]);
        append_words(out, flag->words);
        buf_append_text(out, "' ;;\n");
    }
    append_arguments(&flags, command);
    buf_append_format(out, "        *)%s choices=\"%s$names\" ;;\n        esac ;;\n",
                      paths[takes_path(command) ? PATHS : ANY_VALUE], flags.bytes);
}

/* What bash and zsh have in common: from `before`, the words between the program and the cursor,
 * to `choices` and `paths`. */
static void append_choice(struct buf *out)
{
    const struct options_table_form *form;

    buf_append_text(out, "    local word command=get-credentials choices= paths= names='");
    append_commands(out, ~0U);
    buf_append_text(out, "'\n\n"
                         "    for word in \"${before[@]}\"; do\n"
                         "        if [[ \"$names \" == *\" $word \"* ]]; then\n"
                         "            command=$word names=\n"
                         "            break\n"
                         "        fi\n"
                         "    done\n"
                         "    case $command in\n");
    for (form = options_table_forms; form->name != NULL; form = next_command(form))
        append_case(out, form);
    buf_append_text(out, "    esac\n");
}

static void append_bash(struct buf *out)
{
    buf_append_text(out, "_aliyun_acr_credential_provider()\n{\n"
                         "    local before=(\"${COMP_WORDS[@]:1:COMP_CWORD-1}\")\n"
                         "    local typed=${COMP_WORDS[COMP_CWORD]}\n"
                         "    local flag=${COMP_WORDS[COMP_CWORD-1]}\n\n"
                         "    # An equals sign is a word of its own.\n"
                         "    [[ $flag != = ]] || flag=${COMP_WORDS[COMP_CWORD-2]}\n"
                         "    [[ $typed != = ]] || typed=\n");
    append_choice(out);
    buf_append_text(out,
                    "    [[ -z $paths ]] || compopt -o \"$paths\"\n"
                    "    mapfile -t COMPREPLY < <(compgen -W \"$choices\" -- \"$typed\")\n"
                    "}\n"
                    "complete -F _aliyun_acr_credential_provider aliyun-acr-credential-provider\n");
}

static void append_zsh(struct buf *out)
{
    buf_append_text(out, "#compdef aliyun-acr-credential-provider\n"
                         "_aliyun-acr-credential-provider()\n{\n"
                         "    local before=(\"${(@)words[2,CURRENT-1]}\")\n"
                         "    local flag=${words[CURRENT-1]}\n\n"
                         "    if [[ $PREFIX == --*=* ]]; then\n"
                         "        flag=${PREFIX%%=*}\n"
                         "        compset -P '*='\n"
                         "    fi\n");
    append_choice(out);
    buf_append_text(out, "    compadd -- ${=choices}\n"
                         "    case $paths in\n"
                         "    default) _files ;;\n"
                         "    dirnames) _files -/ ;;\n"
                         "    esac\n"
                         "}\n"
                         "if [[ $funcstack[1] == _aliyun-acr-credential-provider ]]; then\n"
                         "    _aliyun-acr-credential-provider\n"
                         "else\n"
                         "    compdef _aliyun-acr-credential-provider "
                         "aliyun-acr-credential-provider\n"
                         "fi\n");
}

#define FISH_COMPLETE                                                                              \
    "complete -c aliyun-acr-credential-provider -n '__aliyun_acr_credential_provider_is"

/* The first clause of a help text. */
static void append_description(struct buf *out, const char *help)
{
    size_t length = strcspn(help, "(\n");

    buf_append_text(out, " -d '");
    for (size_t i = 0; i < length; i++)
        buf_append_format(out, "%s%c", help[i] == '\'' ? "\\" : "", help[i]);
    buf_append_text(out, "'\n");
}

static void append_fish_flag(struct buf *out, const struct options_table_flag *flag)
{
    static const char *const values[] = {
        [ANY_VALUE] = " -x",
        [WORDS] = " -x",
        [PATHS] = " -r -F",
        [DIRECTORIES] = " -x -a '(__fish_complete_directories)'",
    };

    buf_append_text(out, FISH_COMPLETE);
    append_commands(out, flag->forms);
    buf_append_format(out, "' -l %s", flag->name + strlen("--"));
    if (flag->argument[0] != '\0')
        buf_append_text(out, values[values_of(flag)]);
    if (flag->words[0] != NULL) {
        buf_append_text(out, " -a '");
        append_words(out, flag->words);
        buf_append_text(out, "'");
    }
    append_description(out, flag->help);
}

static void append_fish(struct buf *out)
{
    const struct options_table_form *form;

    buf_append_text(out, "function __aliyun_acr_credential_provider_is\n"
                         "    set -l commands none get-credentials\n"
                         "    for word in (commandline -opc)[2..]\n"
                         "        if contains -- $word");
    append_commands(out, ~0U);
    buf_append_text(out, "\n"
                         "            set commands $word\n"
                         "            break\n"
                         "        end\n"
                         "    end\n"
                         "    for command in $commands\n"
                         "        contains -- $command $argv; and return 0\n"
                         "    end\n"
                         "    return 1\n"
                         "end\n"
                         "complete -c aliyun-acr-credential-provider -f\n");
    for (form = options_table_forms; form->name != NULL; form = next_command(form)) {
        struct buf arguments AUTO(buf_clear) = {0};

        buf_append_format(out, FISH_COMPLETE " none' -a %s", form->name);
        append_description(out, form->help);
        append_arguments(&arguments, form);
        if (arguments.length > 0)
            buf_append_format(out, FISH_COMPLETE " %s' -a '%s'\n", form->name, arguments.bytes);
        if (takes_path(form))
            buf_append_format(out, FISH_COMPLETE " %s' -F\n", form->name);
    }
    for (const struct options_table_flag *flag = options_table_flags; flag->name != NULL; flag++)
        append_fish_flag(out, flag);
}

void completion_append(struct buf *out, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        append_bash(out);
    else if (strcmp(shell, "zsh") == 0)
        append_zsh(out);
    else
        append_fish(out);
}
