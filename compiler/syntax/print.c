/* The printer is the formatter: one layout for a tree. What a tree cannot say is kept as written: comments, single
 * empty lines, and whether a short block stands on one line. */
#include <string.h>

#include "syntax/print_internal.h"

static void print_words(Printer *printer, const char *word, const Syntax *node, const char *after)
{
    put(printer, word);
    put(printer, node->name);
    put(printer, after);
}

/* ` = value` */
static void print_value(Printer *printer, const char *sign, const Syntax *value)
{
    put(printer, sign);
    print_expression(printer, value, sign[1] == '~' ? LEVEL_PIPE : LEVEL_ANY);
}

static void print_results(Printer *printer, const Syntax *types)
{
    if (!types) return;
    put(printer, " -> ");
    print_expression(printer, types, LEVEL_ANY);
}

static void print_function(Printer *printer, const Syntax *node)
{
    const Syntax *body = kid_body(node);
    const char *word = node->kind == SYNTAX_FN ? "fn " : node->kind == SYNTAX_LAYER ? "layer " : "optimizer ";
    print_words(printer, word, node, "");
    print_expression(printer, kid_formals(node), LEVEL_ANY);
    if (node->kind != SYNTAX_OPTIMIZER) print_results(printer, kid_types(node));
    if (node->flags & SYNTAX_EQUALS) {
        print_value(printer, " = ", body);
    } else {
        put(printer, " ");
        print_block(printer, body);
    }
}

static void print_item(Printer *printer, const Syntax *node)
{
    switch (node->kind) {
    case SYNTAX_CONST:
        print_words(printer, "const ", node, "");
        print_value(printer, " = ", kid_value(node));
        break;
    case SYNTAX_IMPORT:
        put(printer, "import ");
        print_expression(printer, kid_string(node), LEVEL_ANY);
        break;
    case SYNTAX_DERIVATIVE:
        print_words(printer, "derivative ", node, "(");
        print_expression(printer, kid_names(node), LEVEL_ANY);
        put(printer, ")");
        print_value(printer, " = ", kid_exprs(node));
        break;
    case SYNTAX_MODEL:
    case SYNTAX_TRAIN:
        print_words(printer, node->kind == SYNTAX_MODEL ? "model " : "train ", node, " ");
        print_block(printer, kid_body(node));
        break;
    case SYNTAX_DATA:
        put(printer, "data ");
        print_expression(printer, kid_names(node), LEVEL_ANY);
        put(printer, " ");
        print_block(printer, kid_body(node));
        break;
    case SYNTAX_RULE:
        print_words(printer, "", node, " ");
        print_expression(printer, kid_pattern(node), LEVEL_ANY);
        put(printer, node->flags & SYNTAX_EQUALS ? " = " : " => ");
        print_list(printer, node, 2);
        if (kid_condition(node)) print_value(printer, " where ", kid_condition(node));
        break;
    default:
        print_function(printer, node);
        break;
    }
}

static void print_paths(Printer *printer, const Syntax *paths)
{
    if (!paths) return;
    put(printer, " for ");
    print_expression(printer, paths, LEVEL_ANY);
}

static const char *declaring_word(SyntaxKind kind)
{
    switch (kind) {
    case SYNTAX_INPUT:
        return "input ";
    case SYNTAX_TARGET:
        return "target ";
    case SYNTAX_PARAM:
        return "param ";
    case SYNTAX_STATE:
        return "state ";
    default:
        return "draw ";
    }
}

static void print_declaration(Printer *printer, const Syntax *node)
{
    put(printer, declaring_word(node->kind));
    print_expression(printer, kid_names(node), LEVEL_ANY);
    if (kid_type(node)) {
        put(printer, ": ");
        print_type(printer, kid_type(node));
    }
    bool drawn = node->kind == SYNTAX_DRAW || node->flags & SYNTAX_DRAWN;
    if (node->n_kids > 2 && kid_start(node)) print_value(printer, drawn ? " ~ " : " = ", kid_start(node));
}

static void print_if(Printer *printer, const Syntax *node)
{
    put(printer, "if ");
    print_expression(printer, kid_condition(node), LEVEL_ANY);
    put(printer, " ");
    print_block(printer, kid_then(node));
    if (!kid_else(node)) return;
    put(printer, " else ");
    if (kid_else(node)->kind == SYNTAX_IF)
        print_if(printer, kid_else(node));
    else
        print_block(printer, kid_else(node));
}

static void print_definition(Printer *printer, const Syntax *node)
{
    const char *word = node->kind == SYNTAX_INSTANCE ? "layer " : node->kind == SYNTAX_LOSS ? "loss " : "metric ";
    print_words(printer, word, node, "");
    print_value(printer, " = ", kid_value(node));
    if (node->kind == SYNTAX_LOSS) print_paths(printer, kid_paths(node));
}

static void print_command(Printer *printer, const Syntax *node)
{
    switch (node->kind) {
    case SYNTAX_OVERRIDE:
        put(printer, "optimizer ");
        print_expression(printer, kid_where(node), LEVEL_ANY);
        print_value(printer, " = ", kid_value(node));
        break;
    case SYNTAX_OUTPUT:
        put(printer, "output ");
        print_expression(printer, kid_exprs(node), LEVEL_ANY);
        if (kid_value(node)) print_value(printer, " = ", kid_value(node));
        break;
    case SYNTAX_ASSERT:
        put(printer, "assert ");
        print_expression(printer, kid_condition(node), LEVEL_ANY);
        if (kid_string(node)) print_value(printer, ", ", kid_string(node));
        break;
    case SYNTAX_RETURN:
        put(printer, "return "); /* fall through */
    case SYNTAX_EXPRESSION:
        print_list(printer, node, 0);
        break;
    case SYNTAX_BIND:
        print_expression(printer, kid_exprs(node), LEVEL_ANY);
        print_value(printer, " = ", kid_value(node));
        print_paths(printer, kid_paths(node));
        break;
    case SYNTAX_UPDATE:
        print_expression(printer, kid_target(node), LEVEL_ANY);
        print_value(printer, " := ", kid_value(node));
        break;
    case SYNTAX_SCAN:
        print_words(printer, "scan ", node, " in ");
        print_expression(printer, kid_extent(node), LEVEL_ANY);
        put(printer, " ");
        print_block(printer, kid_body(node));
        break;
    case SYNTAX_CHECKPOINT:
        put(printer, "checkpoint ");
        print_block(printer, kid_body(node));
        break;
    default:
        print_expression(printer, node, LEVEL_ANY);
        break;
    }
}

static void print_statement(Printer *printer, const Syntax *node)
{
    if (syntax_is_item(node))
        print_item(printer, node);
    else if (node->kind >= SYNTAX_INPUT && node->kind <= SYNTAX_DRAW)
        print_declaration(printer, node);
    else if (node->kind == SYNTAX_INSTANCE || node->kind == SYNTAX_LOSS || node->kind == SYNTAX_METRIC)
        print_definition(printer, node);
    else if (node->kind == SYNTAX_IF)
        print_if(printer, node);
    else
        print_command(printer, node);
}

/* The comments of one place, each on a line of its own. `*first`: nothing stands above in this sequence. */
static void print_comments(Printer *printer, const Syntax *node, CommentPlace place, bool *first)
{
    for (const Comment *c = node->comments; c; c = c->next) {
        if (c->place != place) continue;
        if (!*first && c->blank_before) put(printer, "\n");
        if (!*first || printer->indent) put_newline(printer);
        put(printer, c->text);
        *first = false;
    }
}

/* Statements, one a line, each after a newline (but for the very first line of a file). */
static void print_sequence(Printer *printer, const Syntax *sequence)
{
    bool first = true;
    for (uint32_t i = 0; i < sequence->n_kids; i++) {
        const Syntax *node = sequence->kids[i];
        print_comments(printer, node, COMMENT_BEFORE, &first);
        if (!first && node->flags & SYNTAX_BLANK_BEFORE) put(printer, "\n");
        if (!first || printer->indent) put_newline(printer);
        print_statement(printer, node);
        for (const Comment *c = node->comments; c; c = c->next) {
            if (c->place != COMMENT_AFTER) continue;
            put(printer, "  ");
            put(printer, c->text);
        }
        first = false;
    }
    print_comments(printer, sequence, COMMENT_LAST, &first);
}

/* A block that was written on one line stays there if it fits. */
static bool print_inline(Printer *printer, const Syntax *block)
{
    Text line = {0};
    Printer inner = *printer;
    inner.to = &line;
    inner.flat = true;
    put(&inner, "{ ");
    for (uint32_t i = 0; i < block->n_kids; i++) {
        if (i) put(&inner, "; ");
        print_statement(&inner, block->kids[i]);
    }
    put(&inner, " }");
    size_t used = 0;
    for (size_t i = printer->to->count; i > 0 && printer->to->at[i - 1] != '\n'; i--) used++;
    bool fits = printer->measuring || used + line.count <= PRINT_WIDTH;
    if (fits && !strchr(text_get(&line), '\n'))
        put(printer, text_get(&line));
    else
        fits = false;
    text_free(&line);
    return fits;
}

void print_block(Printer *printer, const Syntax *block)
{
    if (printer->cut) return;
    if (!block->n_kids && !block->comments) {
        put(printer, "{ }");
        return;
    }
    if (block->flags & SYNTAX_INLINE && print_inline(printer, block)) return;
    put(printer, "{");
    if (printer->measuring) {
        printer->cut = true;
        return;
    }
    Printer inner = *printer;
    inner.flat = inner.tight = false;
    inner.indent += PRINT_INDENT;
    print_sequence(&inner, block);
    put_newline(printer);
    put(printer, "}");
}

void syntax_print(const Syntax *node, Text *to)
{
    Printer printer = {.to = to};
    if (node->kind != SYNTAX_FILE) {
        print_statement(&printer, node);
        return;
    }
    print_sequence(&printer, node);
    if (node->n_kids || node->comments) text_string(to, "\n");
}
