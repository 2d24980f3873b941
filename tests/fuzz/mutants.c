/* Mutants of valid models: a token is deleted, doubled, or changes places with another one. However a mutant fails, the
 * front end does not crash, and stays within its time; a child process tries them, so that what kills it is told, and
 * the next one goes on behind.
 *
 *     mutants COUNT FILE.nn ...        COUNT in all, shared evenly; the same ones each time */
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"
#include "support/source.h"
#include "support/text.h"
#include "support/vector.h"

enum { SECONDS = 20 }; /* a mutant; sanitizers and busy machines are slow */

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

/* Tries the mutants from `first` on; *now is the one at work. */
static void try_mutants(const Original *original, uint64_t first, uint64_t end, volatile uint64_t *now)
{
    for (*now = first; *now < end; (*now)++) {
        Text mutant = {0};
        mutate(original, *now, &mutant);
        alarm(SECONDS);
        LLVMFuzzerTestOneInput((const uint8_t *)text_get(&mutant), mutant.count);
        alarm(0);
        text_free(&mutant);
    }
}

static void report(const Original *original, const char *path, uint64_t number, int status)
{
    Text mutant = {0};
    mutate(original, number, &mutant);
    const char *what = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "an exit";
    fprintf(stderr, "---- mutant %llu of %s: %s\n%s----\n", (unsigned long long)number, path, what, text_get(&mutant));
    text_free(&mutant);
}

/* How many of the file's mutants fail. */
static size_t try_file(const char *path, uint64_t first, uint64_t end, volatile uint64_t *now)
{
    Original original = original_read(path);
    size_t failed = 0;
    while (first < end) {
        int status;
        pid_t child = fork();
        LAW(child >= 0, "no process");
        if (!child) {
            try_mutants(&original, first, end, now);
            _exit(0);
        }
        LAW(waitpid(child, &status, 0) == child, "no process");
        if (WIFEXITED(status) && !WEXITSTATUS(status)) break;
        failed++;
        report(&original, path, *now, status);
        first = *now + 1;
    }
    original_free(&original);
    return failed;
}

int main(int argc, char **argv)
{
    LAW(argc > 2, "usage: mutants COUNT FILE.nn ...");
    uint64_t count = strtoull(argv[1], NULL, 10), files = (uint64_t)argc - 2;
    volatile uint64_t *now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    LAW(now != MAP_FAILED, "no memory");
    size_t failed = 0;
    for (uint64_t i = 0; i < files; i++)
        failed += try_file(argv[2 + i], count * i / files, count * (i + 1) / files, now);
    printf("%llu mutants of %llu files, %zu fail\n", (unsigned long long)count, (unsigned long long)files, failed);
    return failed > 0;
}
