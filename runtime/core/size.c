/* Sizes: postfix programs over the model's free dimensions. */
#include <stdio.h>
#include <string.h>

#include "core/internal.h"

/* Steps over one pair, or the end. */
static int64_t next_code(const int64_t **code, int64_t *operand)
{
    int64_t kind = (*code)[0];
    if (kind == NN_SIZE_END) return kind;
    *operand = (*code)[1];
    *code += 2;
    return kind;
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
} SizeText;

static void write_piece(char *to, size_t size, const SizeText *piece, int needed)
{
    snprintf(to, size, piece->binding < needed ? "(%s)" : "%s", piece->text);
}

/* How an operator is written between its sides, of which each needs a binding; a call takes them as they are. */
typedef struct {
    const char *before, *between, *after;
    int left, right, binding;
} SizeForm;

static SizeForm size_form(int64_t kind)
{
    switch (kind) {
    case NN_SIZE_ADD:
        return (SizeForm){"", " + ", "", LOOSE, LOOSE, LOOSE};
    case NN_SIZE_MUL:
        return (SizeForm){"", "*", "", PRODUCT, ATOM, PRODUCT};
    case NN_SIZE_FLOOR_DIV:
        return (SizeForm){"", " // ", "", PRODUCT, ATOM, PRODUCT};
    case NN_SIZE_MAX:
        return (SizeForm){"max(", ", ", ")", LOOSE, LOOSE, ATOM};
    case NN_SIZE_MIN:
        return (SizeForm){"min(", ", ", ")", LOOSE, LOOSE, ATOM};
    default:
        return (SizeForm){"", " ? ", "", ATOM, ATOM, LOOSE};
    }
}

/* left := left OP right */
static void join_pieces(SizeText *left, const SizeText *right, int64_t kind)
{
    char a[sizeof left->text + 3], b[sizeof left->text + 3], joined[2 * sizeof a + 16];
    SizeForm form = size_form(kind);
    bool minus = kind == NN_SIZE_ADD && right->text[0] == '-';
    write_piece(a, sizeof a, left, form.left);
    write_piece(b, sizeof b, right, form.right);
    snprintf(joined, sizeof joined, "%s%s%s%s%s", form.before, a, minus ? " - " : form.between, b + minus, form.after);
    size_t length = strnlen(joined, sizeof left->text - 1);
    memcpy(left->text, joined, length);
    left->text[length] = 0;
    left->binding = form.binding;
}

void nn_size_text(const int64_t *code, const char *const *symbols, char *text, size_t size)
{
    SizeText stack[8];
    int depth = 0;
    int64_t kind, operand = 0;
    if (size) text[0] = 0;
    while ((kind = next_code(&code, &operand)) != NN_SIZE_END) {
        if (kind == NN_SIZE_CONSTANT || kind == NN_SIZE_SYMBOL) {
            if (depth == 8) {
                snprintf(text, size, "…");
                return;
            }
            SizeText *piece = &stack[depth++];
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
