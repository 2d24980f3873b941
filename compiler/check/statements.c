/* Statements: where they may stand, what they declare, what may stand on their left. */
#include <string.h>

#include "check/check.h"
#include "check/check_internal.h"

#define IN(kind) (1u << (SYNTAX_##kind))

/* The bodies in which a kind of statement may stand. */
static unsigned allowed(SyntaxKind kind)
{
    const unsigned layer = IN(MODEL) | IN(LAYER), code = layer | IN(FN) | IN(OPTIMIZER);
    switch (kind) {
    case SYNTAX_INPUT:
    case SYNTAX_TARGET:
    case SYNTAX_OUTPUT:
    case SYNTAX_METRIC:
        return IN(MODEL);
    case SYNTAX_PARAM:
    case SYNTAX_DRAW:
    case SYNTAX_INSTANCE:
    case SYNTAX_LOSS:
        return layer;
    case SYNTAX_STATE:
    case SYNTAX_UPDATE:
        return layer | IN(OPTIMIZER);
    case SYNTAX_OVERRIDE:
        return IN(TRAIN);
    case SYNTAX_RETURN:
        return IN(FN) | IN(LAYER);
    case SYNTAX_ASSERT:
    case SYNTAX_IF:
    case SYNTAX_SCAN:
    case SYNTAX_CHECKPOINT:
        return code;
    default:
        return ~0u;
    }
}

static void misplaced(Walk *walk, const Syntax *statement)
{
    SyntaxKind kind = (SyntaxKind)statement->kind;
    Diag *diag = mistake(walk, DIAG_misplaced_statement, statement->span, "%s cannot stand in %s", syntax_phrase(kind),
                         syntax_phrase(walk->body));
    bool owns = kind == SYNTAX_PARAM || kind == SYNTAX_STATE || kind == SYNTAX_DRAW || kind == SYNTAX_INSTANCE;
    if (owns && walk->body == SYNTAX_FN)
        diag_hint(diag, "a function owns nothing: make it a layer, `layer %s(…) { … }`", walk->item->name);
    else if (kind == SYNTAX_INPUT || kind == SYNTAX_TARGET || kind == SYNTAX_OUTPUT || kind == SYNTAX_METRIC)
        diag_hint(diag, "it belongs inside of `model name { … }`");
    bool names = owns || kind == SYNTAX_INPUT || kind == SYNTAX_TARGET; /* so that their uses are no mistakes too */
    for (uint32_t i = 0; names && kind != SYNTAX_INSTANCE && i < kid_names(statement)->n_kids; i++)
        know(walk, kid_names(statement)->kids[i]->name, false, kid_names(statement)->kids[i]->span);
    if (kind == SYNTAX_INSTANCE) know(walk, statement->name, true, statement->name_span);
}

static void reserved(Walk *walk, const Syntax *name)
{
    if (!strcmp(name->name, "training") && walk->body != SYNTAX_DATA) {
        Diag *diag = mistake(walk, DIAG_reserved_name, name->span, "`training` cannot be given another value");
        diag_hint(diag, "it is true while the model trains, and false otherwise");
    }
    if (walk->body == SYNTAX_OPTIMIZER && !strcmp(name->name, "w")) {
        Diag *diag = mistake(walk, DIAG_reserved_name, name->span, "`w` is the parameter itself");
        diag_hint(diag, "give it its new value by `w := …`");
    }
}

/* `f(x, y)`, as a function's definition has it behind `fn`. */
static bool reads_as_definition(const Syntax *left)
{
    bool definition = left->kind == SYNTAX_CALL;
    for (uint32_t i = 0; definition && i < left->n_kids; i++) definition = left->kids[i]->kind == SYNTAX_NAME;
    return definition;
}

void check_hint_left(Diag *diag, const Syntax *left)
{
    Text text = {0};
    syntax_print(left, &text);
    if (reads_as_definition(left))
        diag_hint(diag, "a function is defined outside of models, by `fn %s = …`", text_get(&text));
    else
        diag_hint(diag, "a name stands there, or a name with indices: `y[i, j] = …`");
    text_free(&text);
}

static void walk_left(Walk *walk, const Syntax *left)
{
    bool subscript = left->kind == SYNTAX_SUBSCRIPT && kid_base(left)->kind == SYNTAX_NAME;
    if (left->kind == SYNTAX_NAME || subscript) {
        reserved(walk, subscript ? kid_base(left) : left);
        return;
    }
    Diag *diag = mistake(walk, DIAG_bad_left_side, left->span, "%s cannot stand left of `=`",
                         syntax_phrase((SyntaxKind)left->kind));
    check_hint_left(diag, left);
}

static void walk_indexed(Walk *walk, const Syntax *left, const Syntax *right)
{
    size_t outer = walk->known.count;
    const Syntax *subs = kid_subs(left);
    for (uint32_t i = 1; i < subs->n_kids; i++) {
        const Syntax *sub = subs->kids[i];
        if (sub->kind == SYNTAX_INDEX) walk_expression(walk, kid_extent(sub));
        if (sub->kind == SYNTAX_NAME || sub->kind == SYNTAX_INDEX) know(walk, sub->name, false, sub->span);
    }
    walk_expression(walk, right);
    forget(walk, outer);
}

static void walk_bind(Walk *walk, const Syntax *statement)
{
    const Syntax *left = kid_exprs(statement), *right = kid_value(statement);
    if (walk->body == SYNTAX_TRAIN) return; /* its keys and optimizers are read with the model */
    for (uint32_t i = 0; i < left->n_kids; i++) walk_left(walk, left->kids[i]);
    if (kid_expr(left)->kind == SYNTAX_SUBSCRIPT && left->n_kids == 1)
        walk_indexed(walk, kid_expr(left), right);
    else
        walk_expression(walk, right);
    for (uint32_t i = 0; i < left->n_kids; i++) {
        const Syntax *name = left->kids[i]->kind == SYNTAX_SUBSCRIPT ? kid_base(left->kids[i]) : left->kids[i];
        if (name->kind == SYNTAX_NAME && !is_known(walk, name->name, false)) know(walk, name->name, false, name->span);
    }
    bool loss = left->n_kids == 1 && kid_expr(left)->name && !strcmp(kid_expr(left)->name, "loss");
    if (kid_paths(statement) && !loss)
        mistake(walk, DIAG_paths_without_loss, kid_paths(statement)->span, "only a loss is `for` certain parameters");
}

static void walk_declaration(Walk *walk, const Syntax *statement)
{
    bool input = statement->kind == SYNTAX_INPUT || statement->kind == SYNTAX_TARGET;
    const Syntax *names = kid_names(statement);
    walk_type(walk, kid_type(statement), input);
    if (input) walk_type_sizes(walk, kid_type(statement));
    bool drawn = statement->kind == SYNTAX_DRAW || statement->flags & SYNTAX_DRAWN;
    const Syntax *start = statement->n_kids > 2 ? kid_start(statement) : NULL;
    if (start && drawn)
        walk_stage(walk, start);
    else
        walk_expression(walk, start);
    for (uint32_t i = 0; i < names->n_kids; i++) {
        reserved(walk, names->kids[i]);
        declare(walk, names->kids[i]->name, false, names->kids[i]->span);
    }
}

/* True if it is `y == …` where `y = …` was meant; then y is taken for a value from here on. */
static bool names_by_comparing(Walk *walk, Diag *diag, const Syntax *node)
{
    while (node && node->kind == SYNTAX_PIPE) node = kid_head(node);
    if (!node || node->kind != SYNTAX_BINARY || node->op != OPERATOR_EQUAL) return false;
    const Syntax *name = kid_left(node);
    if (name->kind != SYNTAX_NAME) return false;
    diag_hint(diag, "`==` compares; a name is given a value by `=`");
    if (!is_known(walk, name->name, false)) know(walk, name->name, false, name->span);
    return true;
}

static void walk_output(Walk *walk, const Syntax *statement)
{
    const Syntax *names = kid_exprs(statement);
    if (!kid_value(statement)) {
        for (uint32_t i = 0; i < names->n_kids; i++) {
            if (names->kids[i]->kind == SYNTAX_NAME) {
                need_value(walk, names->kids[i]);
                continue;
            }
            Diag *diag = mistake(walk, DIAG_unnamed_output, names->kids[i]->span, "an output needs a name");
            if (!names_by_comparing(walk, diag, names->kids[i])) diag_hint(diag, "write `output NAME = …`");
        }
        return;
    }
    Syntax *kids[] = {kid_exprs(statement), kid_value(statement), NULL};
    Syntax bind = *statement;
    bind.kind = SYNTAX_BIND;
    bind.kids = kids;
    bind.n_kids = 3;
    walk_bind(walk, &bind);
}

static void walk_expression_statement(Walk *walk, const Syntax *statement)
{
    const Syntax *first = kid_expr(statement);
    if (statement->n_kids == 1 && first && first->kind == SYNTAX_REPEAT) {
        size_t outer = walk->known.count;
        walk_expression(walk, kid_count(first));
        know(walk, first->name, false, first->name_span);
        walk_block(walk, kid_body(first));
        forget(walk, outer);
        return;
    }
    Diag *diag = mistake(walk, DIAG_bare_expression, statement->span, "this value is computed and thrown away");
    if (statement->n_kids > 1 || !names_by_comparing(walk, diag, first))
        diag_hint(diag, "give it a name, or, if it continues the line above, end that line with its operator");
}

static void walk_update(Walk *walk, const Syntax *statement)
{
    const Syntax *target = kid_target(statement);
    if (target->kind == SYNTAX_NAME)
        need_value(walk, target);
    else
        mistake(walk, DIAG_not_a_state, target->span, "%s cannot stand left of `:=`, which gives a state a new value",
                syntax_phrase((SyntaxKind)target->kind));
    walk_expression(walk, kid_value(statement));
}

static void walk_scan(Walk *walk, const Syntax *statement)
{
    size_t outer = walk->known.count;
    walk_expression(walk, kid_extent(statement));
    know(walk, statement->name, false, statement->name_span);
    walk_block(walk, kid_body(statement));
    forget(walk, outer);
    /* What the body collects, `y[:, t] = h`, belongs to the block around. */
    for (uint32_t i = 0; i < kid_body(statement)->n_kids; i++) {
        const Syntax *inner = kid_body(statement)->kids[i];
        const Syntax *left = inner && inner->kind == SYNTAX_BIND ? kid_expr(kid_exprs(inner)) : NULL;
        if (left && left->kind == SYNTAX_SUBSCRIPT) know(walk, kid_base(left)->name, false, kid_base(left)->span);
    }
}

void walk_statement(Walk *walk, const Syntax *statement)
{
    if (!(allowed((SyntaxKind)statement->kind) & 1u << walk->body)) {
        misplaced(walk, statement);
        return;
    }
    switch (statement->kind) {
    case SYNTAX_INPUT:
    case SYNTAX_TARGET:
    case SYNTAX_PARAM:
    case SYNTAX_STATE:
    case SYNTAX_DRAW:
        walk_declaration(walk, statement);
        return;
    case SYNTAX_INSTANCE:
        walk_stage(walk, kid_value(statement));
        declare(walk, statement->name, true, statement->name_span);
        return;
    case SYNTAX_BIND:
        walk_bind(walk, statement);
        return;
    case SYNTAX_UPDATE:
        walk_update(walk, statement);
        return;
    case SYNTAX_OUTPUT:
        walk_output(walk, statement);
        return;
    case SYNTAX_EXPRESSION:
        walk_expression_statement(walk, statement);
        return;
    case SYNTAX_LOSS:
    case SYNTAX_CONST:
        walk_expression(walk, kid_value(statement));
        know(walk, statement->name, false, statement->name_span);
        return;
    case SYNTAX_IF:
        walk_expression(walk, kid_condition(statement));
        walk_block(walk, kid_then(statement));
        if (kid_else(statement) && kid_else(statement)->kind == SYNTAX_IF)
            walk_statement(walk, kid_else(statement));
        else if (kid_else(statement))
            walk_block(walk, kid_else(statement));
        return;
    case SYNTAX_SCAN:
        walk_scan(walk, statement);
        return;
    case SYNTAX_CHECKPOINT:
        walk_block(walk, kid_body(statement));
        return;
    case SYNTAX_OVERRIDE:
        return;
    case SYNTAX_ASSERT:
        walk_expression(walk, kid_condition(statement));
        return;
    case SYNTAX_METRIC:
    case SYNTAX_RETURN:
        for (uint32_t i = 0; i < statement->n_kids; i++) walk_expression(walk, statement->kids[i]);
        return;
    default:
        mistake(walk, DIAG_misplaced_statement, statement->span, "%s cannot stand in a block",
                syntax_phrase((SyntaxKind)statement->kind));
    }
}

void walk_block(Walk *walk, const Syntax *block)
{
    size_t outer = walk->known.count, outer_block = walk->block;
    walk->block = outer;
    for (uint32_t i = 0; i < block->n_kids && walk->mistakes < MAX_MISTAKES; i++)
        if (block->kids[i]) walk_statement(walk, block->kids[i]);
    leave_block(walk, outer);
    walk->block = outer_block;
}
