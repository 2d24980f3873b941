/* Expressions, types and subscripts as text, with the fewest parentheses and lines that are short enough. */
#include <string.h>

#include "syntax/print_internal.h"

void put(Printer *printer, const char *text)
{
    if (!printer->cut) text_string(printer->to, text);
}

void put_newline(Printer *printer)
{
    put(printer, "\n");
    if (!printer->cut) text_spaces(printer->to, printer->indent);
}

/* Columns already used on the line being written; bytes of a code point's tail take none. */
static int column(const Text *text)
{
    int columns = 0;
    for (size_t i = text->count; i > 0 && text->at[i - 1] != '\n'; i--) columns += (text->at[i - 1] & 0xC0) != 0x80;
    return columns;
}

static int level_of(const Syntax *node)
{
    switch (node->kind) {
    case SYNTAX_CHOOSE:
        return LEVEL_ANY;
    case SYNTAX_PIPE:
        return LEVEL_PIPE;
    case SYNTAX_UNARY:
    case SYNTAX_BINARY:
        return operator_level(node->op);
    default:
        return LEVEL_POSTFIX;
    }
}

static void print_plain(Printer *printer, const Syntax *node);

/* True if it would fit behind what stands on the line. */
static bool fits(const Printer *printer, const Syntax *node, void (*print)(Printer *, const Syntax *))
{
    Text line = {0};
    Printer measure = *printer;
    measure.to = &line;
    measure.flat = measure.measuring = true;
    print(&measure, node);
    bool fit = column(printer->to) + column(&line) <= PRINT_WIDTH;
    text_free(&line);
    return fit;
}

static void print_string(Printer *printer, const char *value)
{
    put(printer, "\"");
    for (const char *c = value; *c; c++) {
        const char *escape = *c == '\n'   ? "\\n"
                             : *c == '\t' ? "\\t"
                             : *c == '\r' ? "\\r"
                             : *c == '"'  ? "\\\""
                             : *c == '\\' ? "\\\\"
                                          : NULL;
        if (escape)
            put(printer, escape);
        else
            put(printer, (char[]){*c, 0});
    }
    put(printer, "\"");
}

static bool is_atom(const Syntax *node)
{
    return node->kind == SYNTAX_NAME || node->kind == SYNTAX_NUMBER;
}

static void print_power(Printer *printer, const Syntax *node)
{
    print_expression(printer, kid_left(node), LEVEL_POSTFIX);
    put(printer, "^");
    print_expression(printer, kid_right(node), LEVEL_UNARY);
}

/* An operator and what stands right of it. The newline rule lets a line end in an operator, not begin with one. */
static void print_operation(Printer *printer, const Syntax *node, bool same_line)
{
    const Syntax *left = kid_left(node), *right = kid_right(node);
    bool tight = printer->tight && node->op == OPERATOR_MULTIPLY && is_atom(left) && is_atom(right);
    if (!tight) put(printer, " ");
    put(printer, operator_spelling(node->op));
    if (!same_line)
        put_newline(printer);
    else if (!tight)
        put(printer, " ");
    print_expression(printer, right, operator_level(node->op) + 1);
}

static void print_flat_operation(Printer *printer, const Syntax *node)
{
    print_operation(printer, node, true);
}

/* Operators of one level from the left, `a + b - c`: a line takes as many operands as fit. */
static void print_chain(Printer *printer, const Syntax *node)
{
    int level = operator_level(node->op);
    bool comparison = level == operator_level(OPERATOR_EQUAL);
    SyntaxChain chain = {0};
    do {
        vec_push(&chain, node);
        node = kid_left(node);
    } while (!comparison && node->kind == SYNTAX_BINARY && operator_level(node->op) == level);
    bool room = !printer->flat && fits(printer, node, print_plain);
    print_expression(printer, node, comparison ? level + 1 : level);
    while (chain.count) {
        const Syntax *operation = vec_pop(&chain);
        bool same_line = printer->flat || (room && fits(printer, operation, print_flat_operation));
        print_operation(printer, operation, same_line);
        room |= !same_line;
    }
    vec_free(&chain);
}

static void print_binary(Printer *printer, const Syntax *node)
{
    if (node->op == OPERATOR_POWER)
        print_power(printer, node);
    else
        print_chain(printer, node);
}

static void print_choose(Printer *printer, const Syntax *node)
{
    static const char *const words[] = {"if ", "then ", "else "};
    for (uint32_t i = 0; i < 3; i++) {
        if (i && printer->flat)
            put(printer, " ");
        else if (i)
            put_newline(printer);
        put(printer, words[i]);
        print_expression(printer, node->kids[i], LEVEL_ANY);
    }
}

static void print_pipe(Printer *printer, const Syntax *node)
{
    const Syntax *head = kid_head(node);
    if (head->kind == SYNTAX_PIPE)
        print_pipe(printer, head);
    else
        print_expression(printer, head, LEVEL_PIPE);
    if (printer->flat)
        put(printer, " ");
    else
        put_newline(printer);
    put(printer, "|> ");
    print_expression(printer, kid_stage(node), LEVEL_POSTFIX);
}

static void print_subs(Printer *printer, const Syntax *subs)
{
    bool tight = printer->tight;
    printer->tight = true;
    put(printer, "[");
    print_list(printer, subs, 1);
    if (kid_condition(subs)) {
        put(printer, " where ");
        print_expression(printer, kid_condition(subs), LEVEL_ANY);
    }
    put(printer, "]");
    printer->tight = tight;
}

static void print_base(Printer *printer, const Syntax *node)
{
    const Syntax *base = node->kind == SYNTAX_CALL ? kid_callee(node) : kid_base(node);
    bool number = base->kind == SYNTAX_NUMBER && node->kind == SYNTAX_MEMBER;
    if (number) put(printer, "(");
    print_expression(printer, base, LEVEL_POSTFIX);
    if (number) put(printer, ")");
}

void print_list(Printer *printer, const Syntax *node, uint32_t first)
{
    for (uint32_t i = first; i < node->n_kids; i++) {
        if (i > first) put(printer, ", ");
        print_expression(printer, node->kids[i], LEVEL_ANY);
    }
}

void print_bracketed(Printer *printer, const Syntax *node, uint32_t first, const char *open, const char *close)
{
    bool tight = printer->tight;
    printer->tight = false;
    put(printer, open);
    if (printer->flat || node->n_kids <= first) {
        print_list(printer, node, first);
    } else {
        int indent = printer->indent;
        printer->indent = indent + PRINT_INDENT;
        for (uint32_t i = first; i < node->n_kids; i++) {
            put_newline(printer);
            print_expression(printer, node->kids[i], LEVEL_ANY);
            if (i + 1 < node->n_kids) put(printer, ",");
        }
        printer->indent = indent;
        put_newline(printer);
    }
    put(printer, close);
    printer->tight = tight;
}

static void print_index(Printer *printer, const Syntax *node)
{
    put(printer, node->name);
    put(printer, " in ");
    print_expression(printer, kid_extent(node), LEVEL_SUM);
}

void print_type(Printer *printer, const Syntax *type)
{
    if (type->name) put(printer, type->name);
    if (kid_subs(type)) print_subs(printer, kid_subs(type));
    if (kid_range(type)) {
        put(printer, " in ");
        print_expression(printer, kid_range(type), LEVEL_SUM);
    }
}

void print_formal(Printer *printer, const Syntax *formal)
{
    put(printer, formal->name);
    if (kid_type(formal)) {
        put(printer, ": ");
        print_type(printer, kid_type(formal));
    }
    if (kid_default(formal)) {
        put(printer, " = ");
        print_expression(printer, kid_default(formal), LEVEL_ANY);
    }
}

static void print_postfix(Printer *printer, const Syntax *node)
{
    print_base(printer, node);
    if (node->kind == SYNTAX_CALL) {
        print_bracketed(printer, node, 1, "(", ")");
    } else if (node->kind == SYNTAX_SUBSCRIPT) {
        print_subs(printer, kid_subs(node));
    } else {
        put(printer, node->kind == SYNTAX_AS ? " as " : ".");
        put(printer, node->name);
    }
}

static void print_repeat(Printer *printer, const Syntax *node)
{
    put(printer, "repeat ");
    if (node->name) {
        put(printer, node->name);
        put(printer, " in ");
    }
    print_expression(printer, kid_count(node), LEVEL_SUM);
    put(printer, " ");
    print_block(printer, kid_body(node));
}

static void print_plain(Printer *printer, const Syntax *node)
{
    switch (node->kind) {
    case SYNTAX_NAME:
        put(printer, node->name);
        break;
    case SYNTAX_NUMBER:
        put(printer, node->text);
        break;
    case SYNTAX_STRING:
        print_string(printer, node->text);
        break;
    case SYNTAX_BOOL:
        put(printer, node->integer ? "true" : "false");
        break;
    case SYNTAX_DOTS:
        put(printer, "...");
        break;
    case SYNTAX_LIST:
        print_bracketed(printer, node, 0, "[", "]");
        break;
    case SYNTAX_FORMALS:
        print_bracketed(printer, node, 0, "(", ")");
        break;
    case SYNTAX_FORMAL:
        print_formal(printer, node);
        break;
    case SYNTAX_TYPE:
        print_type(printer, node);
        break;
    case SYNTAX_SUBS:
        print_subs(printer, node);
        break;
    case SYNTAX_TYPES:
    case SYNTAX_NAMES:
    case SYNTAX_EXPRS:
    case SYNTAX_PATHS:
        print_list(printer, node, 0);
        break;
    case SYNTAX_PATH:
        put(printer, node->name);
        break;
    case SYNTAX_INDEX:
        print_index(printer, node);
        break;
    case SYNTAX_KEYWORD:
        put(printer, node->name);
        put(printer, " = ");
        print_expression(printer, kid_value(node), LEVEL_ANY);
        break;
    case SYNTAX_RANGE:
        print_expression(printer, kid_from(node), LEVEL_ANY);
        put(printer, ":");
        print_expression(printer, kid_to(node), LEVEL_ANY);
        break;
    case SYNTAX_BLOCK:
        print_block(printer, node);
        break;
    case SYNTAX_REPEAT:
        print_repeat(printer, node);
        break;
    case SYNTAX_UNARY:
        put(printer, node->op == OPERATOR_NOT ? "not " : "-");
        print_expression(printer, kid_operand(node), operator_level(node->op));
        break;
    case SYNTAX_BINARY:
        print_binary(printer, node);
        break;
    case SYNTAX_PIPE:
        print_pipe(printer, node);
        break;
    case SYNTAX_CHOOSE:
        print_choose(printer, node);
        break;
    default:
        print_postfix(printer, node);
        break;
    }
}

/* Lines after the first are indented; brackets do it themselves, for what is between them only. */
static bool indents_itself(const Syntax *node)
{
    return node->kind != SYNTAX_PIPE && node->kind != SYNTAX_CHOOSE && node->kind != SYNTAX_BINARY;
}

void print_expression(Printer *printer, const Syntax *node, int level)
{
    if (!node || printer->cut) return;
    bool parentheses = level_of(node) < level, flat = printer->flat;
    int indent = printer->indent;
    if (parentheses) put(printer, "(");
    if (!flat && fits(printer, node, print_plain)) printer->flat = true;
    if (!printer->flat && !indents_itself(node)) printer->indent += PRINT_INDENT;
    print_plain(printer, node);
    printer->flat = flat;
    printer->indent = indent;
    if (parentheses) put(printer, ")");
}
