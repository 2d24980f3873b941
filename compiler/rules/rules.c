/* Loading: the syntax tree of a rule file to terms. */
#include "rules/rules.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "grammar/parser.h"
#include "rules/rules_internal.h"
#include "support/embed.h"

extern const EmbeddedText embedded_rules[];

typedef struct {
    Context *context;
    Rule *rule;
    bool pattern; /* the left side, where names are bound */
    bool ok;
} Loader;

static const RuleTerm *bad(Loader *loader, const Syntax *at, const char *why)
{
    diag_new(loader->context->diagnostics, DIAG_bad_rule, at->span, "%s", why);
    loader->ok = false;
    return NULL;
}

static const RuleTerm *compile(Loader *loader, const Syntax *syntax);

static const RuleTerm *number(Loader *loader, double value)
{
    RuleTerm *term = ARENA_NEW(loader->context->arena, RuleTerm);
    *term = (RuleTerm){.kind = TERM_NUMBER, .number = value, .axes = -1};
    return term;
}

static const RuleTerm *apply(Loader *loader, Op op, int axes, Syntax *const *kids, uint32_t n_kids, bool swap)
{
    RuleTerm *term = ARENA_NEW(loader->context->arena, RuleTerm);
    *term = (RuleTerm){.kind = TERM_APPLY, .op = op, .axes = axes, .n_args = n_kids};
    term->reduces = op_info(op)->class == OP_CLASS_REDUCTION;
    for (uint32_t i = 0; i < n_kids; i++) {
        const RuleTerm *arg = compile(loader, kids[swap ? n_kids - 1 - i : i]);
        if (!arg) return NULL;
        bool reduction = arg->kind == TERM_APPLY && op_info(arg->op)->class == OP_CLASS_REDUCTION;
        if (term->reduces && reduction) return bad(loader, kids[i], "a reduction of a reduction is not known to rules");
        term->args[i] = arg;
    }
    for (uint32_t i = 0; i < n_kids; i++) term->reduces |= term->args[i]->reduces;
    if (op == OP_NEG && term->args[0]->kind == TERM_NUMBER) return number(loader, -term->args[0]->number);
    return term;
}

static const RuleTerm *compile_name(Loader *loader, const Syntax *syntax)
{
    Rule *rule = loader->rule;
    if (!strcmp(syntax->name, "pi")) return number(loader, 3.141592653589793);
    if (!strcmp(syntax->name, "inf")) return number(loader, INFINITY);
    RuleTerm *term = ARENA_NEW(loader->context->arena, RuleTerm);
    *term = (RuleTerm){.kind = TERM_VARIABLE, .axes = -1};
    if (!strcmp(syntax->name, "out") && !loader->pattern) {
        term->kind = TERM_OUT;
        return term;
    }
    while (term->variable < rule->n_variables && rule->variables[term->variable] != syntax->name) term->variable++;
    if (term->variable == rule->n_variables) {
        if (!loader->pattern) return bad(loader, syntax, "the pattern binds no such name");
        if (rule->n_variables == RULE_VARIABLES) return bad(loader, syntax, "a rule has at most 8 names");
        rule->variables[rule->n_variables++] = syntax->name;
    }
    return term;
}

/* The index of the axes name in `op[a]`; -1 after a diagnostic. */
static int compile_axes(Loader *loader, const Syntax *subs)
{
    Rule *rule = loader->rule;
    const Syntax *sub = subs->n_kids == 2 && !kid_condition(subs) ? kid_sub(subs) : NULL;
    if (!sub || sub->kind != SYNTAX_NAME) {
        bad(loader, subs, "one name of axes stands in brackets here");
        return -1;
    }
    uint32_t i = 0;
    while (i < rule->n_axes && rule->axes[i] != sub->name) i++;
    if (i < rule->n_axes) return (int)i;
    if (!loader->pattern || i == RULE_AXES) {
        bad(loader, subs, loader->pattern ? "a rule has at most 4 names of axes" : "the pattern binds no such axes");
        return -1;
    }
    rule->axes[rule->n_axes++] = sub->name;
    return (int)i;
}

static const RuleTerm *compile_call(Loader *loader, const Syntax *syntax)
{
    const Syntax *callee = kid_callee(syntax);
    int axes = -1;
    bool along = callee->kind == SYNTAX_SUBSCRIPT;
    const Syntax *name = along ? kid_base(callee) : callee;
    if (name->kind != SYNTAX_NAME) return bad(loader, callee, "an operator's name stands here");
    Op op = op_parse(name->name, strlen(name->name));
    if (along && op == OP_MAX) op = OP_REDUCE_MAX;
    if (along && op == OP_MIN) op = OP_REDUCE_MIN;
    if (op == OP_COUNT) return bad(loader, name, "there is no such operator");
    OpClass class = op_info(op)->class;
    if (along != (class == OP_CLASS_REDUCTION || class == OP_CLASS_CUMULATIVE) ||
        (!along && class != OP_CLASS_ELEMENTWISE) || op == OP_CAST)
        return bad(loader, callee, "rules know elementwise operators, and with axes reductions and cumulative ones");
    if (syntax->n_kids - 1 != (uint32_t)op_info(op)->arity)
        return bad(loader, syntax, "the number of operands is wrong");
    if (along && (axes = compile_axes(loader, kid_subs(callee))) < 0) return NULL;
    return apply(loader, op, axes, syntax->kids + 1, syntax->n_kids - 1, false);
}

static const RuleTerm *compile_operator(Loader *loader, const Syntax *syntax)
{
    bool swaps;
    Op op = rule_op((Operator)syntax->op, &swaps);
    if (op_info(op)->class != OP_CLASS_ELEMENTWISE) return bad(loader, syntax, "rules do not know this operator");
    return apply(loader, op, -1, syntax->kids, syntax->n_kids, swaps);
}

static const RuleTerm *compile(Loader *loader, const Syntax *syntax)
{
    RuleTerm *term;
    switch (syntax->kind) {
    case SYNTAX_NUMBER:
        return number(loader, syntax->number);
    case SYNTAX_BOOL:
        return number(loader, (double)syntax->integer);
    case SYNTAX_NAME:
        return compile_name(loader, syntax);
    case SYNTAX_CALL:
        return compile_call(loader, syntax);
    case SYNTAX_UNARY:
    case SYNTAX_BINARY:
        return compile_operator(loader, syntax);
    case SYNTAX_CHOOSE:
        return apply(loader, OP_SELECT, -1, syntax->kids, 3, false);
    case SYNTAX_STRING:
        term = ARENA_NEW(loader->context->arena, RuleTerm);
        *term = (RuleTerm){.kind = TERM_REASON, .reason = syntax->text, .axes = -1};
        return term;
    default:
        return bad(loader, syntax, "rules do not know this expression");
    }
}

static bool load_rule(Loader *loader, const Source *source, const Syntax *syntax)
{
    Rule *rule = loader->rule;
    bool partial = !strcmp(syntax->name, "partial");
    rule->kind = syntax->name;
    rule->place = syntax->span;
    rule->condition = kid_condition(syntax);
    rule->text = arena_text(loader->context->arena, source->text + (syntax->span.start - source->start),
                            syntax->span.end - syntax->span.start);
    loader->pattern = true;
    rule->pattern = compile(loader, kid_pattern(syntax));
    loader->pattern = false;
    if (!rule->pattern) return false;
    if (rule->pattern->kind != TERM_APPLY) return bad(loader, kid_pattern(syntax), "a pattern begins with an operator");

    rule->n_results = syntax_kid_count(syntax, KID_result);
    if (partial != !!(syntax->flags & SYNTAX_EQUALS) || rule->n_results != (partial ? rule->pattern->n_args : 1))
        return bad(loader, syntax,
                   partial ? "`partial op(x, y) = a, b`: one result for each operand"
                           : "`pattern => result` with one result");
    for (uint32_t i = 0; i < rule->n_results; i++)
        if (!(rule->results[i] = compile(loader, syntax_kid_at(syntax, KID_result, i)))) return false;
    return true;
}

RuleSet *rules_load(Context *context, const char *name, const char *text)
{
    size_t errors = diagnostics_errors(context->diagnostics);
    const Source *source = source_add(context->sources, name, text, strlen(text));
    if (!source) return NULL;
    Syntax *file = parse_rules(context, source);
    if (diagnostics_errors(context->diagnostics) > errors) return NULL;

    RuleSet *set = ARENA_NEW(context->arena, RuleSet);
    const Rule **end[OP_COUNT];
    for (int op = 0; op < OP_COUNT; op++) end[op] = &set->first[op];
    set->rules = ARENA_ARRAY(context->arena, Rule, file->n_kids ? file->n_kids : 1);
    bool ok = true;
    for (uint32_t i = 0; i < file->n_kids; i++) {
        Rule *rule = &set->rules[set->count++];
        Loader loader = {context, rule, false, true};
        if (!load_rule(&loader, source, file->kids[i])) {
            ok = false;
            continue;
        }
        *end[rule->pattern->op] = rule;
        end[rule->pattern->op] = &rule->next;
    }
    return ok ? set : NULL;
}

const RuleSet *rules_load_builtin(Context *context, const char *file)
{
    const RuleSet *kept = context_kept(context, file);
    for (const EmbeddedText *text = embedded_rules; !kept && text->name; text++) {
        if (strcmp(text->name, file)) continue;
        kept = rules_load(context, text->name, text->text);
        if (kept) context_keep(context, text->name, kept);
    }
    return kept;
}

/* ---- use */

Node rules_apply(const RuleSet *set, Graph *graph, Node node, const Rule **applied)
{
    DType dtype = node_type(graph, node)->dtype;
    Match match;
    for (const Rule *rule = set->first[node_op(graph, node)]; rule; rule = rule->next) {
        if (!rule_match(rule, graph, node, &match)) continue;
        Node result = rule_build(&match, rule->results[0], dtype);
        if (node_is_none(result)) continue;
        if (applied) *applied = rule;
        return result;
    }
    return NODE_NONE;
}

PartialKind rules_partial(const RuleSet *set, Graph *graph, Node node, uint32_t operand, Node *partial,
                          const char **reason)
{
    DType dtype = node_type(graph, node)->dtype;
    Match match;
    for (const Rule *rule = set->first[node_op(graph, node)]; rule; rule = rule->next) {
        if (!rule_match(rule, graph, node, &match)) continue;
        const RuleTerm *result = rule->results[match.swapped ? 1 - operand : operand];
        if (result->kind == TERM_REASON) {
            if (reason) *reason = result->reason;
            return PARTIAL_NONE;
        }
        if (result->kind == TERM_NUMBER && result->number == 0) return PARTIAL_ZERO;
        *partial = rule_build(&match, result, dtype);
        if (!node_is_none(*partial)) return PARTIAL_VALUE;
    }
    return PARTIAL_MISSING;
}

uint32_t rules_count(const RuleSet *set)
{
    return set->count;
}

const Rule *rules_at(const RuleSet *set, uint32_t index)
{
    assert(index < set->count);
    return &set->rules[index];
}

const char *rule_text(const Rule *rule)
{
    return rule->text;
}

const char *rule_kind(const Rule *rule)
{
    return rule->kind;
}

Op rule_root(const Rule *rule)
{
    return rule->pattern->op;
}

Span rule_place(const Rule *rule)
{
    return rule->place;
}

uint32_t rule_variables(const Rule *rule, const Name **names)
{
    if (names) *names = rule->variables;
    return rule->n_variables;
}
