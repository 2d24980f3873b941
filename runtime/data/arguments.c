/* What sources.def says of the arguments of each kind of source. */
#include <string.h>

#include "data/source.h"
#include "nn_shown.h"

/* One of the arguments that a kind takes. */
typedef struct {
    const char *name;
    enum { IS_FLAG, IS_NUMBER, IS_TEXT } is;
    double number;    /* the default; of a flag 0 or 1 */
    const char *text; /* the same of a text */
} Parameter;

#define FLAG(name, value) {#name, IS_FLAG, value, NULL},
#define NUMBER(name, value) {#name, IS_NUMBER, value, NULL},
#define TEXT(name, value) {#name, IS_TEXT, 0, value},
#define NONE
#define SOURCE(kind, place, columns, arguments)                                                                        \
    static const Parameter of_##kind[] = {arguments{NULL, IS_FLAG, 0, NULL}};
#include "data/sources.def"

static const struct {
    const char *kind;
    const Parameter *parameters;
} kinds[] = {
#define SOURCE(kind, place, columns, arguments) {#kind, of_##kind},
#include "data/sources.def"
};

static const Parameter *find_parameter(const char *kind, const char *name)
{
    size_t i = 0;
    while (strcmp(kind, kinds[i].kind)) i++;
    for (const Parameter *p = kinds[i].parameters; p->name; p++)
        if (!strcmp(p->name, name)) return p;
    return NULL;
}

int nn_argument_check(const char *kind, const nn_argument *argument)
{
    static const char *const wanted[] = {"true or false", "a number", "a text"};
    const Parameter *parameter = find_parameter(kind, argument->name);
    if (!parameter) return nn_fail(NN_ERROR_ARGUMENT, "%s has no argument %s", kind, argument->name);
    const char *name = argument->name, *what = wanted[parameter->is];
    bool truth = argument->flag || argument->number == 0 || argument->number == 1;
    if (argument->text && parameter->is != IS_TEXT)
        return nn_fail(NN_ERROR_ARGUMENT, "%s of %s is %s, not the text \"%s\"", name, kind, what, argument->text);
    if (!argument->text && (parameter->is == IS_TEXT || (parameter->is == IS_FLAG && !truth)))
        return nn_fail(NN_ERROR_ARGUMENT, "%s of %s is %s, not %s", name, kind, what,
                       argument->flag ? "true or false" : "a number");
    if (argument->flag && parameter->is == IS_NUMBER)
        return nn_fail(NN_ERROR_ARGUMENT, "%s of %s is %s, not true or false", name, kind, what);
    return NN_OK;
}

static const nn_argument *find_argument(const nn_source_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_args; i++)
        if (!strcmp(request->args[i].name, name)) return &request->args[i];
    return NULL;
}

double nn_request_number(const nn_source_request *request, const char *name)
{
    const nn_argument *argument = find_argument(request, name);
    return argument ? argument->number : find_parameter(request->kind, name)->number;
}

const char *nn_request_text(const nn_source_request *request, const char *name)
{
    const nn_argument *argument = find_argument(request, name);
    return argument ? argument->text : find_parameter(request->kind, name)->text;
}

int nn_request_count(const nn_source_request *request, const char *name, int64_t least, int64_t most, int64_t *value)
{
    double number = nn_request_number(request, name);
    if (!(number >= (double)least && number <= (double)most) || number != (double)(int64_t)number)
        return nn_fail(NN_ERROR_ARGUMENT, "%s of %s is %g, but it is a whole number from %lld to %lld", name,
                       request->kind, nn_shown_number(number), (long long)least, (long long)most);
    *value = (int64_t)number;
    return NN_OK;
}
