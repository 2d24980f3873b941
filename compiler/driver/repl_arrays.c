/* The arrays that names of the conversation were given, and the sizes that follow from them. */
#include <stdlib.h>
#include <string.h>

#include "driver/repl_session.h"

const Array *session_given(const Session *session, const char *name)
{
    for (size_t i = 0; i < session->given.count; i++)
        if (!strcmp(session->given.at[i].name, name)) return &session->given.at[i].value;
    return NULL;
}

int64_t session_size(const Session *session, Name symbol)
{
    const Elaborator *el = session->el;
    for (const Binding *b = session->scope->first; b; b = b->next) {
        const Array *array = b->value.kind == VALUE_TENSOR ? session_given(session, b->name) : NULL;
        const Type *type = array ? node_type(el->graph, b->value.node) : NULL;
        for (uint32_t i = 0; array && i < type->rank && array->rank == type->rank; i++) {
            Name own;
            if (dim_is_symbol(el->dims, type->dims[i], &own) && own == symbol) return array->dims[i];
        }
    }
    return -1;
}

void session_forget(Session *session, const char *name)
{
    for (size_t i = 0; i < session->given.count; i++) {
        if (strcmp(session->given.at[i].name, name)) continue;
        free(session->given.at[i].name);
        array_free(&session->given.at[i].value);
        session->given.at[i] = vec_pop(&session->given);
        return;
    }
}

void session_give(Session *session, const char *name, Array value)
{
    session_forget(session, name);
    char *copy = strdup(name);
    if (!copy) abort();
    vec_push(&session->given, (Given){copy, value});
}
