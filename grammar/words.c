/* The words of the language: which are reserved, and which declare when a statement begins with them. */
#include <string.h>

#include "grammar/parser_internal.h"
#include "nn.tab.h"

typedef struct {
    const char *word;
    int token;
    bool declares, item;
} Word;

static const Word words[] = {
#define RESERVED(word, token) {word, token, false, false},
#define RESERVED_ITEM(word, token) {word, token, false, true},
#define DECLARES(word, token) {word, token, true, false},
#define ITEM(word, token) {word, token, true, true},
#include "grammar/words.def"
};

enum { WORDS = sizeof words / sizeof words[0] };

static const Word *find(const char *word, size_t length)
{
    for (size_t i = 0; i < WORDS; i++)
        if (strlen(words[i].word) == length && !memcmp(words[i].word, word, length)) return &words[i];
    return NULL;
}

int word_token(const char *word, size_t length, bool declares)
{
    const Word *found = find(word, length);
    return found && (declares || !found->declares) ? found->token : NAME;
}

static bool is_name_byte(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* `loss and x` goes on with an expression, `loss kl` declares: a word that continues an expression is no name. */
static bool continues_expression(int token)
{
    return token == AND || token == OR || token == AS || token == IN || token == FOR || token == WHERE ||
           token == THEN || token == ELSE;
}

bool word_declares(const char *word, size_t length, const char *after)
{
    const Word *found = find(word, length);
    if (!found || !found->declares) return false;
    const char *next = after + strspn(after, " \t\r");
    if (found->token == CHECKPOINT) return *next == '{';
    if (next == after && *next != '"') return false;
    if (found->token == OPTIMIZER && *next == '"') return true;
    if (!is_name_byte((unsigned char)*next) || (*next >= '0' && *next <= '9')) return false;
    size_t size = 0;
    while (is_name_byte((unsigned char)next[size])) size++;
    return !continues_expression(word_token(next, size, false));
}

bool word_begins_item(int token)
{
    for (size_t i = 0; i < WORDS; i++)
        if (words[i].token == token) return words[i].item;
    return false;
}

const char *const *word_items(size_t *count)
{
    static const char *const items[] = {
#define RESERVED(word, token)
#define RESERVED_ITEM(word, token) word,
#define DECLARES(word, token)
#define ITEM(word, token) word,
#include "grammar/words.def"
    };
    *count = sizeof items / sizeof items[0];
    return items;
}

const char *const *parser_words(void)
{
    static const char *const all[] = {
#define RESERVED(word, token) word,
#define DECLARES(word, token) word,
#define ITEM(word, token) word,
#include "grammar/words.def"
        NULL};
    return all;
}
