/* Syntax errors in words: what was found, what could have stood there, and what was probably meant. */
#include <stdlib.h>
#include <string.h>

#include "grammar/parser_internal.h"
#include "nn.tab.h"

typedef struct {
    const char *const *names;
    size_t count;
} Expected;

static bool can_be(Expected expected, const char *name)
{
    for (size_t i = 0; i < expected.count; i++)
        if (!strcmp(expected.names[i], name)) return true;
    return false;
}

static bool is_one_of(const char *name, const char *const *set)
{
    for (; *set; set++)
        if (!strcmp(name, *set)) return true;
    return false;
}

static const char *const expression_words[] = {"a name", "a number", "a string", "true", "false", "...", "(",
                                               "[",      "{",        "repeat",   "if",   "not",   "-",   NULL};
static const char *const operator_words[] = {"+",  "-", "*",  "/",   "//", "%",  "@", "^", "==", "!=", "<",
                                             "<=", ">", ">=", "and", "or", "|>", "(", "[", ".",  "as", NULL};

static bool is_phrase(const char *name)
{
    return !strncmp(name, "a ", 2) || !strncmp(name, "the ", 4);
}

/* "an expression", "an operator", `,` or the end of the statement: many tokens become the word for their kind. */
static void describe_expected(Expected expected, Text *to)
{
    enum { MOST = 5 };
    const char *shown[MOST];
    size_t count = 0;
    bool statement = can_be(expected, "input"), expression = can_be(expected, "a number");
    bool operation = !expression && can_be(expected, ".");
    if (statement) shown[count++] = "a statement";
    if (expression && !statement) shown[count++] = "an expression";
    if (operation) shown[count++] = "an operator";
    for (size_t i = 0; i < expected.count; i++) {
        const char *name = expected.names[i];
        if (statement && strcmp(name, "}")) continue;
        if (can_be(expected, "the end of the statement") && (!strcmp(name, "}") || !strcmp(name, "for"))) continue;
        if ((expression && is_one_of(name, expression_words)) || (operation && is_one_of(name, operator_words)))
            continue;
        if (count == MOST) {
            text_string(to, "something else");
            return;
        }
        shown[count++] = name;
    }
    for (size_t i = 0; i < count; i++) {
        bool phrase = is_phrase(shown[i]) || !strncmp(shown[i], "an ", 3);
        text_format(to, phrase ? "%s" : "`%s`", shown[i]);
        if (i + 1 < count) text_string(to, i + 2 == count ? " or " : ", ");
    }
}

static bool is_word(int kind)
{
    return kind >= IF && kind <= CHECKPOINT;
}

static void describe_found(const Parser *parser, Token token, Text *to)
{
    const char *text = parser_text(parser, token.span);
    int length = (int)(token.span.end - token.span.start);
    if (token.kind == END_STATEMENT && length && *text == ';')
        text_string(to, "`;`");
    else if (token.kind == END_STATEMENT)
        text_string(to, length ? "the end of the line" : "the end of the file");
    else if (!token.kind)
        text_string(to, "the end of the file");
    else if (token.kind == STRING)
        text_string(to, "a string");
    else if (token.kind == NUMBER)
        text_format(to, "the number `%.*s`", length > 40 ? 40 : length, text);
    else if (token.kind == NAME && length > 40)
        text_string(to, "a name");
    else if (token.kind == NAME)
        text_format(to, "the name `%.*s`", length, text);
    else
        text_format(to, is_word(token.kind) ? "the word `%.*s`" : "`%.*s`", length, text);
}

static bool continues(int kind)
{
    return (kind >= EQUAL && kind <= GREATER) || kind == ASSIGN || kind == UPDATE || kind == COMMA || kind == DOT ||
           kind == AND || kind == OR || kind == AS || kind == IN || kind == WHERE || kind == FOR || kind == PIPE ||
           kind == THEN || kind == ELSE;
}

static bool is_comparison(int kind)
{
    return kind == EQUAL || kind == UNEQUAL || kind == LESS || kind == GREATER || kind == LESS_EQUAL ||
           kind == GREATER_EQUAL;
}

static bool starts_statement(int kind)
{
    return kind == END_STATEMENT || kind == LEFT_BRACE || kind == START_FILE || kind == START_RULES;
}

/* True if the token, where no statement can begin, is a word that begins one. */
static bool would_declare(const Parser *parser, Token token)
{
    return token.kind == NAME &&
           word_token(parser_text(parser, token.span), token.span.end - token.span.start, true) != NAME;
}

static bool declares_value(int kind)
{
    return kind == INPUT || kind == TARGET || kind == PARAM || kind == DRAW;
}

/* Words of other languages at the start of a statement. */
static const char *foreign_word(const char *word)
{
    static const char *const words[][2] = {
        {"elif", "write `else if`"},
        {"def", "a function is `fn name(x) = …`"},
        {"func", "a function is `fn name(x) = …`"},
        {"function", "a function is `fn name(x) = …`"},
        {"let", "a binding needs no word: `name = …`"},
        {"var", "a binding needs no word: `name = …`"},
        {"weight", "a trained value is `param name: [sizes] ~ initialiser`"},
        {"parameter", "a trained value is `param name: [sizes] ~ initialiser`"},
        {"while", "`repeat n { … }` stacks layers, `scan t in n { … }` runs over time"},
        {"class", "a layer is `layer name(x) { … }`, a network `model name { … }`"},
        {"network", "a network is `model name { … }`"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(word, words[i][0])) return words[i][1];
    return NULL;
}

/* `modle fashion {`: two names in a row where a statement begins. True if that was said. */
static bool report_unknown_word(Parser *parser)
{
    Token word = parser->before;
    if (word.kind != NAME || (parser->now.kind != NAME && parser->now.kind != LEFT_BRACE)) return false;
    if (!starts_statement(parser->before_that.kind) || word.span.end - word.span.start > 40) return false;
    char spelling[48] = {0};
    memcpy(spelling, parser_text(parser, word.span), word.span.end - word.span.start);
    if (word_token(spelling, strlen(spelling), true) != NAME) return false; /* a right word in a wrong sentence */
    bool inside = parser->brackets.count > (parser->now.kind == LEFT_BRACE);
    Diag *diag = parser_error(parser, DIAG_unknown_word, word.span, "`%s` begins no %s", spelling,
                              inside ? "statement" : "item");
    if (!diag) return true;
    size_t count = 0;
    const char *const *words = inside ? parser_words() : word_items(&count);
    if (inside)
        while (words[count]) count++;
    const char *foreign = foreign_word(spelling), *nearest = nearest_spelling(spelling, words, count);
    if (foreign)
        diag_hint(diag, "%s", foreign);
    else if (nearest)
        diag_hint(diag, "did you mean `%s`?", nearest);
    else if (!inside)
        diag_hint(diag, "a file has const, import, fn, derivative, layer, optimizer, model, data and train");
    return true;
}

/* What was probably meant. */
typedef struct {
    DiagId id;
    const char *hint; /* NULL: nothing that is known */
} Slip;

static bool is_spelled(const Parser *parser, Token token, const char *word)
{
    uint32_t size = token.span.end - token.span.start;
    return size == strlen(word) && !memcmp(parser_text(parser, token.span), word, size);
}

static bool is_element_type(const Parser *parser, Token token)
{
    static const char *const names[] = {"f64", "f32", "bf16", "f16", "i64", "i32", "u8", "bool"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) found |= is_spelled(parser, token, names[i]);
    return found;
}

/* The first character behind the token, and in *single whether it is one `=` alone. */
static char follows(const Parser *parser, bool *single)
{
    const char *after = parser_text(parser, (Span){parser->now.span.end, parser->now.span.end});
    after += strspn(after, " \t");
    *single = after[0] == '=' && after[1] != '=';
    return after[0];
}

/* True if a single `=` follows the token. */
static bool names_value(const Parser *parser)
{
    bool single;
    follows(parser, &single);
    return single;
}

static Slip operator_slip(const Parser *parser, Expected expected)
{
    int now = parser->now.kind, before = parser->before.kind;
    bool adjacent = parser->before.span.end == parser->now.span.start;
    if (now == ASSIGN && adjacent && (before == PLUS || before == MINUS || before == TIMES || before == DIVIDE))
        return (Slip){DIAG_foreign_operator, "write the name again: `x = x + 1`"};
    if (now == ASSIGN && can_be(expected, "=="))
        return (Slip){DIAG_assignment_in_expression, "`==` compares, `=` binds a name"};
    if (now == ASSIGN && is_comparison(before) && adjacent)
        return (Slip){DIAG_foreign_operator, "two values are compared with `==` or `!=`"};
    if (is_comparison(now) && can_be(expected, "+"))
        return (Slip){DIAG_comparison_chain, "comparisons do not chain: write `a < b and b < c`"};
    if (now == REWRITES) return (Slip){DIAG_foreign_operator, "greater or equal is written `>=`"};
    if (now == TIMES && before == TIMES && adjacent) return (Slip){DIAG_foreign_operator, "a power is written `x^2`"};
    if (now == PLUS && !can_be(expected, "+")) return (Slip){DIAG_foreign_operator, "a number has no sign `+`"};
    return (Slip){DIAG_syntax, NULL};
}

static Slip expression_slip(const Parser *parser, Expected expected)
{
    int now = parser->now.kind, before = parser->before.kind;
    bool adjacent = parser->before.span.end == parser->now.span.start, single = false;
    bool begins = now == NAME || now == NUMBER || now == STRING || now == LEFT_PARENTHESIS;
    if (before == NUMBER && adjacent && (now == NAME || now == LEFT_PARENTHESIS))
        return (Slip){DIAG_missing_operator, "a product is written `2 * x`"};
    if (now == LEFT_PARENTHESIS && can_be(expected, "[") && is_element_type(parser, parser->before))
        return (Slip){DIAG_wrong_bracket, "the sizes of a tensor stand in `[ ]`: `f32[batch, 10]`"};
    if (can_be(expected, "then") && (now == LEFT_BRACE || now == END_STATEMENT))
        return (Slip){DIAG_syntax, "as a value it is `if condition then a else b`"};
    if (begins && can_be(expected, "|>") && now == NAME && follows(parser, &single) == '(')
        return (Slip){DIAG_missing_operator, "a value goes into a function by `|>`: `x |> dense(10)`"};
    if (begins && can_be(expected, "*") && can_be(expected, "+"))
        return (Slip){DIAG_missing_operator, "between two values stands an operator, or a comma in a list"};
    return operator_slip(parser, expected);
}

static Slip statement_slip(const Parser *parser, Expected expected)
{
    int now = parser->now.kind, before = parser->before.kind;
    bool ended = can_be(expected, "the end of the statement");
    if (before == NAME && now == LEFT_BRACE && starts_statement(parser->before_that.kind))
        return (Slip){DIAG_missing_name, "a name belongs before the `{`"};
    if (before == NAME && starts_statement(parser->before_that.kind) && would_declare(parser, parser->before)) {
        if (is_word(now)) return (Slip){DIAG_reserved_word, "a reserved word cannot be a name"};
        if (is_spelled(parser, parser->before, "output"))
            return (Slip){DIAG_unnamed_output, "an output needs a name: `output y = …`"};
        return (Slip){DIAG_missing_name, "a name belongs behind this word"};
    }
    if (is_word(now) && names_value(parser)) return (Slip){DIAG_reserved_word, "a reserved word cannot be a name"};
    if (starts_statement(before) && now == FOR)
        return (Slip){DIAG_syntax, "`repeat n { … }` stacks layers, `scan t in n { … }` runs over time"};
    if (starts_statement(before) && now == ELSE)
        return (Slip){DIAG_syntax, "`else` belongs right behind the `}` of its `if`"};
    if (before == END_STATEMENT && continues(now) && parser_begins_line(parser, parser->now.span))
        return (Slip){DIAG_broken_line,
                      "the line above ended its statement: put the operator at its end, or the whole in parentheses"};
    if (declares_value(parser->before_that.kind) && (now == ASSIGN || now == END_STATEMENT) && can_be(expected, ":"))
        return (Slip){DIAG_missing_type, "its type comes first: `name: f32[batch, 10]`"};
    if (now == END_STATEMENT && can_be(expected, "~"))
        return (Slip){DIAG_missing_start, can_be(expected, "=")
                                              ? "say how it starts: `~ glorot_uniform` draws it, `= 0` sets it"
                                              : "say how it is drawn: `~ normal` or `~ uniform`"};
    if (ended && now == NAME && (names_value(parser) || would_declare(parser, parser->now)))
        return (Slip){DIAG_missing_separator, "a new line or `;` ends a statement"};
    if (now == COMMA && can_be(expected, "the end of the statement"))
        return (Slip){DIAG_missing_separator, "statements are separated by a new line or `;`"};
    if (is_word(now) && can_be(expected, "a name") && !can_be(expected, "a number"))
        return (Slip){DIAG_reserved_word, "a reserved word cannot be a name"};
    return (Slip){DIAG_syntax, NULL};
}

/* The bracket that still waits for its other half, where that may explain the error: it stands on an earlier line. */
static bool find_open_bracket(const Parser *parser, Expected expected, Bracket *open)
{
    *open = (Bracket){0};
    if (parser->now.kind == RIGHT_BRACE)
        *open = parser->closed_over;
    else if (parser->brackets.count)
        *open = vec_last(&parser->brackets);
    if (!open->at.end || open->open == '{' || !can_be(expected, open->open == '(' ? ")" : "]")) return false;
    Place here, there;
    SourceMap *sources = parser->context->sources;
    if (!source_place(sources, open->at.start, &there) || !source_place(sources, parser->now.span.start, &here))
        return false;
    return here.line != there.line || parser->now.kind == RIGHT_BRACE;
}

/* What stands behind an item and begins none may be its end. */
static void doubt_last_entry(Parser *parser)
{
    if (parser->entries.count) vec_last(&parser->entries)->flags |= SYNTAX_BROKEN;
}

void report_syntax_error(Parser *parser, const char *const *names, size_t count)
{
    Expected expected = {names, count};
    parser->panic = true;
    if (continues(parser->now.kind) && starts_statement(parser->before.kind) && !parser->brackets.count)
        doubt_last_entry(parser);
    if (parser->bad_statement || report_unknown_word(parser)) return;
    Text found = {0}, wanted = {0};
    describe_found(parser, parser->now, &found);
    describe_expected(expected, &wanted);
    Span at = parser->now.span;
    Bracket open;
    bool unclosed = find_open_bracket(parser, expected, &open);
    Slip slip = unclosed ? (Slip){DIAG_unclosed_bracket, NULL} : statement_slip(parser, expected);
    if (!unclosed && !slip.hint) slip = expression_slip(parser, expected);
    Diag *diag = parser_error(parser, slip.id, at, wanted.count ? "found %s, expected %s" : "found %s%s",
                              text_get(&found), text_get(&wanted));
    text_free(&found);
    text_free(&wanted);
    if (!diag) return;
    if (unclosed)
        diag_note(diag, open.at, "this `%c` is still open; is a `%c` missing?", open.open,
                  open.open == '(' ? ')' : ']');
    if (slip.hint) diag_hint(diag, "%s", slip.hint);
}

int report_bad_character(Parser *parser, Span at, uint32_t code_point)
{
    static const struct {
        uint32_t code_point;
        int token; /* what was meant and is read in its place; 0 for nothing */
        const char *hint;
    } known[] = {
        {'&', AND, "write `and`"},
        {'|', OR, "write `|>` for a pipeline, `or` between truth values"},
        {'!', NOT, "write `not`"},
        {'\'', 0, "a string stands in double quotes"},
        {0x2212, MINUS, "minus is `-`"},
        {0x2013, MINUS, "minus is `-`"},
        {0x00D7, TIMES, "times is `*`"},
        {0x00B7, TIMES, "times is `*`, a matrix product `@`"},
        {0x22C5, TIMES, "times is `*`, a matrix product `@`"},
        {0x00F7, DIVIDE, "division is `/`"},
        {0x2264, LESS_EQUAL, "write `<=`"},
        {0x2265, GREATER_EQUAL, "write `>=`"},
        {0x2260, UNEQUAL, "write `!=`"},
        {0x2190, UPDATE, "an update is `:=`"},
        {0x2192, ARROW, "write `->`"},
        {0x2026, DOTS, "write three points: `...`"},
        {0x201C, 0, "a string stands in plain double quotes"},
        {0x201D, 0, "a string stands in plain double quotes"},
        {0x00A0, 0, "this is a no-break space; write a plain one"},
        {0x2211, 0, "a sum is `sum[i](…)`"},
    };
    Diag *diag;
    if (code_point < 0x20 || code_point == 0x7F)
        diag =
            parser_error(parser, DIAG_bad_character, at, "the control character 0x%02X cannot stand here", code_point);
    else
        diag = parser_error(parser, DIAG_bad_character, at, "the character `%.*s` means nothing here",
                            (int)(at.end - at.start), parser_text(parser, at));
    size_t i = 0, count = sizeof known / sizeof known[0];
    while (i < count && known[i].code_point != code_point) i++;
    if (diag && i < count) diag_hint(diag, "%s", known[i].hint);
    if (i < count && known[i].token) return known[i].token;
    parser->bad_statement = true;
    return 0;
}

void report_unclosed(Parser *parser)
{
    Bracket open = vec_last(&parser->brackets);
    char close = open.open == '(' ? ')' : open.open == '[' ? ']' : '}';
    Diag *diag = parser_error(parser, DIAG_unclosed_bracket, open.at, "this `%c` is never closed", open.open);
    if (!diag) return;
    if (parser->stray_item.end && open.open == '{')
        diag_note(diag, parser->stray_item, "an item begins here; is the `%c` missing above it?", close);
}

/* Descends to where the tree becomes too deep, without recursion. */
static Span too_deep_at(const Syntax *node)
{
    for (int limit = node->depth - SYNTAX_MAX_DEPTH; node->depth > limit;) {
        const Syntax *deepest = NULL;
        for (uint32_t i = 0; i < node->n_kids; i++)
            if (node->kids[i] && (!deepest || node->kids[i]->depth > deepest->depth)) deepest = node->kids[i];
        if (!deepest) break;
        node = deepest;
    }
    return node->span;
}

static bool check_rule(Parser *parser, const Syntax *rule)
{
    static const char *const names[] = {"partial", "numeric", "expand", "display"};
    enum { NAMES = sizeof names / sizeof names[0] };
    bool known = false, equals = rule->flags & SYNTAX_EQUALS, partial = !strcmp(rule->name, "partial");
    for (size_t i = 0; i < NAMES; i++) known |= !strcmp(rule->name, names[i]);
    if (!known) {
        Diag *diag = parser_error(parser, DIAG_unknown_word, rule->name_span, "`%s` begins no rule", rule->name);
        const char *nearest = nearest_spelling(rule->name, names, NAMES);
        if (diag && nearest)
            diag_hint(diag, "did you mean `%s`?", nearest);
        else if (diag)
            diag_hint(diag, "a rule is partial, numeric, expand or display");
    } else if (equals != partial) {
        parser_error(parser, DIAG_syntax, rule->name_span, "%s rule is written with `%s`",
                     partial ? "a partial" : "such a", partial ? "=" : "=>");
    }
    return known && equals == partial;
}

bool check_entry(Parser *parser, const Syntax *entry)
{
    if (entry->depth >= SYNTAX_MAX_DEPTH) {
        Diag *diag = parser_error(parser, DIAG_nested_too_deep, too_deep_at(entry), "%s here is nested deeper than %d",
                                  syntax_phrase(entry->kind), SYNTAX_MAX_DEPTH);
        if (diag) diag_hint(diag, "give a part of it a name in a binding of its own");
        return false;
    }
    if (parser->mode == MODE_RULES) return check_rule(parser, entry);
    if (parser->mode == MODE_REPL || syntax_is_item(entry)) return true;
    doubt_last_entry(parser);
    Diag *diag = parser_error(parser, DIAG_statement_outside_model, entry->span, "%s stands outside of a model",
                              syntax_phrase(entry->kind));
    if (diag) diag_hint(diag, "statements belong inside of `model name { … }`; a fixed value is `const name = …`");
    return false;
}

void check_block(Parser *parser, const Syntax *block)
{
    for (uint32_t i = 0; i < block->n_kids; i++) {
        const Syntax *statement = block->kids[i];
        if (!syntax_is_item(statement) || statement->kind == SYNTAX_CONST) continue;
        Span at = statement->name_span.end ? statement->name_span : statement->span;
        Diag *diag = parser_error(parser, DIAG_item_inside_block, at, "%s cannot stand inside of a block",
                                  syntax_phrase(statement->kind));
        if (diag) diag_hint(diag, "put it at the top of the file");
    }
}
