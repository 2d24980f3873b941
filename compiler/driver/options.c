#include "driver/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "support/diag.h"

enum {
#define COMMAND(id, name, arguments, summary, example) id = 1 << COMMAND_##id,
#include "driver/commands.def"
#undef COMMAND
    ALL = (1 << COMMAND_COUNT) - 1,
    ALL_MODELS = ALL & ~FMT & ~OPT,
    COMPILES = ALL_MODELS & ~REPL
};

typedef enum { FLAG, TEXT, LIST, COUNT, NUMBER } OptionKind;

typedef struct {
    const char *name;
    char letter;
    OptionKind kind;
    const char *value;
    int commands;
    const char *help;
    size_t offset;
} OptionRow;

static const OptionRow rows[] = {
#define OPTION(field, long_name, short_name, kind, value, commands, help)                                              \
    {long_name, short_name, kind, value, commands, help, offsetof(Options, field)},
#include "driver/options.def"
#undef OPTION
};

static const struct {
    const char *name, *arguments, *summary, *example;
} commands[] = {
#define COMMAND(id, name, arguments, summary, example) {name, arguments, summary, example},
#include "driver/commands.def"
#undef COMMAND
};

enum { N_ROWS = sizeof rows / sizeof *rows };

const char *command_name(CommandId command)
{
    return commands[command].name;
}

static void print_synopsis(FILE *to, CommandId command)
{
    const char *name = command == COMMAND_COMPILE ? "" : commands[command].name;
    fprintf(to, "usage: nnc%s%s %s [option ...]\n", *name ? " " : "", name, commands[command].arguments);
}

static void print_options(FILE *to, int mask)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        const OptionRow *row = &rows[i];
        if (!(row->commands & mask)) continue;
        char left[64];
        char letter[8] = "    ";
        if (row->letter) snprintf(letter, sizeof letter, "-%c, ", row->letter);
        snprintf(left, sizeof left, "%s%s%s%s", letter, row->name, row->value ? " " : "", row->value ? row->value : "");
        fprintf(to, "  %-32s %s\n", left, row->help);
    }
}

static void print_overview(FILE *to)
{
    fputs("nnc compiles neural networks, training included, to native code.\n\n", to);
    for (int i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  nnc %s%s%s\n        %s\n", i ? commands[i].name : "", i ? " " : "", commands[i].arguments,
                commands[i].summary);
    fputs("\n`nnc COMMAND --help` lists the options of a command; --version prints the version.\n", to);
}

static void print_help(FILE *to, CommandId command)
{
    print_synopsis(to, command);
    fprintf(to, "\n%s\n\n", commands[command].summary);
    print_options(to, 1 << command);
    fprintf(to, "\nexample: %s\n", commands[command].example);
}

int usage_error(const Options *options, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("nnc: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    print_synopsis(stderr, options->command);
    fprintf(stderr, "`nnc %s --help` says more\n",
            options->command == COMMAND_COMPILE ? "" : command_name(options->command));
    return EXIT_USAGE;
}

static const OptionRow *find_row(const char *name, size_t length)
{
    for (size_t i = 0; i < N_ROWS; i++) {
        bool long_form = strlen(rows[i].name) == length && !strncmp(rows[i].name, name, length);
        bool short_form = rows[i].letter && length == 2 && name[0] == '-' && name[1] == rows[i].letter;
        if (long_form || short_form) return &rows[i];
    }
    return NULL;
}

static int unknown_option(const Options *options, const char *name, size_t length)
{
    const char *names[N_ROWS];
    size_t count = 0;
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].commands & (1 << options->command)) names[count++] = rows[i].name;
    char given[64];
    snprintf(given, sizeof given, "%.*s", (int)length, name);
    const char *nearest = nearest_spelling(given, names, count);
    return nearest ? usage_error(options, "unknown option %s (did you mean %s?)", given, nearest)
                   : usage_error(options, "unknown option %s", given);
}

static bool store_integer(const Options *options, const OptionRow *row, const char *value, int64_t *to, int *status)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (!*value || *end || errno || number < (row->kind == COUNT)) {
        *status = usage_error(options, "%s wants an integer %s, not `%s`", row->name,
                              row->kind == COUNT ? "above 0" : "of at least 0", value);
        return false;
    }
    *to = number;
    return true;
}

static bool store(Options *options, const OptionRow *row, const char *value, int *status)
{
    void *field = (char *)options + row->offset;
    switch (row->kind) {
    case FLAG:
        *(bool *)field = true;
        return true;
    case TEXT:
        if (*(const char **)field) {
            *status = usage_error(options, "%s is given twice", row->name);
            return false;
        }
        *(const char **)field = value;
        return true;
    case LIST: {
        TextList *list = field;
        const char **grown = realloc(list->at, (list->count + 1) * sizeof *grown);
        if (!grown) abort();
        list->at = grown;
        list->at[list->count++] = value;
        return true;
    }
    case COUNT:
    case NUMBER:
        return store_integer(options, row, value, field, status);
    }
    return false;
}

static void set_defaults(Options *options)
{
    *options = (Options){.command = COMMAND_COMPILE};
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].kind == COUNT || rows[i].kind == NUMBER) *(int64_t *)((char *)options + rows[i].offset) = -1;
}

/* One option at argv[*i], its value perhaps in the next word. */
static bool parse_option(Options *options, int argc, char **argv, int *i, int *status)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const OptionRow *row = find_row(word, length);
    if (!row || !(row->commands & (1 << options->command))) {
        *status = unknown_option(options, word, length);
        return false;
    }
    if (row->kind == FLAG) {
        if (equals) {
            *status = usage_error(options, "%s takes no value", row->name);
            return false;
        }
        return store(options, row, NULL, status);
    }
    const char *value = equals ? equals + 1 : *i + 1 < argc ? argv[++*i] : NULL;
    if (!value) {
        *status = usage_error(options, "%s wants a value: %s", row->name, row->value);
        return false;
    }
    return store(options, row, value, status);
}

static bool parse_command(Options *options, const char *word)
{
    for (int i = 1; i < COMMAND_COUNT; i++)
        if (!strcmp(word, commands[i].name)) {
            options->command = (CommandId)i;
            return true;
        }
    return false;
}

/* `nnc trian fashion.nn` holds two files, or a command misspelt. */
static int second_file(const Options *options, const char *second)
{
    const char *names[COMMAND_COUNT], *first = options->file;
    for (int i = 1; i < COMMAND_COUNT; i++) names[i - 1] = commands[i].name;
    const char *nearest = strchr(first, '.') ? NULL : nearest_spelling(first, names, COMMAND_COUNT - 1);
    return nearest ? usage_error(options, "unknown command %s (did you mean %s?)", first, nearest)
                   : usage_error(options, "one file at a time: `%s` after `%s`", second, first);
}

bool options_parse(Options *options, int argc, char **argv, int *status)
{
    set_defaults(options);
    *status = EXIT_OK;
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        puts("nnc " NNC_VERSION);
        return false;
    }
    if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
        print_overview(stdout);
        return false;
    }
    if (argc < 2) options->command = COMMAND_REPL;
    for (int i = argc > 1 && parse_command(options, argv[1]) ? 2 : 1; i < argc; i++) {
        if (argv[i][0] == '-' && argv[i][1]) {
            if (!parse_option(options, argc, argv, &i, status)) return false;
        } else if (options->file) {
            *status = second_file(options, argv[i]);
            return false;
        } else {
            options->file = argv[i];
        }
    }
    if (options->help) {
        print_help(stdout, options->command);
        return false;
    }
    if (!options->file && options->command != COMMAND_REPL) {
        *status = usage_error(options, "which file?");
        return false;
    }
    return true;
}

void options_free(Options *options)
{
    for (size_t i = 0; i < N_ROWS; i++)
        if (rows[i].kind == LIST) free(((TextList *)((char *)options + rows[i].offset))->at);
}
