#include "driver/arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool complain(Context *context, const char *option, const char *text, const char *wanted)
{
    diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "%s %s: %s is wanted", option, text, wanted);
    return false;
}

bool arguments_split(Context *context, const char *option, const char *text, Name *name, const char **value)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || !equals[1]) return complain(context, option, text, "NAME=VALUE");
    *name = intern_length(context->names, text, (size_t)(equals - text));
    *value = equals + 1;
    return true;
}

/* Two values for one name: which is meant cannot be told. */
static bool repeated(Context *context, const char *option, const char *text)
{
    diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "%s %.*s is given twice", option, (int)strcspn(text, "="),
             text);
    return false;
}

static bool read_integer(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *text && !*end && !errno;
}

static bool read_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return *text && !*end;
}

static bool read_binds(Context *context, const Options *options, ProgramOptions *to)
{
    BindOption *binds = ARENA_ARRAY(context->arena, BindOption, options->bind.count);
    for (size_t i = 0; i < options->bind.count; i++) {
        const char *value;
        if (!arguments_split(context, "--bind", options->bind.at[i], &binds[i].name, &value)) return false;
        if (!read_integer(value, &binds[i].size) || binds[i].size < 0)
            return complain(context, "--bind", options->bind.at[i], "DIM=N with an integer N of at least 0");
        for (size_t k = 0; k < i; k++)
            if (binds[k].name == binds[i].name) return repeated(context, "--bind", options->bind.at[i]);
    }
    to->binds = binds;
    to->n_binds = options->bind.count;
    return true;
}

static bool read_sets(Context *context, const Options *options, ProgramOptions *to)
{
    SetOption *sets = ARENA_ARRAY(context->arena, SetOption, options->set.count);
    for (size_t i = 0; i < options->set.count; i++) {
        const char *value;
        if (!arguments_split(context, "--set", options->set.at[i], &sets[i].name, &value)) return false;
        if (!read_number(value, &sets[i].value))
            return complain(context, "--set", options->set.at[i], "NAME=VALUE with a number");
        for (size_t k = 0; k < i; k++)
            if (sets[k].name == sets[i].name) return repeated(context, "--set", options->set.at[i]);
    }
    to->sets = sets;
    to->n_sets = options->set.count;
    return true;
}

static bool read_data(Context *context, const Options *options, ProgramOptions *to)
{
    DataOption *data = ARENA_ARRAY(context->arena, DataOption, options->data.count);
    for (size_t i = 0; i < options->data.count; i++) {
        if (!arguments_split(context, "--data", options->data.at[i], &data[i].name, &data[i].path)) return false;
        const char *point = strchr(data[i].name, '.');
        if (point) {
            data[i].split = intern_length(context->names, data[i].name, (size_t)(point - data[i].name));
            data[i].name = intern(context->names, point + 1);
        }
        for (size_t k = 0; k < i; k++)
            if (data[k].name == data[i].name && (data[k].split == data[i].split || !data[k].split || !data[i].split))
                return repeated(context, "--data", options->data.at[i]);
    }
    to->data = data;
    to->n_data = options->data.count;
    return true;
}

bool arguments_read(Context *context, const Options *options, ProgramOptions *to)
{
    return read_binds(context, options, to) && read_sets(context, options, to) && read_data(context, options, to);
}

int64_t arguments_bound(const Options *options, const char *dim)
{
    size_t length = strlen(dim);
    for (size_t i = 0; i < options->bind.count; i++) {
        const char *text = options->bind.at[i];
        int64_t size;
        if (!strncmp(text, dim, length) && text[length] == '=' && read_integer(text + length + 1, &size)) return size;
    }
    return -1;
}

bool arguments_apply_settings(Context *context, const Options *options, nn_params *params)
{
    for (size_t i = 0; i < options->set.count; i++) {
        Name name;
        const char *value;
        double number;
        if (!arguments_split(context, "--set", options->set.at[i], &name, &value)) return false;
        if (!read_number(value, &number) || nn_params_set_setting(params, name, number)) {
            diag_new(context->diagnostics, DIAG_bad_option, NO_SPAN, "--set %s: %s", options->set.at[i], nn_message());
            return false;
        }
    }
    return true;
}
