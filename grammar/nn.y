/* The grammar of .nn, and nothing else: actions build the tree through compiler/syntax. What may stand where (left sides,
   reducers, blocks as values) is for the check, which can say it better. A push parser, so that the REPL feeds lines. */
%require "3.8"
%define api.pure full
%define api.push-pull push
%define api.prefix {nn_}
%define api.location.type {Span}
%define parse.error custom
%define parse.lac full
%locations
%expect 0
%parse-param { struct Parser *parser }

%code requires {
#include "grammar/parser_internal.h"
#include "support/memory.h"
}

%union {
    Name name;
    const char *text;
    Syntax *node;
    SyntaxList *list;
    int op;
}

%code {
#define YYINITDEPTH 4000 /* the stack does not grow: beyond it a source is nested too deep */
#define YYMAXDEPTH YYINITDEPTH
#define YYMALLOC memory_alloc
#define YYFREE memory_free
#define YYLLOC_DEFAULT(whole, rhs, n)                                                                                  \
    ((whole) = (n) ? span_of(&YYRHSLOC(rhs, 1), (n)) : (Span){YYRHSLOC(rhs, 0).end, YYRHSLOC(rhs, 0).end})

#define ARENA parser->context->arena
#define NODE(kind, span, ...) syntax_node(ARENA, SYNTAX_##kind, span, __VA_ARGS__)
#define NAMED(kind, span, name, name_span, ...) syntax_named(ARENA, SYNTAX_##kind, span, name, name_span, __VA_ARGS__)
#define LIST(kind, span, list) list_node(parser, SYNTAX_##kind, span, list)
#define BINARY(span, op, left, right) binary(parser, span, (Operator)(op), left, right)

/* After a broken statement: say the next error again, however near it is. */
#define RECOVERED (yyerrok, parser->panic = false)

static void nn_error(Span *at, struct Parser *parser, const char *message);
static Syntax *flagged(Syntax *node, int flag);
static Syntax *binary(struct Parser *parser, Span span, Operator op, Syntax *left, Syntax *right);
static void complete(struct Parser *parser, Syntax *entry);
static Syntax *path_extend(struct Parser *parser, Syntax *path, Span span, Syntax *part);
static Syntax *block_make(struct Parser *parser, Span span, SyntaxList *statements);
static Syntax *rule_make(struct Parser *parser, Span span, Name kind, Span kind_span, Syntax *pattern, bool equals,
                         SyntaxList *results, Syntax *condition);
}

%token START_FILE "file" START_RULES "rules"
%token <name> NAME "a name" RULE_KIND "a kind of rule"
%token <text> NUMBER "a number" STRING "a string"
%token END_STATEMENT "the end of the statement"
%token IF "if" THEN "then" ELSE "else" AND "and" OR "or" NOT "not" AS "as" RETURN "return" REPEAT "repeat" SCAN "scan"
%token IN "in" WHERE "where" FOR "for" TRUE "true" FALSE "false" ASSERT "assert" IMPORT "import"
%token INPUT "input" TARGET "target" PARAM "param" STATE "state" DRAW "draw" OUTPUT "output" LOSS "loss" METRIC "metric"
%token CONST "const" FN "fn" LAYER "layer" OPTIMIZER "optimizer" MODEL "model" DATA "data" TRAIN "train"
%token DERIVATIVE "derivative" CHECKPOINT "checkpoint"
%token PIPE "|>" UPDATE ":=" ARROW "->" REWRITES "=>" DOTS "..." EQUAL "==" UNEQUAL "!=" LESS_EQUAL "<="
%token GREATER_EQUAL ">=" FLOOR_DIVIDE "//" PLUS "+" MINUS "-" TIMES "*" DIVIDE "/" REMAINDER "%" AT "@" POWER "^"
%token LESS "<" GREATER ">" ASSIGN "=" COMMA "," DOT "." COLON ":" TILDE "~"
%token LEFT_PARENTHESIS "(" RIGHT_PARENTHESIS ")" LEFT_BRACKET "[" RIGHT_BRACKET "]" LEFT_BRACE "{" RIGHT_BRACE "}"

%type <node> statement item declaration command
%type <node> fn_body result formals formal opt_type opt_default type opt_range names block else_tail
%type <node> place path opt_for opt_string expr pipe or and not comparison sum product unary power postfix primary repeat
%type <node> arg subs sub opt_expr name opt_where
%type <list> types formal_list name_list statements paths exprs list args sub_list
%type <op> cmp
%%

start: START_FILE entries
     | START_RULES rules
     ;

entries: %empty
       | entries END_STATEMENT
       | entries statement END_STATEMENT      { complete(parser, $2); }
       | entries error END_STATEMENT          { RECOVERED; parser->errors_before = parser->errors; }
       ;

rules: %empty
     | rules END_STATEMENT
     | rules RULE_KIND expr "=" exprs opt_where END_STATEMENT
           { complete(parser, rule_make(parser, span_of(&@2, 5), $2, @2, $3, true, $5, $6)); }
     | rules RULE_KIND expr "=>" exprs opt_where END_STATEMENT
           { complete(parser, rule_make(parser, span_of(&@2, 5), $2, @2, $3, false, $5, $6)); }
     | rules error END_STATEMENT              { RECOVERED; }
     ;

opt_where: %empty                             { $$ = NULL; }
         | "where" expr                       { $$ = $2; }
         ;

/* Items and statements are read everywhere; which may stand where is said when the entry or block is complete. */
statement: item | declaration | command ;

item: "const" NAME "=" expr                   { $$ = NAMED(CONST, @$, $2, @2, $4); }
    | "import" STRING                         { $$ = NODE(IMPORT, @$, syntax_string(ARENA, @2, $2)); }
    | "fn" NAME formals result fn_body        { $$ = NAMED(FN, @$, $2, @2, $3, $4, $5);
                                                if (@5.start != $5->span.start || $5->kind != SYNTAX_BLOCK)
                                                    flagged($$, SYNTAX_EQUALS); }
    | "derivative" NAME "(" names ")" "=" exprs
                                              { $$ = NAMED(DERIVATIVE, @$, $2, @2, $4, LIST(EXPRS, @7, $7)); }
    | "layer" NAME formals result block       { $$ = NAMED(LAYER, @$, $2, @2, $3, $4, $5); }
    | "optimizer" NAME formals block          { $$ = NAMED(OPTIMIZER, @$, $2, @2, $3, $4); }
    | "model" NAME block                      { $$ = NAMED(MODEL, @$, $2, @2, $3); }
    | "data" names block                      { $$ = NODE(DATA, @$, $2, $3); }
    | "train" NAME block                      { $$ = NAMED(TRAIN, @$, $2, @2, $3); }
    ;
fn_body: "=" expr                             { $$ = $2; }
       | block
       ;
result: %empty                                { $$ = NULL; }
      | "->" types                            { $$ = LIST(TYPES, @2, $2); }
      ;
types: type                                   { $$ = list_new(parser, $1); }
     | types "," type                         { $$ = list_add(parser, $1, $3); }
     ;
formals: "(" ")"                              { $$ = LIST(FORMALS, @$, list_new(parser, NULL)); }
       | "(" formal_list opt_comma ")"        { $$ = LIST(FORMALS, @$, $2); }
       ;
opt_comma: %empty | "," ;
formal_list: formal                           { $$ = list_new(parser, $1); }
           | formal_list "," formal           { $$ = list_add(parser, $1, $3); }
           ;
formal: NAME opt_type opt_default             { $$ = NAMED(FORMAL, @$, $1, @1, $2, $3); }
      ;
opt_type: %empty                              { $$ = NULL; }
        | ":" type                            { $$ = $2; }
        ;
opt_default: %empty                           { $$ = NULL; }
           | "=" expr                         { $$ = $2; }
           ;
type: NAME opt_range                          { $$ = NAMED(TYPE, @$, $1, @1, NULL, $2); }
    | NAME "[" subs "]" opt_range             { $$ = NAMED(TYPE, @$, $1, @1, $3, $5); }
    | "[" subs "]" opt_range                  { $$ = NODE(TYPE, @$, $2, $4); }
    ;
opt_range: %empty                             { $$ = NULL; }
         | "in" sum                           { $$ = $2; }
         ;
names: name_list                              { $$ = LIST(NAMES, @$, $1); }
     ;
name_list: name                               { $$ = list_new(parser, $1); }
         | name_list "," name                 { $$ = list_add(parser, $1, $3); }
         ;
name: NAME                                    { $$ = syntax_name(ARENA, @1, $1); }
    ;

block: "{" statements "}"                     { $$ = block_make(parser, @$, $2); }
     | "{" statements statement "}"           { $$ = block_make(parser, @$, list_add(parser, $2, $3)); }
     | "{" statements error "}"               { RECOVERED; $$ = block_make(parser, @$, $2); }
     ;
statements: %empty                            { $$ = list_new(parser, NULL); }
          | statements END_STATEMENT
          | statements statement END_STATEMENT { $$ = list_add(parser, $1, $2); }
          | statements error END_STATEMENT    { RECOVERED; $$ = $1; }
          ;

declaration: "input" names ":" type opt_default   { $$ = NODE(INPUT, @$, $2, $4, $5); }
           | "target" names ":" type          { $$ = NODE(TARGET, @$, $2, $4); }
           | "param" names ":" type "~" pipe  { $$ = flagged(NODE(PARAM, @$, $2, $4, $6), SYNTAX_DRAWN); }
           | "param" names ":" type "=" expr  { $$ = NODE(PARAM, @$, $2, $4, $6); }
           | "state" names opt_type "~" pipe  { $$ = flagged(NODE(STATE, @$, $2, $3, $5), SYNTAX_DRAWN); }
           | "state" names opt_type "=" expr  { $$ = NODE(STATE, @$, $2, $3, $5); }
           | "draw" names ":" type "~" pipe   { $$ = NODE(DRAW, @$, $2, $4, $6); }
           | "layer" NAME "=" expr            { $$ = NAMED(INSTANCE, @$, $2, @2, $4); }
           | "optimizer" place "=" expr       { $$ = NODE(OVERRIDE, @$, $2, $4); }
           | "output" exprs                   { $$ = NODE(OUTPUT, @$, LIST(EXPRS, @2, $2), NULL); }
           | "output" exprs "=" expr          { $$ = NODE(OUTPUT, @$, LIST(EXPRS, @2, $2), $4); }
           | "loss" NAME "=" expr opt_for     { $$ = NAMED(LOSS, @$, $2, @2, $4, $5); }
           | "metric" NAME "=" expr           { $$ = NAMED(METRIC, @$, $2, @2, $4); }
           ;
place: path
     | STRING                                 { $$ = syntax_string(ARENA, @1, $1); }
     ;
path: name                                    { $$ = NAMED(PATH, @$, $1->name, @1, $1); }
    | path "." name                           { $$ = path_extend(parser, $1, @$, $3); }
    ;
paths: path                                   { $$ = list_new(parser, $1); }
     | paths "," path                         { $$ = list_add(parser, $1, $3); }
     ;
opt_for: %empty                               { $$ = NULL; }
       | "for" paths                          { $$ = LIST(PATHS, @2, $2); }
       ;

command: "assert" expr opt_string             { $$ = NODE(ASSERT, @$, $2, $3); }
       | "return" exprs                       { $$ = LIST(RETURN, @$, $2); }
       | exprs                                { $$ = LIST(EXPRESSION, @$, $1); }
       | exprs "=" expr opt_for               { $$ = NODE(BIND, @$, LIST(EXPRS, @1, $1), $3, $4); }
       | expr ":=" expr                       { $$ = NODE(UPDATE, @$, $1, $3); }
       | "if" expr block                      { $$ = NODE(IF, @$, $2, $3, NULL); }
       | "if" expr block "else" else_tail     { $$ = NODE(IF, @$, $2, $3, $5); }
       | "scan" NAME "in" expr block          { $$ = NAMED(SCAN, @$, $2, @2, $4, $5); }
       | "checkpoint" block                   { $$ = NODE(CHECKPOINT, @$, $2); }
       ;
opt_string: %empty                            { $$ = NULL; }
          | "," STRING                        { $$ = syntax_string(ARENA, @2, $2); }
          ;
else_tail: block
         | "if" expr block                    { $$ = NODE(IF, @$, $2, $3, NULL); }
         | "if" expr block "else" else_tail   { $$ = NODE(IF, @$, $2, $3, $5); }
         ;

exprs: expr                                   { $$ = list_new(parser, $1); }
     | exprs "," expr                         { $$ = list_add(parser, $1, $3); }
     ;
expr: pipe
    | "if" expr "then" expr "else" expr       { $$ = NODE(CHOOSE, @$, $2, $4, $6); }
    ;
pipe: or
    | pipe "|>" postfix                       { $$ = NODE(PIPE, @$, $1, $3); }
    ;
or: and
  | or "or" and                               { $$ = BINARY(@$, OPERATOR_OR, $1, $3); }
  ;
and: not
   | and "and" not                            { $$ = BINARY(@$, OPERATOR_AND, $1, $3); }
   ;
not: comparison
   | "not" not                                { $$ = syntax_unary(ARENA, @$, OPERATOR_NOT, $2); }
   ;
comparison: sum
          | sum cmp sum                       { $$ = BINARY(@$, $2, $1, $3); }
          ;
cmp: "<"                                      { $$ = OPERATOR_LESS; }
   | ">"                                      { $$ = OPERATOR_GREATER; }
   | "<="                                     { $$ = OPERATOR_LESS_EQUAL; }
   | ">="                                     { $$ = OPERATOR_GREATER_EQUAL; }
   | "=="                                     { $$ = OPERATOR_EQUAL; }
   | "!="                                     { $$ = OPERATOR_UNEQUAL; }
   ;
sum: product
   | sum "+" product                          { $$ = BINARY(@$, OPERATOR_ADD, $1, $3); }
   | sum "-" product                          { $$ = BINARY(@$, OPERATOR_SUBTRACT, $1, $3); }
   ;
product: unary
       | product "*" unary                    { $$ = BINARY(@$, OPERATOR_MULTIPLY, $1, $3); }
       | product "/" unary                    { $$ = BINARY(@$, OPERATOR_DIVIDE, $1, $3); }
       | product "//" unary                   { $$ = BINARY(@$, OPERATOR_FLOOR_DIVIDE, $1, $3); }
       | product "%" unary                    { $$ = BINARY(@$, OPERATOR_REMAINDER, $1, $3); }
       | product "@" unary                    { $$ = BINARY(@$, OPERATOR_MATMUL, $1, $3); }
       ;
unary: power
     | "-" unary                              { $$ = syntax_unary(ARENA, @$, OPERATOR_NEGATE, $2); }
     ;
power: postfix
     | postfix "^" unary                      { $$ = BINARY(@$, OPERATOR_POWER, $1, $3); }
     ;
postfix: primary
       | postfix "(" ")"                      { $$ = NODE(CALL, @$, $1); }
       | postfix "(" args opt_comma ")"       { $$ = list_node_after(parser, SYNTAX_CALL, @$, $1, $3); }
       | postfix "[" subs "]"                 { $$ = NODE(SUBSCRIPT, @$, $1, $3); }
       | postfix "." NAME                     { $$ = NAMED(MEMBER, @$, $3, @3, $1); }
       | postfix "as" NAME                    { $$ = NAMED(AS, @$, $3, @3, $1); }
       ;
primary: NAME                                 { $$ = syntax_name(ARENA, @1, $1); }
       | NUMBER                               { $$ = syntax_number(ARENA, @1, $1); }
       | STRING                               { $$ = syntax_string(ARENA, @1, $1); }
       | "true"                               { $$ = syntax_bool(ARENA, @1, true); }
       | "false"                              { $$ = syntax_bool(ARENA, @1, false); }
       | "..."                                { $$ = syntax_leaf(ARENA, SYNTAX_DOTS, @1); }
       | "(" expr ")"                         { $$ = $2; }
       | "[" "]"                              { $$ = LIST(LIST, @$, list_new(parser, NULL)); }
       | "[" list opt_comma "]"               { $$ = LIST(LIST, @$, $2); }
       | block
       | repeat
       ;
repeat: "repeat" sum block                    { $$ = NODE(REPEAT, @$, $2, $3); }
      | "repeat" NAME "in" sum block          { $$ = NAMED(REPEAT, @$, $2, @2, $4, $5); }
      ;
list: expr                                    { $$ = list_new(parser, $1); }
    | list "," expr                           { $$ = list_add(parser, $1, $3); }
    ;
args: arg                                     { $$ = list_new(parser, $1); }
    | args "," arg                            { $$ = list_add(parser, $1, $3); }
    ;
arg: expr
   | NAME "=" expr                            { $$ = NAMED(KEYWORD, @$, $1, @1, $3); }
   ;
subs: sub_list                                { $$ = list_node_after(parser, SYNTAX_SUBS, @$, NULL, $1); }
    | sub_list "where" expr                   { $$ = list_node_after(parser, SYNTAX_SUBS, @$, $3, $1); }
    ;
sub_list: sub                                 { $$ = list_new(parser, $1); }
        | sub_list "," sub                    { $$ = list_add(parser, $1, $3); }
        ;
sub: expr
   | opt_expr ":" opt_expr                    { $$ = NODE(RANGE, @$, $1, $3); }
   | NAME "in" sum                            { $$ = NAMED(INDEX, @$, $1, @1, $3); }
   ;
opt_expr: %empty                              { $$ = NULL; }
        | expr
        ;
%%

/* Not syntax errors, which yyreport_syntax_error gets: the parser's stack is full. */
static void nn_error(Span *at, struct Parser *parser, const char *message)
{
    (void)message;
    parser_error(parser, DIAG_nested_too_deep, *at, "this is nested too deep");
    parser->failed = true;
}

static int yyreport_syntax_error(const yypcontext_t *context, struct Parser *parser)
{
    enum { MOST = YYNTOKENS };
    yysymbol_kind_t kinds[MOST];
    const char *names[MOST];
    int count = yypcontext_expected_tokens(context, kinds, MOST);
    for (int i = 0; i < count; i++) names[i] = yysymbol_name(kinds[i]);
    report_syntax_error(parser, names, count > 0 ? (size_t)count : 0);
    return 0;
}

static Syntax *flagged(Syntax *node, int flag)
{
    node->flags = (uint16_t)(node->flags | flag);
    return node;
}

/* In rules, which are walked by recursion alone, a chain of operators is as deep as it is long. */
static Syntax *binary(struct Parser *parser, Span span, Operator op, Syntax *left, Syntax *right)
{
    Syntax *node = syntax_binary(ARENA, span, op, left, right);
    if (parser->mode == MODE_RULES && node->depth == left->depth && node->depth < UINT16_MAX) node->depth++;
    return node;
}

static void complete(struct Parser *parser, Syntax *entry)
{
    if (parser->errors > parser->errors_before) flagged(entry, SYNTAX_BROKEN);
    if (check_entry(parser, entry)) vec_push(&parser->entries, entry);
    parser->errors_before = parser->errors;
}

static Syntax *path_extend(struct Parser *parser, Syntax *path, Span span, Syntax *part)
{
    SyntaxList parts = {path->kids, path->n_kids, path->n_kids};
    SyntaxList *longer = list_new(parser, NULL);
    for (size_t i = 0; i < parts.count; i++) list_add(parser, longer, parts.at[i]);
    Syntax *whole = LIST(PATH, span, list_add(parser, longer, part));
    whole->name = intern_format(parser->context->names, "%s.%s", path->name, part->name);
    whole->name_span = span;
    return whole;
}

static Syntax *block_make(struct Parser *parser, Span span, SyntaxList *statements)
{
    Syntax *block = LIST(BLOCK, span, statements);
    check_block(parser, block);
    return block;
}

static Syntax *rule_make(struct Parser *parser, Span span, Name kind, Span kind_span, Syntax *pattern, bool equals,
                         SyntaxList *results, Syntax *condition)
{
    SyntaxList *kids = list_new(parser, pattern);
    list_add(parser, kids, condition);
    for (size_t i = 0; i < results->count; i++) list_add(parser, kids, results->at[i]);
    Syntax *rule = LIST(RULE, span, kids);
    rule->name = kind;
    rule->name_span = kind_span;
    return equals ? flagged(rule, SYNTAX_EQUALS) : rule;
}
