/* The driver: pulls tokens from the lexer and pushes them into the parser, and after a syntax error finds the end of
 * the broken statement, so that the next one is read as if nothing had happened. */
#include "grammar/parser.h"

#include <limits.h>
#include <stdarg.h>
#include <string.h>

#include "grammar/parser_internal.h"
#include "nn.tab.h"
#include "support/memory.h"

typedef struct yy_buffer_state *Buffer;

int nn_lex(NN_STYPE *value, Span *at, void *scanner);
int nn_lex_init_extra(Parser *parser, void **scanner);
int nn_lex_destroy(void *scanner);
Buffer nn__scan_bytes(const char *bytes, int size, void *scanner);
void nn__delete_buffer(Buffer buffer, void *scanner);

Diag *parser_error(Parser *parser, DiagId id, Span at, const char *format, ...)
{
    if (parser->errors++ >= MAX_ERRORS) return NULL;
    Text message = {0};
    va_list args;
    va_start(args, format);
    text_format_list(&message, format, args);
    va_end(args);
    Diag *diag = diag_new(parser->context->diagnostics, id, at, "%s", text_get(&message));
    text_free(&message);
    return diag;
}

const char *parser_text(const Parser *parser, Span at)
{
    Place place;
    const Source *source = parser->source;
    if (at.start < source->start || at.start > source->start + source->size) /* a line that the REPL read before */
        source = source_place(parser->context->sources, at.start, &place) ? place.source : source;
    return source->text + (at.start - source->start);
}

bool parser_begins_line(const Parser *parser, Span at)
{
    const char *begin = parser->source->text, *p = parser_text(parser, at);
    if (at.start < parser->source->start) return false;
    while (p > begin && (p[-1] == ' ' || p[-1] == '\t')) p--;
    return p == begin || p[-1] == '\n';
}

static void push_token(Parser *parser, int kind, NN_STYPE *value, Span at)
{
    parser->before_that = parser->before;
    parser->before = parser->now;
    parser->now = (Token){kind, at};
    parser->at_start = kind == END_STATEMENT || kind == LEFT_BRACE || kind == START_FILE || kind == START_RULES;
    if (parser->panic || parser->failed) return;
    NN_STYPE none = {0};
    int status = nn_push_parse(parser->state, kind, value ? value : &none, &at, parser);
    if (status != YYPUSH_MORE && kind) parser->failed = true;
    if (kind == END_STATEMENT) parser->bad_statement = false;
}

static void begin(Parser *parser)
{
    parser->state = nn_pstate_new();
    push_token(parser, parser->mode == MODE_RULES ? START_RULES : START_FILE, NULL, NO_SPAN);
}

static void init(Parser *parser, Context *context, ParserMode mode)
{
    *parser = (Parser){.context = context, .mode = mode};
    if (nn_lex_init_extra(parser, &parser->scanner)) memory_exhausted();
    begin(parser);
}

static void release(Parser *parser)
{
    nn_pstate_delete(parser->state);
    nn_lex_destroy(parser->scanner);
    vec_free(&parser->brackets);
    vec_free(&parser->comments);
    vec_free(&parser->entries);
}

/* True if the open round and square brackets above `level` are closed in the rest of the source, in their order: then
 * newlines inside them do not end the broken statement. */
static bool brackets_balance(const Parser *parser, size_t level)
{
    char open[MAX_BRACKETS];
    size_t count = 0;
    for (size_t i = level; i < parser->brackets.count; i++) open[count++] = parser->brackets.at[i].open;
    const char *at = parser_text(parser, (Span){parser->position, parser->position});
    const char *end = parser->source->text + parser->source->size;
    for (; count && at < end; at++) {
        if (*at == '#' || *at == '"') {
            const char *stop = *at == '#' ? "\n" : "\"\n";
            do at++;
            while (at < end && !strchr(stop, *at));
        } else if (strchr("([{", *at) && *at) {
            if (count == MAX_BRACKETS) return false;
            open[count++] = *at;
        } else if (strchr(")]}", *at) && *at) {
            char expected = *at == ')' ? '(' : *at == ']' ? '[' : '{';
            if (open[--count] != expected) return false;
        }
    }
    return !count;
}

static bool is_opener(int kind)
{
    return kind == LEFT_PARENTHESIS || kind == LEFT_BRACKET || kind == LEFT_BRACE;
}

/* The token just pushed was wrong. The statement to skip ends where the brackets are those of the block around it. */
static void begin_panic(Parser *parser)
{
    size_t level = parser->brackets.count;
    if (level && is_opener(parser->now.kind)) level--;
    while (level && parser->brackets.at[level - 1].open != '{') level--;
    parser->panic_level = level;
    if (!brackets_balance(parser, level) && parser->now.kind != LEFT_BRACE) parser->brackets.count = level;
}

static void take_token(Parser *parser, int kind, NN_STYPE *value, Span at)
{
    if (parser->panic) {
        size_t open = parser->brackets.count;
        bool ends = (kind == END_STATEMENT && open <= parser->panic_level) ||
                    (kind == RIGHT_BRACE && open < parser->panic_level);
        parser->panic = !ends;
        push_token(parser, kind, value, at);
        return;
    }
    push_token(parser, kind, value, at);
    if (parser->panic) begin_panic(parser);
}

static void read_tokens(Parser *parser, const Source *source)
{
    parser->source = source;
    parser->position = source->start;
    Buffer buffer = nn__scan_bytes(source->text, (int)source->size, parser->scanner);
    NN_STYPE value = {0};
    Span at;
    int kind;
    while (!parser->failed && parser->errors < MAX_ERRORS && (kind = nn_lex(&value, &at, parser->scanner)))
        take_token(parser, kind, &value, at);
    nn__delete_buffer(buffer, parser->scanner);
}

static void finish(Parser *parser)
{
    if (parser->failed || parser->errors >= MAX_ERRORS) return;
    if (parser->brackets.count) {
        report_unclosed(parser);
        return;
    }
    uint32_t end = parser->now.span.end ? parser->now.span.end : parser->position;
    parser->panic = false;
    if (!parser->at_start) push_token(parser, END_STATEMENT, NULL, (Span){end, end});
    push_token(parser, 0, NULL, (Span){end, end});
}

static Syntax *take_entries(Parser *parser, Span span)
{
    Syntax *file = syntax_make(parser->context->arena, SYNTAX_FILE, span, parser->entries.at, parser->entries.count);
    parser->entries.count = 0;
    return file;
}

static Syntax *parse_whole(Context *context, const Source *source, ParserMode mode)
{
    Parser parser;
    init(&parser, context, mode);
    parser.source = source;
    if (source->size > INT_MAX / 2) {
        parser_error(&parser, DIAG_unreadable_file, (Span){source->start, source->start + 1},
                     "this source is too large");
    } else {
        read_tokens(&parser, source);
        finish(&parser);
    }
    Syntax *file = take_entries(&parser, (Span){source->start, source->start + (uint32_t)source->size});
    if (parser.errors) file->flags |= SYNTAX_BROKEN;
    for (uint32_t i = 0; parser.stray_brace && i < file->n_kids; i++) file->kids[i]->flags |= SYNTAX_BROKEN;
    syntax_attach_comments(context->arena, file, source, parser.comments.at, parser.comments.count);
    release(&parser);
    return file;
}

Syntax *parse_source(Context *context, const Source *source)
{
    return parse_whole(context, source, MODE_FILE);
}

Syntax *parse_rules(Context *context, const Source *source)
{
    return parse_whole(context, source, MODE_RULES);
}

Parser *parser_new(Context *context)
{
    Parser *parser = memory_calloc(1, sizeof *parser);
    init(parser, context, MODE_REPL);
    return parser;
}

void parser_free(Parser *parser)
{
    if (!parser) return;
    release(parser);
    memory_free(parser);
}

void parser_reset(Parser *parser)
{
    nn_pstate_delete(parser->state);
    parser->brackets.count = parser->comments.count = parser->entries.count = 0;
    parser->panic = parser->failed = parser->bad_statement = parser->stray_brace = false;
    parser->now = parser->before = parser->before_that = (Token){0};
    begin(parser);
}

static ParserState state_after_line(Parser *parser)
{
    if (parser->errors || parser->failed) {
        parser_reset(parser);
        return PARSER_ERROR;
    }
    return parser->at_start && !parser->brackets.count ? PARSER_COMPLETE : PARSER_INCOMPLETE;
}

void parser_at_line(Parser *parser, int line)
{
    parser->line = line - 1;
}

ParserState parser_feed(Parser *parser, const char *name, const char *line, size_t size)
{
    Text text = {0};
    text_put(&text, line, size);
    if (!size || line[size - 1] != '\n') text_string(&text, "\n");
    parser->errors = parser->errors_before = 0;
    parser->line++;
    const Source *source = text.count > INT_MAX / 2 ? NULL
                                                    : source_add_part(parser->context->sources, name, parser->line,
                                                                      text_get(&text), text.count);
    text_free(&text);
    if (source) {
        read_tokens(parser, source);
    } else {
        parser_error(parser, DIAG_unreadable_file, NO_SPAN, "%s: this line is too long", name);
    }
    return state_after_line(parser);
}

Syntax *parser_take(Parser *parser)
{
    Span span = {0, 0};
    for (size_t i = 0; i < parser->entries.count; i++) span = span_join(span, parser->entries.at[i]->span);
    return take_entries(parser, span);
}

ParserState parser_finish(Parser *parser)
{
    parser->errors = parser->errors_before = 0;
    if (parser->source && !(parser->at_start && !parser->brackets.count)) finish(parser);
    ParserState state = state_after_line(parser);
    if (state == PARSER_COMPLETE) { /* the parser has seen the end of input; a new one reads what may follow */
        nn_pstate_delete(parser->state);
        begin(parser);
    }
    return state;
}
