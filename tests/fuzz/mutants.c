/* Mutants of valid models: a token is deleted, doubled, or changes places with another one. Each
 * compiles or is refused.
 *
 *     mutants COUNT FILE.nn ...        COUNT in all, shared evenly; the same ones each time */
#include <stdbool.h>
#include <string.h>

#include "compile.h"
#include "fuzz.h"
#include "support/source.h"
#include "support/vector.h"
#include "trials.h"

typedef struct {
    size_t start, size;
    bool blank;
} Piece;

typedef struct {
    char *text;
    size_t size;
    Vec(Piece) pieces;  /* of the text, without a gap */
    Vec(size_t) tokens; /* those pieces that are no blanks */
} Original;

static size_t while_in(const char *set, const char *at)
{
    return strspn(at, set);
}

/* The length of the piece that begins here: blanks and comments, a word or number, a string, an operator, a newline. */
static size_t piece_size(const char *at, bool *blank)
{
    static const char words[] = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char *const operators[] = {"...", ":=", "|>", "->", "=>", "==", "!=", "<=", ">=", "//", ".."};
    *blank = *at == ' ' || *at == '#';
    if (*at == ' ') return while_in(" ", at);
    if (*at == '#') return strcspn(at, "\n");
    if (*at == '"') return 1 + strcspn(at + 1, "\"\n") + (at[1 + strcspn(at + 1, "\"\n")] == '"');
    if (while_in(words, at)) return while_in(words, at);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (!strncmp(at, operators[i], strlen(operators[i]))) return strlen(operators[i]);
    return 1;
}

static Original original_read(const char *path)
{
    Original original = {0};
    original.text = read_file(path, &original.size);
    LAW(original.text, "%s", path);
    for (size_t at = 0; at < original.size;) {
        Piece piece = {.start = at};
        piece.size = piece_size(original.text + at, &piece.blank);
        if (!piece.blank) vec_push(&original.tokens, original.pieces.count);
        vec_push(&original.pieces, piece);
        at += piece.size;
    }
    LAW(original.tokens.count, "%s is empty", path);
    return original;
}

static void original_free(Original *original)
{
    free(original->text);
    vec_free(&original->pieces);
    vec_free(&original->tokens);
}

/* The number of the mutant decides all of it. */
static size_t random_below(uint64_t *state, size_t bound)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (size_t)((*state >> 33) % bound);
}

static void mutate(const Original *original, uint64_t number, Text *to)
{
    enum { DELETE, DOUBLE, SWAP, COPY, WAYS };
    uint64_t state = number * 2654435761 + 20240607;
    random_below(&state, 1);
    size_t how = random_below(&state, WAYS);
    size_t at = original->tokens.at[random_below(&state, original->tokens.count)];
    size_t other = original->tokens.at[random_below(&state, original->tokens.count)];
    for (size_t i = 0; i < original->pieces.count; i++) {
        size_t from = i;
        if (i == at && (how == SWAP || how == COPY)) from = other;
        if (i == other && how == SWAP) from = at;
        if (i == at && how == DELETE) continue;
        const Piece *piece = &original->pieces.at[from];
        for (int times = i == at && how == DOUBLE ? 2 : 1; times > 0; times--)
            text_put(to, original->text + piece->start, piece->size);
    }
}

static void make(const void *data, uint64_t number, Text *to)
{
    mutate(data, number, to);
}

static void attempt(const void *data, uint64_t number, const Text *text)
{
    (void)data;
    (void)number;
    compile_text(text_get(text), text->count, false);
}

/* How many of the file's mutants fail. */
static size_t try_file(const char *path, uint64_t first, uint64_t end)
{
    Original original = original_read(path);
    const Trials trials = {path, make, attempt, &original};
    size_t failed = trials_run(&trials, first, end);
    original_free(&original);
    return failed;
}

int main(int argc, char **argv)
{
    LAW(argc > 2, "usage: mutants COUNT FILE.nn ...");
    uint64_t count = strtoull(argv[1], NULL, 10), files = (uint64_t)argc - 2;
    size_t failed = 0;
    for (uint64_t i = 0; i < files; i++) failed += try_file(argv[2 + i], count * i / files, count * (i + 1) / files);
    printf("%llu mutants of %llu files, %zu fail\n", (unsigned long long)count, (unsigned long long)files, failed);
    return failed > 0;
}
