/* What is said to the user while a text is elaborated, and what ends it. */
#include <string.h>

#include "elaborate/elaborator.h"

static bool in_prelude(const Elaborator *el, Span at)
{
    Place place;
    return source_place(el->context->sources, at.start, &place) && !strncmp(place.source->name, "prelude/", 8);
}

static bool contains(Span outer, Span inner)
{
    return outer.start <= inner.start && inner.end <= outer.end;
}

Diag *complain(Elaborator *el, DiagId id, Span at, const char *format, ...)
{
    enum { WORK_OF_A_MESSAGE = 100 };
    Text text = {0};
    va_list args;
    context_spend(el->context, WORK_OF_A_MESSAGE, at);
    el->effects++;
    va_start(args, format);
    text_format_list(&text, format, args);
    va_end(args);
    bool inside = el->body.prelude_call.end && in_prelude(el, at);
    Diag *diag = diag_new(el->context->diagnostics, id, inside ? el->body.prelude_call : at, "%s", text_get(&text));
    if (inside)
        diag_note(diag, at, "found here, inside the library's text");
    else if (at.end && el->body.call.end && !contains(el->body.call, at) && !in_prelude(el, el->body.call))
        diag_note(diag, el->body.call, "in this call");
    text_free(&text);
    return diag;
}

Value unsupported(Elaborator *el, Span at, const char *what)
{
    complain(el, DIAG_unsupported, at, "%s: this version of nnc does not support that yet", what);
    return value_error();
}

bool spend(Elaborator *el, uint64_t units, Span at)
{
    return context_spend(el->context, units + dim_take_work(el->dims),
                         el->body.prelude_call.end ? el->body.prelude_call : at);
}

bool enter_level(Elaborator *el, Span at)
{
    if (context_descend(el->context)) return true;
    if (!context_stopped(el->context)) {
        Diag *diag = complain(el, DIAG_nested_too_deep, at, "calls and expressions are nested more than %d deep here",
                              DEEPEST_LEVEL);
        diag_hint(diag, "does something call itself through an argument?");
    }
    context_exhaust(el->context);
    return false;
}
