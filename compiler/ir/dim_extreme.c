/* The larger and the smaller of two sizes. */
#include "ir/dim_internal.h"

/* Of `max` a size that is surely at least as large leaves no room for the other, of `min` one that is at most as large.
 */
static bool covers(DimTable *table, DimStep op, Dim a, Dim b)
{
    int64_t x, y;
    if (dim_is_constant(table, a, &x) && dim_is_constant(table, b, &y)) return op == DIM_OP_MAX ? x >= y : x <= y;
    return op == DIM_OP_MAX ? dim_at_least(table, a, b) : dim_at_least(table, b, a);
}

/* max(a, max(b, c)) is stored with its last operand last, each before what comes after it. */
enum { MOST_OPERANDS = 2 * (DIM_MAX_DEPTH + 1) };

static void collect(const DimTable *table, DimStep op, Dim dim, Dim *operands, uint32_t *count)
{
    const DimAtom *atom = dim_lone_atom(table, dim);
    for (; atom && !atom->symbol && atom->op == op; atom = dim_lone_atom(table, dim)) {
        operands[(*count)++] = atom->left;
        dim = atom->right;
    }
    operands[(*count)++] = dim;
}

/* Without the operands that another covers; returns how many are left. */
static uint32_t drop_covered(DimTable *table, DimStep op, Dim *operands, uint32_t count)
{
    for (uint32_t i = 0; i < count;) {
        bool covered = false;
        for (uint32_t k = 0; k < count && !covered; k++)
            covered = k != i && covers(table, op, operands[k], operands[i]);
        if (!covered) {
            i++;
            continue;
        }
        count--;
        for (uint32_t k = i; k < count; k++) operands[k] = operands[k + 1];
    }
    return count;
}

static void sort(const DimTable *table, Dim *operands, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k && dim_compare(table, operands[k], operands[k - 1]) < 0; k--) {
            Dim later = operands[k - 1];
            operands[k - 1] = operands[k];
            operands[k] = later;
        }
}

static Dim extreme(DimTable *table, DimStep op, Dim a, Dim b)
{
    Dim operands[MOST_OPERANDS];
    uint32_t count = 0;
    if (dim_is_none(a) || dim_is_none(b)) return DIM_NONE;
    collect(table, op, a, operands, &count);
    collect(table, op, b, operands, &count);
    sort(table, operands, count);
    count = drop_covered(table, op, operands, count);
    Dim result = operands[--count];
    while (count) result = dim_make_atom(table, op, operands[--count], result);
    return result;
}

Dim dim_max(DimTable *table, Dim a, Dim b)
{
    return extreme(table, DIM_OP_MAX, a, b);
}

Dim dim_min(DimTable *table, Dim a, Dim b)
{
    return extreme(table, DIM_OP_MIN, a, b);
}
