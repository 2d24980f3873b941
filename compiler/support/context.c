#include "support/context.h"

Context *context_new(void)
{
    Arena *arena = arena_new();
    Context *context = ARENA_NEW(arena, Context);
    context->arena = arena;
    context->names = interner_new(arena);
    context->sources = source_map_new(arena);
    context->diagnostics = diagnostics_new(arena, context->sources);
    return context;
}

void context_free(Context *context)
{
    if (!context) return;
    diagnostics_free(context->diagnostics);
    source_map_free(context->sources);
    interner_free(context->names);
    arena_free(context->arena);
}
