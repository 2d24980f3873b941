/* Sizes, and what is reduced along axes. */
#include <string.h>

#include "display/term_internal.h"
#include "support/vector.h"

const char *term_text(TermBuilder *b, Text *text)
{
    const char *kept = arena_text(b->arena, text_get(text), text->count);
    text_free(text);
    return kept;
}

static const char *axes_note(TermBuilder *b, Node node, bool keep)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const Type *type = node_type(b->graph, info->args[0]);
    if (info->attr.n_ints == type->rank && !keep) return NULL;
    Text text = {0};
    text_string(&text, info->attr.n_ints == 1 ? "axis = " : "axis = [");
    for (uint32_t i = 0; i < info->attr.n_ints; i++) text_format(&text, "%s%d", i ? ", " : "", info->attr.ints[i]);
    if (info->attr.n_ints != 1) text_string(&text, "]");
    if (keep) text_string(&text, ", keep = true");
    return term_text(b, &text);
}

const char *term_dims_note(TermBuilder *b, const Type *type)
{
    Text text = {0};
    text_string(&text, "[");
    for (uint32_t i = 0; i < type->rank; i++) {
        if (i) text_string(&text, ", ");
        dim_print(graph_dims(b->graph), type->dims[i], &text);
    }
    text_string(&text, "]");
    return term_text(b, &text);
}

/* A size as a term: its factors can be cancelled. */
typedef struct {
    TermBuilder *b;
    Vec(Term *) stack;
} SizeTerm;

static void size_step(void *data, DimStep step, int64_t constant, Name symbol)
{
    SizeTerm *size = data;
    Arena *arena = size->b->arena;
    if (step == DIM_PUSH_CONSTANT) {
        vec_push(&size->stack, term_number(arena, (double)constant));
    } else if (step == DIM_PUSH_SYMBOL) {
        Term *name = term_name(arena, symbol, RANK_SIZE);
        name->scalar = true;
        vec_push(&size->stack, name);
    } else {
        Term *y = vec_pop(&size->stack), *x = vec_pop(&size->stack), *result;
        if (step == DIM_OP_ADD) {
            result = term_sum(arena, x, y, 1);
        } else if (step == DIM_OP_MUL) {
            result = term_product(arena, x, 1, y, 1, 1);
        } else {
            bool prefix;
            const char *spelling = dim_spelling(step, &prefix);
            result = term_make(arena, prefix ? TERM_CALL : TERM_INFIX, RANK_CALL, 2);
            result->name = spelling;
            result->kids[0] = x;
            result->kids[1] = y;
            result->scalar = true;
        }
        vec_push(&size->stack, result);
    }
}

Term *term_size_of(TermBuilder *b, Dim dim)
{
    SizeTerm size = {.b = b};
    dim_postfix(graph_dims(b->graph), dim, size_step, &size);
    Term *term = vec_pop(&size.stack);
    vec_free(&size.stack);
    return term;
}

/* How many elements a reduction puts together. */
static Term *reduced_count(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const Type *type = node_type(b->graph, info->args[0]);
    Dim dims[MAX_RANK];
    for (uint32_t i = 0; i < info->attr.n_ints; i++) dims[i] = type->dims[info->attr.ints[i]];
    return term_size_of(b, dim_product(graph_dims(b->graph), dims, info->attr.n_ints));
}

/* The node that the formula calls so; NODE_NONE when there is none. */
static Node called(const TermBuilder *b, Name name)
{
    for (uint32_t id = 0; id <= b->root.id; id++)
        if (b->names[id] == name) return (Node){id};
    return NODE_NONE;
}

/* True if what is summed adds up to 1: a row of `one_hot`, however long it is, or of `softmax`. */
static bool is_share(TermBuilder *b, Node node, const Term *x)
{
    const NodeInfo *info = graph_node(b->graph, node);
    uint32_t rank = node_type(b->graph, info->args[0])->rank, axis = (uint32_t)info->attr.ints[0];
    if (info->attr.n_ints != 1) return false;
    if (x->kind == TERM_CALL && axis + 1 == rank)
        return !strcmp(x->name, "one_hot") || (!strcmp(x->name, "softmax") && !x->note);
    Node named = x->kind == TERM_NAME ? called(b, x->name) : NODE_NONE;
    if (node_is_none(named) || node_op(b->graph, named) != OP_SOFTMAX) return false;
    const NodeInfo *softmax = graph_node(b->graph, named);
    return softmax->type.rank == rank && softmax->attr.integer == axis;
}

static Term *summed(TermBuilder *b, Node node, Term *x, Term *count, bool keep);

/* Addend by addend, where one of them is the same everywhere or a share; NULL elsewhere. */
static Term *summed_apart(TermBuilder *b, Node node, const Term *x, Term *count, bool keep)
{
    if (x->kind != TERM_SUM) return NULL;
    Term *sum = term_begin_sum(b->arena), *rest = term_begin_sum(b->arena);
    for (uint32_t i = 0; i < x->n_kids; i++) {
        bool apart = x->kids[i]->scalar || is_share(b, node, x->kids[i]);
        Term *kid = apart ? summed(b, node, x->kids[i], count, keep) : x->kids[i];
        term_accumulate(b->arena, apart ? sum : rest, kid, x->powers[i]);
    }
    if (x->number == 0 && rest->n_kids == x->n_kids) return NULL;
    if (x->number != 0) term_accumulate(b->arena, sum, count, x->number);
    if (rest->n_kids) term_accumulate(b->arena, sum, summed(b, node, term_finish_sum(b->arena, rest), count, keep), 1);
    return term_factor_sum(b->arena, sum);
}

/* A sum of x; scalars stand outside, and a sum of nothing else is a multiple. */
static Term *summed(TermBuilder *b, Node node, Term *x, Term *count, bool keep)
{
    Term *scalar;
    x = term_take_scalars(b->arena, x, &scalar);
    if (!x) return term_product(b->arena, scalar, 1, count, 1, 1);
    Term *sum = is_share(b, node, x) ? term_number(b->arena, 1) : summed_apart(b, node, x, count, keep);
    if (!sum) {
        sum = term_call(b, node, "sum", axes_note(b, node, keep));
        sum->kids[0] = x;
        sum->count = count;
        sum->scalar = node_type(b->graph, node)->rank == 0;
    }
    return scalar ? term_product(b->arena, scalar, 1, sum, 1, 1) : sum;
}

bool term_is_reduced(const NodeInfo *reduction, uint32_t axis)
{
    for (uint32_t i = 0; i < reduction->attr.n_ints; i++)
        if ((uint32_t)reduction->attr.ints[i] == axis) return true;
    return false;
}

Term *term_reduction(TermBuilder *b, Node node, bool keep)
{
    const char *name = op_info(node_op(b->graph, node))->spelling;
    if (!strcmp(name, "sum")) return summed(b, node, term_kid(b, node, 0), reduced_count(b, node), keep);
    if (!strncmp(name, "reduce_", 7)) name += 7;
    return term_call(b, node, name, axes_note(b, node, keep));
}

/* softmax and the like go along the last axis unless another one is named. */
const char *term_axis_note(TermBuilder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    if (info->attr.integer + 1 == info->type.rank) return NULL;
    return arena_format(b->arena, "axis = %lld", (long long)info->attr.integer);
}
