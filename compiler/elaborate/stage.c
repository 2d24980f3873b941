/* Pipelines: what a value goes through. */
#include "elaborate/elaborator.h"

static Value through_block(Elaborator *el, Scope *scope, const Syntax *block, Value x, Span x_at)
{
    if (!block->n_kids) return x;
    Scope *inner = scope_new(el, scope, scope->inside_prelude);
    for (uint32_t i = 0; i + 1 < block->n_kids; i++) {
        Value ignored;
        if (run_statement(el, inner, block->kids[i], &ignored) != FLOW_NEXT) return value_error();
    }
    const Syntax *last = block->kids[block->n_kids - 1];
    if (last->kind == SYNTAX_EXPRESSION && last->n_kids == 1)
        return apply_stage(el, inner, kid_expr(last), x, x_at, NULL);
    complain(el, DIAG_bad_stage, last->span, "a block that a value goes through ends in a pipeline, not in %s",
             syntax_phrase((SyntaxKind)last->kind));
    return value_error();
}

/* What a repeat runs over: a count, or the items of a list. */
static bool turns_of(Elaborator *el, Scope *scope, const Syntax *repeat, Value *over, int64_t *turns)
{
    *over = evaluate(el, scope, kid_count(repeat));
    if (value_is_error(*over)) return false;
    *turns = over->count;
    if (over->kind == VALUE_LIST) return true;
    if (!number_as_integer(el, *over, "the number of turns", kid_count(repeat)->span, turns)) return false;
    if (*turns >= 0) return true;
    complain(el, DIAG_negative_size, kid_count(repeat)->span, "a repeat cannot have %lld turns", (long long)*turns);
    return false;
}

/* `x |> repeat 12 { block }`, or with x NULL the statement. */
Flow run_repeat(Elaborator *el, Scope *scope, const Syntax *repeat, Value *x, Span x_at, Value *result)
{
    Value over;
    int64_t turns;
    if (!turns_of(el, scope, repeat, &over, &turns)) return FLOW_STOP;
    const char *outer = el->body.frame ? el->body.frame->turns : "";
    Flow flow = FLOW_NEXT;
    for (int64_t turn = 0; turn < turns && flow == FLOW_NEXT && !context_stopped(el->context); turn++) {
        if (!spend(el, 1, repeat->span)) break;
        Scope *inner = scope_new(el, scope, scope->inside_prelude);
        Value item = over.kind == VALUE_LIST ? over.items[turn] : value_integer(el, turn);
        if (repeat->name) scope_bind(el, inner, repeat->name, false, item, repeat->name_span);
        if (el->body.frame) el->body.frame->turns = frame_turn(el, outer, turn);
        if (!x) {
            flow = run_statements(el, inner, kid_body(repeat), result);
            continue;
        }
        *x = through_block(el, inner, kid_body(repeat), *x, x_at);
        if (value_is_error(*x)) flow = FLOW_STOP;
    }
    if (el->body.frame) el->body.frame->turns = outer;
    /* Whoever notices an interruption says so: nobody may look again. */
    return context_stopped(el->context) ? FLOW_STOP : flow;
}

static Value through_as(Elaborator *el, Scope *scope, const Syntax *stage, Value x, Span x_at)
{
    Frame *as = frame_for_as(el, stage->name);
    Value value = apply_stage(el, scope, kid_base(stage), x, x_at, as);
    frame_free(as);
    return value;
}

static Value through_name(Elaborator *el, Scope *scope, const Syntax *name, Value x, Span x_at, Frame *as)
{
    Callee callee;
    Argument argument = {.value = x, .at = x_at};
    if (scope_function(el, scope, name->name, &callee)) return call(el, scope, &callee, &argument, 1, name->span, as);
    Diag *diag =
        complain(el, DIAG_unknown_function, name->span, "there is no function or layer called `%s`", name->name);
    const char *near = items_nearest(el->items, SPACE_FUNCTION, name->name);
    if (near) diag_hint(diag, "did you mean `%s`?", near);
    return value_error();
}

/* Anything but a direct call runs inside the frame that `as` or an instance gives. */
static Value in_frame(Elaborator *el, Scope *scope, const Syntax *stage, Value x, Span x_at, Frame *as)
{
    Frame *outer = el->body.frame;
    el->body.frame = as;
    Value value = apply_stage(el, scope, stage, x, x_at, NULL);
    el->body.frame = outer;
    return value;
}

static Value apply_one(Elaborator *el, Scope *scope, const Syntax *stage, Value x, Span x_at, Frame *as)
{
    Argument first = {.value = x, .at = x_at};
    Value ignored;
    if (stage->kind == SYNTAX_NAME) return through_name(el, scope, stage, x, x_at, as);
    if (stage->kind == SYNTAX_CALL) return call_syntax(el, scope, stage, &first, as);
    if (as) return in_frame(el, scope, stage, x, x_at, as);
    switch (stage->kind) {
    case SYNTAX_PIPE:
        x = apply_stage(el, scope, kid_head(stage), x, x_at, NULL);
        return apply_stage(el, scope, kid_stage(stage), x, x_at, NULL);
    case SYNTAX_BLOCK:
        return through_block(el, scope, stage, x, x_at);
    case SYNTAX_REPEAT:
        return run_repeat(el, scope, stage, &x, x_at, &ignored) == FLOW_NEXT ? x : value_error();
    case SYNTAX_AS:
        return through_as(el, scope, stage, x, x_at);
    case SYNTAX_SUBSCRIPT:
        return subscript(el, scope, stage, apply_stage(el, scope, kid_base(stage), x, x_at, NULL));
    default: {
        Diag *diag = complain(el, DIAG_bad_stage, stage->span, "a value cannot go through %s",
                              syntax_phrase((SyntaxKind)stage->kind));
        diag_hint(diag, "a stage is a function, a layer, or a call that lacks its first argument: `|> dense(10)`");
        return value_error();
    }
    }
}

Value apply_stage(Elaborator *el, Scope *scope, const Syntax *stage, Value x, Span x_at, Frame *as)
{
    if (value_is_error(x) || !stage) return value_error();
    Value value = enter_level(el, stage->span) ? apply_one(el, scope, stage, x, x_at, as) : value_error();
    context_ascend(el->context);
    return value;
}
