#include "support/context.h"

#include <stdlib.h>
#include <string.h>

Context *context_new(void)
{
    return context_new_on(NULL);
}

Context *context_new_on(const Context *base)
{
    Arena *arena = arena_new();
    Context *context = ARENA_NEW(arena, Context);
    context->arena = arena;
    context->base = base;
    context->budget = base ? base->budget : DEFAULT_BUDGET;
    context->names = interner_new(arena, base ? base->names : NULL);
    context->sources = source_map_new(arena, base ? base->sources : NULL);
    context->diagnostics = diagnostics_new(arena, context->sources);
    return context;
}

void context_free(Context *context)
{
    if (!context) return;
    diagnostics_free(context->diagnostics);
    source_map_free(context->sources);
    interner_free(context->names);
    vec_free(&context->kept);
    arena_free(context->arena);
}

void context_keep(Context *context, const char *name, const void *thing)
{
    vec_push(&context->kept, (KeptThing){name, thing});
}

bool context_descend(Context *context)
{
    return context->depth++ < DEEPEST_LEVEL;
}

void context_ascend(Context *context)
{
    context->depth--;
}

bool context_spend(Context *context, uint64_t units, Span at)
{
    context->spent = units < UINT64_MAX - context->spent ? context->spent + units : UINT64_MAX;
    if (at.end) context->place = at;
    if (context->spent <= context->budget) return true;
    if (!context_stopped(context)) {
        Diag *diag = diag_new(context->diagnostics, DIAG_over_budget, context->place,
                              "up to here compiling takes more than the budget of %llu steps",
                              (unsigned long long)context->budget);
        diag_hint(diag, "does a loop turn too often, or a function call others again and again? `--budget N` allows "
                        "more steps");
    }
    context_exhaust(context);
    return false;
}

void context_exhaust(Context *context)
{
    context->exhausted = true;
}

void context_refresh(Context *context)
{
    context->exhausted = false;
    context->spent = 0;
    context->place = NO_SPAN;
}

bool context_stop_asked(const Context *context)
{
    return context->exhausted || (context->stop && *context->stop);
}

bool context_stopped(Context *context)
{
    if (context->exhausted) return true;
    if (!context_stop_asked(context)) return false;
    diag_new(context->diagnostics, DIAG_interrupted, NO_SPAN, "interrupted: nothing of it is kept");
    return true;
}

const void *context_kept(const Context *context, const char *name)
{
    for (; context; context = context->base)
        for (size_t i = 0; i < context->kept.count; i++)
            if (!strcmp(context->kept.at[i].name, name)) return context->kept.at[i].thing;
    return NULL;
}
