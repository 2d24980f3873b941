/* Contractions: where sums stand while leaves are added, and what happens to finished ones. */
#include <string.h>

#include "contract_internal.h"

/* Inline: of a size that is known, a copy is one move. */
static inline void gather(char *to, int64_t to_row, int64_t to_column, const char *from, int64_t from_row,
                          int64_t from_column, int64_t rows, int64_t columns, int32_t size)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++)
            memcpy(to + (i * to_row + j * to_column) * size, from + (i * from_row + j * from_column) * size,
                   (size_t)size);
}

void nn_gather(char *to, int64_t to_row, int64_t to_column, const char *from, int64_t from_row, int64_t from_column,
               int64_t rows, int64_t columns, int32_t size)
{
    if (size == sizeof(float))
        gather(to, to_row, to_column, from, from_row, from_column, rows, columns, sizeof(float));
    else
        gather(to, to_row, to_column, from, from_row, from_column, rows, columns, sizeof(double));
}

void nn_place_sums(nn_contract_task *t, int64_t waiting)
{
    const nn_contract_plan *p = t->p;
    if (!waiting && p->parts > 1) {
        t->c_base = t->sums;
        t->c_stride = p->part_stride, t->c_m0 = t->c_n0 = 0;
    } else if (waiting || !p->stores) {
        t->c_base = waiting ? t->scratch_sums + (size_t)(waiting - 1) * p->sums_size : t->scratch_c;
        t->c_stride = p->block_n, t->c_m0 = t->m0, t->c_n0 = t->n0;
    } else {
        t->c_base = t->c;
        t->c_stride = p->c_m, t->c_m0 = t->c_n0 = 0;
    }
}

void nn_join_sums(nn_contract_task *t, int64_t waiting, int64_t m0, int64_t m1)
{
    const nn_micro_shapes *shapes = t->p->shapes;
    nn_place_sums(t, waiting);
    const char *from = nn_c_at(t, m0, t->n0);
    int64_t from_stride = t->c_stride;
    nn_place_sums(t, waiting - 1);
    shapes->add(m1 - m0, t->n1 - t->n0, from, from_stride, nn_c_at(t, m0, t->n0), t->c_stride);
}

int64_t nn_count_waiting(int64_t leaf)
{
    int64_t ones = 0; /* the instruction is not every CPU's, and libgcc's function is not in a library of nnc's */
    for (; leaf; leaf &= leaf - 1) ones++;
    return ones;
}

int64_t nn_count_joins(int64_t leaves, int64_t leaf)
{
    return leaf + 1 == leaves ? nn_count_waiting(leaf) : __builtin_ctzll((unsigned long long)leaf + 1);
}

void nn_join_leaf(nn_contract_task *t, int64_t leaf)
{
    const nn_contract_plan *p = t->p;
    int64_t waiting = nn_count_waiting(leaf), joins = nn_count_joins(t->leaves, leaf);
    bool last = p->parts == 1 && p->leaves > 1 && leaf + 1 == p->leaves;
    int64_t rows = last ? NN_STRIP_ROWS : t->m1 - t->m0; /* the last ones are handed on while they are near */
    for (int64_t m0 = t->m0; joins && m0 < t->m1; m0 += rows) {
        int64_t m1 = nn_least(m0 + rows, t->m1);
        for (int64_t i = 0; i < joins; i++) nn_join_sums(t, waiting - i, m0, m1);
        if (last) nn_finish_tile(t, m0, m1, t->n0, t->n1);
    }
}

char *nn_part_sums(const nn_contract_plan *p, char *part, int64_t batch)
{
    return part + batch * p->m * p->part_stride * p->shapes->size;
}

void nn_finish_tile(const nn_contract_task *t, int64_t m0, int64_t m1, int64_t n0, int64_t n1)
{
    const nn_contract_plan *p = t->p;
    size_t size = (size_t)p->shapes->size;
    for (int64_t n = n0; p->spreads && n < n1; n++)
        memcpy(t->c + n * p->c_m * p->shapes->size, nn_c_at(t, m0, n), size);
    if (!t->tile || m0 == m1) return;
    if (p->swapped)
        t->tile(t->args, t->batch, n0, n1, m0, m1, nn_c_at(t, m0, n0), 1);
    else
        t->tile(t->args, t->batch, m0, m1, n0, n1, nn_c_at(t, m0, n0), t->c_stride);
}

void nn_set_batch(nn_contract_task *t, int64_t batch, int64_t *index)
{
    const nn_contract_plan *p = t->p;
    const nn_contraction *c = &p->contraction;
    int64_t a = c->a_offset, b = c->b_offset, to = c->c_offset;
    for (int32_t i = c->n_batch; i-- > 0; batch /= c->batch_extent[i]) {
        index[i] = batch % c->batch_extent[i];
        a += index[i] * c->batch_a[i];
        b += index[i] * c->batch_b[i];
        to += index[i] * c->batch_c[i];
    }
    int32_t size = p->shapes->size;
    const char *left = (const char *)t->args->buffers[c->a] + a * size;
    const char *right = (const char *)t->args->buffers[c->b] + b * size;
    t->batch = index;
    t->a = p->swapped ? right : left;
    t->b = p->swapped ? left : right;
    t->c = c->c >= 0 ? (char *)t->args->buffers[c->c] + to * size : NULL;
}
