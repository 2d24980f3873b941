/* The order of atoms, monomials and sizes: structural, so that a size prints alike whatever was made before it. */
#include <string.h>

#include "ir/dim_internal.h"

int dim_compare_atoms(const DimTable *table, uint32_t a, uint32_t b)
{
    if (a == b) return 0;
    const DimAtom *x = dim_atom(table, a), *y = dim_atom(table, b);
    if (x->symbol && y->symbol) return strcmp(x->symbol, y->symbol);
    if (x->symbol || y->symbol) return x->symbol ? -1 : 1;
    if (x->op != y->op) return x->op < y->op ? -1 : 1;
    int order = dim_compare(table, x->left, y->left);
    return order ? order : dim_compare(table, x->right, y->right);
}

uint32_t dim_degree(const DimTable *table, uint32_t monomial)
{
    size_t n;
    const DimFactor *factors = dim_factors(table, monomial, &n);
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) sum += factors[i].power;
    return sum;
}

int dim_compare_monomials(const DimTable *table, uint32_t a, uint32_t b)
{
    if (a == b) return 0;
    uint32_t da = dim_degree(table, a), db = dim_degree(table, b);
    if (da != db) return da > db ? -1 : 1;
    size_t n, m;
    const DimFactor *x = dim_factors(table, a, &n), *y = dim_factors(table, b, &m);
    for (size_t i = 0; i < n && i < m; i++) {
        int order = dim_compare_atoms(table, x[i].atom, y[i].atom);
        if (order) return order;
        if (x[i].power != y[i].power) return x[i].power > y[i].power ? -1 : 1;
    }
    return n > m ? -1 : n < m;
}

int dim_compare(const DimTable *table, Dim a, Dim b)
{
    if (a.id == b.id) return 0;
    size_t n, m;
    const DimTerm *x = dim_terms(table, a, &n), *y = dim_terms(table, b, &m);
    for (size_t i = 0; i < n && i < m; i++) {
        int order = dim_compare_monomials(table, x[i].monomial, y[i].monomial);
        if (order) return order;
        if (x[i].coefficient != y[i].coefficient) return x[i].coefficient < y[i].coefficient ? -1 : 1;
    }
    return n < m ? -1 : n > m;
}
