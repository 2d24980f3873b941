/* Sizes: postfix programs over the model's free dimensions, with every step checked. */
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

enum { STACK = 64 };

/* Steps over one pair, or the end. */
static int64_t next_code(const int64_t **code, int64_t *operand)
{
    int64_t kind = (*code)[0];
    if (kind == NN_SIZE_END) return kind;
    *operand = (*code)[1];
    *code += 2;
    return kind;
}

/* How many values an operator takes. */
static int taken(int64_t kind)
{
    return kind == NN_SIZE_NOT ? 1 : kind == NN_SIZE_SELECT ? 3 : 2;
}

/* Rounds down; so does what remains: it has the sign of b. */
static bool divide(int64_t a, int64_t b, int64_t *quotient, int64_t *remainder)
{
    if (b == 0 || (a == INT64_MIN && b == -1)) return false;
    bool down = a % b != 0 && (a % b < 0) != (b < 0);
    *quotient = a / b - down;
    *remainder = a % b + (down ? b : 0);
    return true;
}

/* Sets x[0] to the operator of x[0], x[1], …. False on overflow of 64 bits or if the operator is unknown. */
static bool apply(int64_t kind, int64_t *x)
{
    int64_t a = x[0], b = kind == NN_SIZE_NOT ? 0 : x[1], rest;
    switch (kind) {
    case NN_SIZE_ADD:
        return !__builtin_add_overflow(a, b, x);
    case NN_SIZE_MUL:
        return !__builtin_mul_overflow(a, b, x);
    case NN_SIZE_FLOOR_DIV:
        return divide(a, b, x, &rest);
    case NN_SIZE_MOD:
        return divide(a, b, &rest, x);
    case NN_SIZE_MAX:
        return *x = a > b ? a : b, true;
    case NN_SIZE_MIN:
        return *x = a < b ? a : b, true;
    case NN_SIZE_SELECT:
        return *x = a ? b : x[2], true;
    case NN_SIZE_EQ:
        return *x = a == b, true;
    case NN_SIZE_NE:
        return *x = a != b, true;
    case NN_SIZE_LT:
        return *x = a < b, true;
    case NN_SIZE_LE:
        return *x = a <= b, true;
    case NN_SIZE_AND:
        return *x = a && b, true;
    case NN_SIZE_OR:
        return *x = a || b, true;
    case NN_SIZE_NOT:
        return *x = !a, true;
    default:
        return false;
    }
}

int nn_size_evaluate(const int64_t *code, const int64_t *symbols, int64_t *value, int64_t *unbound)
{
    int64_t stack[STACK];
    int depth = 0;
    int64_t kind, operand = 0;
    *unbound = -1;
    while ((kind = next_code(&code, &operand)) != NN_SIZE_END) {
        if (kind == NN_SIZE_CONSTANT || kind == NN_SIZE_SYMBOL) {
            if (depth == STACK) return NN_ERROR_RANGE;
            if (kind == NN_SIZE_SYMBOL && symbols[operand] < 0) {
                *unbound = operand;
                return NN_ERROR_ARGUMENT;
            }
            stack[depth++] = kind == NN_SIZE_CONSTANT ? operand : symbols[operand];
        } else {
            int count = taken(kind);
            if (depth < count || !apply(kind, &stack[depth - count])) return NN_ERROR_RANGE;
            depth -= count - 1;
        }
    }
    if (depth != 1) return NN_ERROR_RANGE;
    *value = stack[0];
    return NN_OK;
}

bool nn_size_is_truth(const int64_t *code)
{
    int64_t kind, operand, last = NN_SIZE_END;
    while ((kind = next_code(&code, &operand)) != NN_SIZE_END) last = kind;
    return last >= NN_SIZE_EQ;
}

void nn_size_symbols(const int64_t *code, void (*visit)(void *data, int64_t symbol), void *data)
{
    int64_t kind, operand = 0;
    while ((kind = next_code(&code, &operand)) != NN_SIZE_END)
        if (kind == NN_SIZE_SYMBOL) visit(data, operand);
}

/* How tightly a subexpression binds: what is looser than its surroundings gets brackets. */
enum { LOOSE, PRODUCT, ATOM };

typedef struct {
    char text[128];
    int binding;
} Piece;

static void write_piece(char *to, size_t size, const Piece *piece, int needed)
{
    snprintf(to, size, piece->binding < needed ? "(%s)" : "%s", piece->text);
}

/* left := left OP right */
static void join_pieces(Piece *left, const Piece *right, int64_t kind)
{
    char a[sizeof left->text + 3], b[sizeof left->text + 3], joined[2 * sizeof a + 4];
    bool sum = kind == NN_SIZE_ADD;
    write_piece(a, sizeof a, left, sum ? LOOSE : PRODUCT);
    write_piece(b, sizeof b, right, sum ? LOOSE : ATOM);
    snprintf(joined, sizeof joined, sum ? "%s + %s" : kind == NN_SIZE_MUL ? "%s*%s" : "%s // %s", a, b);
    size_t length = strnlen(joined, sizeof left->text - 1);
    memcpy(left->text, joined, length);
    left->text[length] = 0;
    left->binding = sum ? LOOSE : PRODUCT;
}

void nn_size_text(const int64_t *code, const char *const *symbols, char *text, size_t size)
{
    Piece stack[8];
    int depth = 0;
    int64_t kind, operand = 0;
    if (size) text[0] = 0;
    while ((kind = next_code(&code, &operand)) != NN_SIZE_END) {
        if (kind == NN_SIZE_CONSTANT || kind == NN_SIZE_SYMBOL) {
            if (depth == 8) {
                snprintf(text, size, "…");
                return;
            }
            Piece *piece = &stack[depth++];
            piece->binding = ATOM;
            if (kind == NN_SIZE_CONSTANT) {
                snprintf(piece->text, sizeof piece->text, "%lld", (long long)operand);
            } else {
                snprintf(piece->text, sizeof piece->text, "%s", symbols[operand]);
            }
        } else if (depth >= 2) {
            join_pieces(&stack[depth - 2], &stack[depth - 1], kind);
            depth--;
        }
    }
    if (depth == 1) snprintf(text, size, "%s", stack[0].text);
}

bool nn_multiply(int64_t a, int64_t b, int64_t *product)
{
    return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, product);
}

int nn_tensor_sizes(const nn_image *image, const nn_tensor_info *tensor, const int64_t *symbols, int64_t *dims,
                    int64_t *elements, int64_t *unbound)
{
    *elements = 1;
    for (int i = 0; i < tensor->rank; i++) {
        int64_t size;
        int status = nn_size_evaluate(image->size_code + tensor->dims[i], symbols, &size, unbound);
        if (status) return status;
        if (!nn_multiply(*elements, size, elements)) return NN_ERROR_RANGE;
        if (dims) dims[i] = size;
    }
    int64_t bytes;
    return nn_multiply(*elements, (int64_t)nn_dtype_size(tensor->dtype), &bytes) ? NN_OK : NN_ERROR_RANGE;
}
