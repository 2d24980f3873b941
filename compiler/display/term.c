#include "display/term.h"

#include <stdlib.h>
#include <string.h>

#include "support/vector.h"

/* Factors of a product in reading order. */
enum { RANK_NUMBER, RANK_PARAM, RANK_SIZE, RANK_NAME, RANK_POWER, RANK_CALL, RANK_SUM };

int term_compare(const Term *a, const Term *b)
{
    if (a == b) return 0;
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->number != b->number) return a->number < b->number ? -1 : 1;
    if (a->name != b->name) {
        int order = strcmp(a->name ? a->name : "", b->name ? b->name : "");
        if (order) return order;
    }
    int notes = strcmp(a->note ? a->note : "", b->note ? b->note : "");
    if (notes) return notes;
    if (a->n_kids != b->n_kids) return a->n_kids < b->n_kids ? -1 : 1;
    for (uint32_t i = 0; i < a->n_kids; i++) {
        int order = term_compare(a->kids[i], b->kids[i]);
        if (order) return order;
        if (a->powers && a->powers[i] != b->powers[i]) return a->powers[i] < b->powers[i] ? -1 : 1;
    }
    return 0;
}

static Term *make(Arena *arena, TermKind kind, int rank, uint32_t n_kids)
{
    Term *term = ARENA_NEW(arena, Term);
    term->kind = kind;
    term->rank = rank;
    term->n_kids = n_kids;
    term->kids = ARENA_ARRAY(arena, Term *, n_kids);
    if (kind == TERM_PRODUCT || kind == TERM_SUM) term->powers = ARENA_ARRAY(arena, double, n_kids);
    return term;
}

static Term *number(Arena *arena, double value)
{
    Term *term = make(arena, TERM_NUMBER, RANK_NUMBER, 0);
    term->number = value;
    return term;
}

static Term *name(Arena *arena, const char *text, int rank)
{
    Term *term = make(arena, TERM_NAME, rank, 0);
    term->name = text;
    return term;
}

/* Room for one more kid in a product or sum under construction. */
static void append(Arena *arena, Term *list, Term *kid, double power)
{
    Term **kids = ARENA_ARRAY(arena, Term *, list->n_kids + 1);
    double *powers = ARENA_ARRAY(arena, double, list->n_kids + 1);
    if (list->n_kids) {
        memcpy(kids, list->kids, list->n_kids * sizeof *kids);
        memcpy(powers, list->powers, list->n_kids * sizeof *powers);
    }
    kids[list->n_kids] = kid;
    powers[list->n_kids] = power;
    list->kids = kids;
    list->powers = powers;
    list->n_kids++;
}

/* Adds `power` to the entry of an equal kid, or appends it; an entry that becomes 0 goes. */
static void gather(Arena *arena, Term *list, Term *kid, double power)
{
    for (uint32_t i = 0; i < list->n_kids; i++) {
        if (term_compare(list->kids[i], kid)) continue;
        list->powers[i] += power;
        if (list->powers[i] == 0) {
            memmove(list->kids + i, list->kids + i + 1, (list->n_kids - i - 1) * sizeof *list->kids);
            memmove(list->powers + i, list->powers + i + 1, (list->n_kids - i - 1) * sizeof *list->powers);
            list->n_kids--;
        }
        return;
    }
    append(arena, list, kid, power);
}

static double power_of(double base, double exponent)
{
    if (exponent == 1) return base;
    if (exponent == -1) return 1 / base;
    return exponent == 2 ? base * base : __builtin_pow(base, exponent);
}

/* product *= factor^exponent */
static void multiply(Arena *arena, Term *product, Term *factor, double exponent)
{
    bool whole = exponent == __builtin_floor(exponent);
    if (factor->kind == TERM_NUMBER && (whole || factor->number >= 0)) {
        product->number *= power_of(factor->number, exponent);
    } else if (factor->kind == TERM_PRODUCT && whole) {
        product->number *= power_of(factor->number, exponent);
        for (uint32_t i = 0; i < factor->n_kids; i++)
            gather(arena, product, factor->kids[i], factor->powers[i] * exponent);
    } else {
        gather(arena, product, factor, exponent);
    }
}

static int by_rank(const Term *a, double pa, const Term *b, double pb)
{
    if ((pa < 0) != (pb < 0)) return pa < 0 ? 1 : -1;
    return term_compare(a, b);
}

/* Exchanges the kid with the one before it. */
static void swap_kids(Term *term, uint32_t j)
{
    Term *kid = term->kids[j];
    double power = term->powers[j];
    term->kids[j] = term->kids[j - 1];
    term->powers[j] = term->powers[j - 1];
    term->kids[j - 1] = kid;
    term->powers[j - 1] = power;
}

/* A product of names alone reads as one thing. */
static bool is_monomial(const Term *product)
{
    for (uint32_t i = 0; i < product->n_kids; i++)
        if (product->kids[i]->kind != TERM_NAME || product->powers[i] < 0) return false;
    return true;
}

/* Sorts the factors; a product of one plain factor is that factor, of none its number. */
static Term *finish_product(Arena *arena, Term *product)
{
    if (product->number == 0) return number(arena, 0);
    for (uint32_t i = 1; i < product->n_kids; i++)
        for (uint32_t j = i; j > 0 && by_rank(product->kids[j - 1], product->powers[j - 1], product->kids[j],
                                              product->powers[j]) > 0; j--)
            swap_kids(product, j);
    if (!product->n_kids) return number(arena, product->number);
    if (product->n_kids == 1 && product->powers[0] == 1 && product->number == 1) return product->kids[0];
    product->rank = is_monomial(product) ? RANK_POWER : RANK_CALL;
    return product;
}

/* sum += factor * term */
static void accumulate(Arena *arena, Term *sum, Term *term, double factor)
{
    if (term->kind == TERM_NUMBER) {
        sum->number += factor * term->number;
    } else if (term->kind == TERM_SUM) {
        sum->number += factor * term->number;
        for (uint32_t i = 0; i < term->n_kids; i++) gather(arena, sum, term->kids[i], factor * term->powers[i]);
    } else if (term->kind == TERM_PRODUCT && term->number != 1) {
        Term *plain = make(arena, TERM_PRODUCT, term->rank, 0);
        plain->number = 1;
        multiply(arena, plain, term, 1);
        plain->number = 1;
        gather(arena, sum, finish_product(arena, plain), factor * term->number);
    } else {
        gather(arena, sum, term, factor);
    }
}

/* Addends in reading order: products and matrix products, then names, then the rest as it came. */
static int addend_class(const Term *term)
{
    if (term->kind == TERM_NAME) return 1;
    return term->kind == TERM_MATMUL || (term->kind == TERM_PRODUCT && term->rank == RANK_POWER) ? 0 : 2;
}

static bool addends_in_order(const Term *a, const Term *b)
{
    int x = addend_class(a), y = addend_class(b);
    if (x != y || x == 2) return x <= y;
    return a->kind == TERM_MATMUL || b->kind == TERM_MATMUL || term_compare(a, b) <= 0;
}

static Term *finish_sum(Arena *arena, Term *sum)
{
    for (uint32_t i = 1; i < sum->n_kids; i++)
        for (uint32_t j = i; j > 0 && !addends_in_order(sum->kids[j - 1], sum->kids[j]); j--) swap_kids(sum, j);
    uint32_t first = 0; /* what is positive stands in front: `y - x` */
    while (first < sum->n_kids && sum->powers[first] < 0) first++;
    for (uint32_t j = first; sum->number <= 0 && first < sum->n_kids && j > 0; j--) swap_kids(sum, j);
    if (!sum->n_kids) return number(arena, sum->number);
    if (sum->n_kids == 1 && sum->number == 0) {
        if (sum->powers[0] == 1) return sum->kids[0];
        Term *product = make(arena, TERM_PRODUCT, RANK_CALL, 0);
        product->number = sum->powers[0];
        multiply(arena, product, sum->kids[0], 1);
        return finish_product(arena, product);
    }
    return sum;
}

typedef struct {
    const Graph *graph;
    Arena *arena;
    Node root;
    Term **terms; /* by node id */
    Name *names;  /* likewise: what the formula calls it, or NULL */
} Builder;

static Term *kid(Builder *b, Node node, uint32_t i)
{
    return b->terms[graph_node(b->graph, node)->args[i].id];
}

static Term *call(Builder *b, Node node, const char *called, const char *note)
{
    const NodeInfo *info = graph_node(b->graph, node);
    Term *term = make(b->arena, TERM_CALL, RANK_CALL, info->n_args);
    term->name = called;
    term->note = note;
    for (uint32_t i = 0; i < info->n_args; i++) term->kids[i] = kid(b, node, i);
    return term;
}

static Term *product_of(Builder *b, Term *x, double px, Term *y, double py, double factor)
{
    Term *product = make(b->arena, TERM_PRODUCT, RANK_CALL, 0);
    product->number = factor;
    if (x) multiply(b->arena, product, x, px);
    if (y) multiply(b->arena, product, y, py);
    return finish_product(b->arena, product);
}

static Term *sum_of(Builder *b, Term *x, Term *y, double factor)
{
    Term *sum = make(b->arena, TERM_SUM, RANK_SUM, 0);
    accumulate(b->arena, sum, x, 1);
    accumulate(b->arena, sum, y, factor);
    return finish_sum(b->arena, sum);
}

static Term *infix(Builder *b, Node node, const char *sign)
{
    Term *term = call(b, node, sign, NULL);
    term->kind = TERM_INFIX;
    return term;
}

static Term *elementwise(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    Term *x = info->n_args ? kid(b, node, 0) : NULL, *y = info->n_args > 1 ? kid(b, node, 1) : NULL;
    switch (info->op) {
    case OP_NEG: return product_of(b, x, 1, NULL, 0, -1);
    case OP_ADD: return sum_of(b, x, y, 1);
    case OP_SUB: return sum_of(b, x, y, -1);
    case OP_MUL: return product_of(b, x, 1, y, 1, 1);
    case OP_DIV: return product_of(b, x, 1, y, -1, 1);
    case OP_POW: return y->kind == TERM_NUMBER ? product_of(b, x, y->number, NULL, 0, 1) : infix(b, node, "^");
    case OP_EQ: return infix(b, node, "==");
    case OP_NE: return infix(b, node, "!=");
    case OP_LT: return infix(b, node, "<");
    case OP_LE: return infix(b, node, "<=");
    case OP_AND: return infix(b, node, "and");
    case OP_OR: return infix(b, node, "or");
    case OP_MOD: return infix(b, node, "%");
    case OP_FLOOR_DIV: return infix(b, node, "//");
    case OP_CAST:
        if (x->kind == TERM_NUMBER || dtype_is_float(node_type(b->graph, info->args[0])->dtype) ||
            node_op(b->graph, info->args[0]) == OP_SIZE)
            return x;
        return call(b, node, dtype_name(info->type.dtype), NULL);
    case OP_SELECT: {
        Term *term = call(b, node, "if", NULL);
        term->kind = TERM_SELECT;
        return term;
    }
    default: return call(b, node, op_info(info->op)->spelling, NULL);
    }
}

static const char *axes_note(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const Type *type = node_type(b->graph, info->args[0]);
    if (info->attr.n_ints == type->rank) return NULL;
    Text text = {0};
    text_string(&text, info->attr.n_ints == 1 ? "axis = " : "axis = [");
    for (uint32_t i = 0; i < info->attr.n_ints; i++) text_format(&text, "%s%d", i ? ", " : "", info->attr.ints[i]);
    if (info->attr.n_ints != 1) text_string(&text, "]");
    const char *note = arena_text(b->arena, text_get(&text), text.count);
    text_free(&text);
    return note;
}

static const char *dims_note(Builder *b, const Type *type)
{
    Text text = {0};
    text_string(&text, "[");
    for (uint32_t i = 0; i < type->rank; i++) {
        if (i) text_string(&text, ", ");
        dim_print(graph_dims(b->graph), type->dims[i], &text);
    }
    text_string(&text, "]");
    const char *note = arena_text(b->arena, text_get(&text), text.count);
    text_free(&text);
    return note;
}

static const char *slice_note(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    DimTable *dims = graph_dims(b->graph);
    const Type *from = node_type(b->graph, info->args[0]);
    Text text = {0};
    for (uint32_t i = 0; i < info->type.rank; i++) {
        int64_t first = 0;
        bool zero = dim_is_constant(dims, info->attr.sizes[i], &first) && first == 0;
        if (i) text_string(&text, ", ");
        if (!zero) dim_print(dims, info->attr.sizes[i], &text);
        text_string(&text, ":");
        Dim end = dim_add(dims, info->attr.sizes[i], info->type.dims[i]);
        if (info->attr.ints[i] == 1 && !dim_same(end, from->dims[i])) dim_print(dims, end, &text);
        if (info->attr.ints[i] != 1) text_format(&text, ":%d", info->attr.ints[i]);
    }
    const char *note = arena_text(b->arena, text_get(&text), text.count);
    text_free(&text);
    return note;
}

static Term *wrap(Builder *b, TermKind kind, Term *x, Term *y)
{
    Term *term = make(b->arena, kind, RANK_CALL, y ? 2 : 1);
    term->kids[0] = x;
    if (y) term->kids[1] = y;
    return term;
}

/* a @ b with transposes where both are matrices (or vectors) and one axis is summed; else index notation. */
static Term *contraction(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    const int32_t *labels = info->attr.ints;
    uint32_t ra = node_type(b->graph, info->args[0])->rank, rb = node_type(b->graph, info->args[1])->rank;
    const int32_t *la = labels, *lb = labels + ra, *lc = lb + rb;
    Term *x = kid(b, node, 0), *y = kid(b, node, 1);
    if (ra == 2 && rb == 2 && info->type.rank == 2) {
        bool swapped = lc[0] == lb[0] || lc[0] == lb[1];
        if (swapped) {
            const int32_t *l = la;
            la = lb, lb = l;
            Term *t = x;
            x = y, y = t;
        }
        bool plain_a = la[0] == lc[0], plain_b = lb[1] == lc[1];
        int32_t ka = plain_a ? la[1] : la[0], kb = plain_b ? lb[0] : lb[1];
        if (ka == kb && (la[0] == lc[0] || la[1] == lc[0]))
            return wrap(b, TERM_MATMUL, plain_a ? x : wrap(b, TERM_T, x, NULL), plain_b ? y : wrap(b, TERM_T, y, NULL));
    }
    if (ra >= 1 && rb == 2 && info->type.rank == ra && la[ra - 1] == lb[0] && lc[ra - 1] == lb[1])
        return wrap(b, TERM_MATMUL, x, y);
    Text text = {0};
    for (uint32_t i = 0; i < info->attr.n_ints; i++) {
        if (i == ra || i == ra + rb) text_string(&text, i == ra ? "], [" : "] -> [");
        else if (i) text_string(&text, ", ");
        else text_string(&text, "[");
        text_format(&text, "%c", (char)('i' + labels[i] % 16));
    }
    text_string(&text, "]");
    Term *term = call(b, node, "contract", arena_text(b->arena, text_get(&text), text.count));
    text_free(&text);
    return term;
}

static Term *structural(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    switch (info->op) {
    case OP_BROADCAST: return kid(b, node, 0);
    case OP_RESHAPE: return call(b, node, "reshape", dims_note(b, &info->type));
    case OP_TRANSPOSE: {
        uint32_t r = info->type.rank;
        bool swap = r >= 2 && info->attr.ints[r - 1] == (int32_t)r - 2 && info->attr.ints[r - 2] == (int32_t)r - 1;
        for (uint32_t i = 0; swap && i + 2 < r; i++) swap = info->attr.ints[i] == (int32_t)i;
        return swap ? wrap(b, TERM_T, kid(b, node, 0), NULL) : call(b, node, "transpose", NULL);
    }
    case OP_SLICE: {
        Term *term = wrap(b, TERM_INDEX, kid(b, node, 0), NULL);
        term->note = slice_note(b, node);
        return term;
    }
    case OP_PAD: return call(b, node, "pad", dims_note(b, &info->type));
    case OP_SUM: return call(b, node, "sum", axes_note(b, node));
    case OP_PROD: return call(b, node, "prod", axes_note(b, node));
    case OP_REDUCE_MAX: return call(b, node, "max", axes_note(b, node));
    case OP_REDUCE_MIN: return call(b, node, "min", axes_note(b, node));
    case OP_ANY:
    case OP_ALL:
    case OP_ARGMAX:
    case OP_ARGMIN:
    case OP_LOGSUMEXP: return call(b, node, op_info(info->op)->spelling, axes_note(b, node));
    case OP_CONTRACT: return contraction(b, node);
    default: return call(b, node, op_info(info->op)->spelling, NULL);
    }
}

static Term *source(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    switch (info->op) {
    case OP_CONST: return number(b->arena, info->attr.number);
    case OP_SIZE: {
        Text text = {0};
        dim_print(graph_dims(b->graph), info->attr.sizes[0], &text);
        Term *term = name(b->arena, arena_text(b->arena, text_get(&text), text.count), RANK_SIZE);
        text_free(&text);
        return term;
    }
    case OP_PARAM: return name(b->arena, info->attr.name, RANK_PARAM);
    case OP_INPUT:
    case OP_TARGET:
    case OP_STATE:
    case OP_SETTING:
    case OP_RANDOM:
    case OP_COTANGENT: return name(b->arena, info->attr.name, RANK_NAME);
    default: return call(b, node, op_info(info->op)->spelling, dims_note(b, &info->type));
    }
}

static Term *build(Builder *b, Node node)
{
    const NodeInfo *info = graph_node(b->graph, node);
    OpClass class = op_info(info->op)->class;
    Name called = b->names[node.id];
    if (class == OP_CLASS_SOURCE) return source(b, node);
    if (called && !node_same(node, b->root)) return name(b->arena, called, RANK_NAME);
    return class == OP_CLASS_ELEMENTWISE ? elementwise(b, node) : structural(b, node);
}

/* What a node is called in the formula. A name that was bound again, or that a function's text gives at each of its
 * calls, belongs to several nodes: the last one keeps it, unless a source has it, and the others are shown by what they
 * compute. */
static void choose_names(Builder *b, const Node *nodes, uint32_t count)
{
    Vec(Name) taken = {0};
    for (uint32_t sources = 2; sources-- > 0;) {
        for (uint32_t i = count; i-- > 0;) {
            const NodeInfo *info = graph_node(b->graph, nodes[i]);
            bool source = op_info(info->op)->class == OP_CLASS_SOURCE;
            Name called = source ? info->attr.name : graph_name(b->graph, nodes[i]);
            bool free_name = called && source == (sources == 1);
            for (size_t k = 0; free_name && k < taken.count; k++) free_name = taken.at[k] != called;
            if (!free_name) continue;
            vec_push(&taken, called);
            b->names[nodes[i].id] = called;
        }
    }
    vec_free(&taken);
}

Term *term_of(const Graph *graph, Arena *arena, Node root)
{
    Builder b = {.graph = graph, .arena = arena, .root = root};
    b.terms = ARENA_ARRAY(arena, Term *, root.id + 1);
    b.names = ARENA_ARRAY(arena, Name, root.id + 1);
    uint32_t count;
    Node *nodes = graph_reachable(graph, &root, 1, &count);
    choose_names(&b, nodes, count);
    for (uint32_t i = 0; i < count; i++) b.terms[nodes[i].id] = build(&b, nodes[i]);
    free(nodes);
    return b.terms[root.id];
}
