/* Symbolic sizes: polynomials with integer coefficients over named symbols and the atoms `a // b`, `max(a, b)` and
 * `min(a, b)` (`batch * (h // 2)`). They are interned in canonical form: two polynomials over the same atoms are equal
 * exactly when their handles are. */
#ifndef NNC_IR_DIM_H
#define NNC_IR_DIM_H

#include <stdbool.h>
#include <stdint.h>

#include "support/arena.h"
#include "support/intern.h"
#include "support/text.h"

/* A size; {0} is no size. Compare with dim_same. */
typedef struct {
    uint32_t id;
} Dim;

#define DIM_NONE ((Dim){0})

typedef struct DimTable DimTable;

DimTable *dim_table_new(Arena *arena, Interner *names);
void dim_table_free(DimTable *table);

/* Arithmetic gives DIM_NONE where 64 bits do not hold a coefficient, a size becomes too long a formula, the divisor is
 * 0, or an operand is DIM_NONE. */
Dim dim_constant(DimTable *table, int64_t value);
Dim dim_symbol(DimTable *table, Name name);
/* How much work sizes have taken since it was asked last, in units (context_spend). */
uint64_t dim_take_work(DimTable *table);

Dim dim_add(DimTable *table, Dim a, Dim b);
Dim dim_sub(DimTable *table, Dim a, Dim b);
Dim dim_mul(DimTable *table, Dim a, Dim b);
/* floor(a / b). Exact polynomial quotients stay polynomials ((2*h) // 2 is h, (h*w) // w is h); others become atoms. */
Dim dim_floor_div(DimTable *table, Dim a, Dim b);
/* a - b * (a // b) */
Dim dim_modulo(DimTable *table, Dim a, Dim b);
/* The larger and the smaller one: in any order and nesting of operands the same size, without those that dim_at_least
 * knows another to cover. */
Dim dim_max(DimTable *table, Dim a, Dim b);
Dim dim_min(DimTable *table, Dim a, Dim b);
Dim dim_product(DimTable *table, const Dim *dims, uint32_t count);
/* True if the product is surely computed with coefficients up to `most`, in any order and with factors left out. */
bool dim_product_fits(const DimTable *table, const Dim *dims, uint32_t count, int64_t most);

static inline bool dim_same(Dim a, Dim b)
{
    return a.id == b.id;
}
static inline bool dim_is_none(Dim a)
{
    return a.id == 0;
}
bool dim_is_constant(const DimTable *table, Dim dim, int64_t *value);
/* True when the size is one bare symbol. */
bool dim_is_symbol(const DimTable *table, Dim dim, Name *name);
/* The greatest common divisor of two coefficients, not negative. */
int64_t dim_common_divisor(int64_t a, int64_t b);
/* True when a = b * quotient as polynomials. */
bool dim_divides(DimTable *table, Dim a, Dim b, Dim *quotient);
/* True if a >= b is certain, whatever numbers of at least 0 the symbols are. */
bool dim_at_least(DimTable *table, Dim a, Dim b);
/* The same where each of `count` sizes, `natural`, is known to be at least 0. Only those are used whose symbols occur
 * in a - b. */
bool dim_at_least_given(DimTable *table, Dim a, Dim b, const Dim *natural, uint32_t count);
bool dim_mentions(const DimTable *table, Dim dim, Name symbol);
/* Calls visit for each symbol that occurs, in order of first appearance, possibly more than once. */
void dim_symbols(const DimTable *table, Dim dim, void (*visit)(void *data, Name symbol), void *data);

/* The same size with each symbol replaced by what `map` gives for it (DIM_NONE keeps it). */
Dim dim_substitute(DimTable *table, Dim dim, Dim (*map)(void *data, Name symbol), void *data);
/* The value once every symbol has one. False when a symbol is unknown, a divisor is 0 or 64 bits do not hold it. */
bool dim_evaluate(const DimTable *table, Dim dim, bool (*value)(void *data, Name symbol, int64_t *out), void *data,
                  int64_t *result);

/* A walk in postfix order, for whoever compiles a size to another form: PUSH constant, PUSH symbol, then operators. */
typedef enum {
    DIM_PUSH_CONSTANT,
    DIM_PUSH_SYMBOL,
#define DIM_OP(id, spelling, prefix, function, whole) DIM_OP_##id,
#include "ir/dim_ops.def"
#undef DIM_OP
} DimStep;
void dim_postfix(const DimTable *table, Dim dim, void (*emit)(void *data, DimStep step, int64_t constant, Name symbol),
                 void *data);

/* How many values the code holds at once, NN_SIZE_STACK at most with a condition around it. */
uint32_t dim_stack(const DimTable *table, Dim dim);
/* How an operator is written: `max(a, b)` where it is a prefix, else `a // b`. */
const char *dim_spelling(DimStep op, bool *prefix);
/* What an operator makes of two sizes. */
Dim dim_apply(DimTable *table, DimStep op, Dim a, Dim b);

/* As in the language: `2*batch*h + 1`, `h // 2`, `max(h - 3, 1)`. */
void dim_print(const DimTable *table, Dim dim, Text *to);
/* The same of a quotient: `n / 2`, `(n + 3) / 2`, or `n` alone where the divisor is 1. */
void dim_print_quotient(const DimTable *table, Dim dim, Dim divisor, Text *to);
/* Reads what dim_print writes from *at and moves it past; DIM_NONE when it is not a size. */
Dim dim_parse(DimTable *table, const char **at);

#endif
