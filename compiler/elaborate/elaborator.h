/* The elaborator: an abstract interpreter of the syntax tree. A session is an Elaborator and a Scope; statements are
 * evaluated one after the other and leave bindings in the scope and nodes in the graph. */
#ifndef NNC_ELABORATE_ELABORATOR_H
#define NNC_ELABORATE_ELABORATOR_H

#include "elaborate/program.h"
#include "elaborate/value.h"
#include "ir/build.h"
#include "support/name_map.h"
#include "support/vector.h"

/* A state's value while statements run: `:=` gives it a new one. */
typedef struct StateCell StateCell;
struct StateCell {
    Name path;
    Node old, now;
};

typedef struct Binding Binding;
struct Binding {
    Name name;
    bool function; /* functions and values are two namespaces */
    Value value;
    StateCell *cell; /* of a state: its value is what the cell holds */
    Span place;
    Binding *next;
};

/* Names of a block. A block sees those around it, up to the body of its function or model. */
struct Scope {
    Scope *outer;
    Binding *first;
    bool inside_prelude;
    NameMap table; /* of all bindings, where they are many; empty elsewhere */
    uint32_t count;
};

typedef struct {
    Name name;
    int count;
} Counter;

/* Where parameters get their paths from: the model, a layer's call or an instance. */
typedef struct Frame Frame;
struct Frame {
    Name base;         /* the binding in a model, the layer's path in a layer; NULL: none */
    const char *turns; /* `[2][3]` inside of repeats, else "" */
    char separator;    /* between base and component */
    bool model;
    bool shared;       /* inside an instance, whose uses all make the same parameters */
    const void *owner; /* equal for all uses of a shared instance, else of this frame alone */
    Vec(Counter) counters;
    NameMap counted; /* of the counters by name */
};

typedef struct {
    Name path;
    Node node, start;
    const char *doc;
    Span place;
    Span made_by; /* the call of the library's layer that owns it; none for one of the user's own text */
    const void *owner;
    int form; /* the last one that declared it */
} Stored;

typedef struct {
    const Item *item;
    Value value;
    bool open; /* its expression is being evaluated */
} Constant;

typedef struct {
    Name name;
    Node value;
    const Syntax *paths; /* PATHS of `for`, or NULL */
    Span place;
} LossEntry;

/* The form in which a model is elaborated: what `training` says inside of it. */
typedef enum { FORM_NONE, FORM_INFERENCE, FORM_TRAINING } ModelForm;

/* Kinds of things that are found by name. A cell goes by the path of its state, a constant by its item, a body that
 * takes derivatives by its syntax. */
typedef enum {
    NAMED_PARAM,
    NAMED_STATE,
    NAMED_CELL,
    NAMED_OUTPUT,
    NAMED_METRIC, /* and all other results that are not outputs */
    NAMED_LOSS,
    NAMED_INPUT,
    NAMED_SETTING,
    NAMED_STREAM,
    NAMED_CONSTANT,
    NAMED_FREE_SIZE,
    NAMED_BOUND_SIZE,
    NAMED_BODY,
    NAMED_CHECK,
    NAMED_COUNT
} Named;

struct DataSplits;
typedef struct DerivativeNames DerivativeNames;
typedef struct MemoEntry MemoEntry;

/* What calls gave inside the outermost call of a function or layer (memo.c). */
typedef struct {
    Vec(MemoEntry) entries;
    uint32_t *slots; /* a hash table of entries, counted from 1 */
    size_t n_slots;
} Memo;

/* In what body the elaborator is; saved and restored as a whole around each call. */
typedef struct {
    SyntaxKind kind;      /* of the item whose body is evaluated: MODEL, LAYER, FN, OPTIMIZER; FILE at the top */
    const Syntax *syntax; /* of that item, NULL at the top; set by enter_body */
    bool differentiates;  /* it contains a `grad` */
    Frame *frame;
    Name draw;         /* the path of the parameter or draw whose right side is evaluated; NULL elsewhere */
    Span prelude_call; /* the user's call inside of which prelude text is evaluated */
    Span call;         /* the innermost call of a function or layer of the user's */
} BodyState;

typedef struct {
    Context *context;
    Arena *arena;
    Graph *graph;
    DimTable *dims;
    const Items *items;
    const ProgramOptions *options;
    const char *folder;     /* where relative names of data are looked for first; NULL: the working folder */
    DType real;             /* f32, or f64 by precision */
    Span here;              /* what makes nodes now */
    GraphListener listener; /* who listened to the graph before */

    bool interactive; /* the REPL: the gradient of a non-scalar is that of its sum */
    bool summed;      /* such a sum was taken since the REPL looked last */
    ModelForm form;
    BodyState body;
    int calls;        /* of functions and layers that are being evaluated */
    uint64_t effects; /* what evaluating has left besides a value: parameters, draws, diagnostics … */
    Memo memo;
    uint32_t n_labels;         /* serial numbers given */
    uint32_t n_identities;     /* made in this form */
    struct DataSplits *splits; /* while data blocks are read */

    Vec(DerivativeNames *) derivative_names; /* of the bodies that were entered */
    Vec(Declared) inputs;
    Vec(Declared) settings;
    Vec(Stored) params;
    Vec(Stored) states;
    Vec(StateCell *) cells; /* of this form */
    Vec(Counter) streams;   /* of this form: evaluations of random by path */
    Vec(Result) results;    /* of this form */
    Vec(LossEntry) losses;  /* of this form */
    Vec(Check) checks;
    Vec(Binding) dim_places; /* where a free size was first named */
    Vec(Name) dim_names;     /* all names of sizes that inputs mention */
    Vec(Binding) bound_dims; /* sizes given by options or data */
    Vec(Constant) consts;
    Binding *spare; /* bindings that scope_end gave back */

    NameMap named; /* where these things lie; by kind, what is in it already (named.c) */
    size_t n_named[NAMED_COUNT];

    Name name_dots, name_axes, name_blank, name_w, name_g, name_out, name_dy, name_fn;
    Name name_training, name_step, name_steps, name_progress, name_loss, name_transpose;
} Elaborator;

/* complain.c */
/* A diagnostic; of a mistake inside the prelude it points at the user's call, with a note. */
Diag *complain(Elaborator *el, DiagId id, Span at, const char *format, ...) __attribute__((format(printf, 4, 5)));
Value unsupported(Elaborator *el, Span at, const char *what);
/* Counts work of so many units and of the sizes since the last time; false when that is over the budget. */
bool spend(Elaborator *el, uint64_t units, Span at);
/* One level deeper in the tree or in a call; false, and the end of the elaboration, after a diagnostic when that is too
 * deep. context_ascend leaves it either way. */
bool enter_level(Elaborator *el, Span at);

/* elaborator.c */
Elaborator *elaborator_new(Context *context, const Items *items, const ProgramOptions *options, const char *path);
/* The same for a body of its own over another one's graph and items; its graph is not its own to free. */
Elaborator *elaborator_within(const Elaborator *outer, const ProgramOptions *options);
void elaborator_free(Elaborator *el);
/* A condition on entry, unless the same one is there already. */
void check_add(Elaborator *el, Check check);
/* A number of what it compares, which another check seldom has. */
uint32_t check_part(const Check *check);
/* Nodes made from now on come from here and belong to the frame's layer. Inside the prelude `here` is the user's call.
 */
void mark_place(Elaborator *el, Span at);

/* value.c */
Value value_integer(Elaborator *el, int64_t integer);
/* DIM_NONE, a size that cannot be computed, is a diagnostic here. */
Value value_size(Elaborator *el, Dim size);
/* That diagnostic. */
Value size_refused(Elaborator *el, Span at);
Value value_list(Elaborator *el, const Value *items, uint32_t count);
Value value_labelled(Elaborator *el, Node node, Label *const *labels, uint32_t count);
/* The integer of a compile-time value. */
bool value_is_integer(const Elaborator *el, Value value, int64_t *integer);
/* The number of a SIZE without symbols or a REAL. */
bool value_is_constant(const Elaborator *el, Value value, double *number);
/* For diagnostics: "`f32[batch, 784]`", "the number 3", "a list of 2". Lives in the arena. */
const char *value_describe(Elaborator *el, Value value);
const char *type_text(Elaborator *el, const Type *type);
const char *number_text(Elaborator *el, double number);
const char *dim_text(Elaborator *el, Dim dim);
/* The source text of an expression, shortened. */
const char *syntax_text(Elaborator *el, const Syntax *syntax);
/* The type of a tensor without its labelled axes. */
Type value_type(const Elaborator *el, Value tensor);

/* as_tensor.c */
/* A number, bool or index as a tensor; an integer becomes i32 (i64 where it must), a real number the elaborator's real
 * type, or `like` where it is not DTYPE_COUNT: an integer that it does not hold is a diagnostic, and a real number does
 * not become an integer. A list becomes a literal. */
Value value_as_tensor(Elaborator *el, Value value, DType like, Span at);
/* A list in a data block as the literal of what stands there: i64, f64 or bool. */
Value value_as_rows(Elaborator *el, Value list, Span at);
/* A constant or a list of constants converted to an element type: integers wrap around, real numbers saturate. */
Value value_converted(Elaborator *el, Value value, DType dtype, Span at);
/* False after a diagnostic: the constant, or one in the list, is not a value of the integer type. */
bool value_must_fit(Elaborator *el, Value value, DType dtype, Span at);

/* named.c */
/* The index of the first thing of a kind with this name in the elaborator's list of them; NAME_MAP_NONE if none has it.
 */
size_t named_find(Elaborator *el, Named kind, const void *name);
/* The same of a kind whose name is not enough: an input also goes by the id of its node, a check by its check_part. */
size_t named_find_part(Elaborator *el, Named kind, const void *name, uint32_t part);
/* Takes note that something was taken out of one of these lists, or replaced in it. */
void named_forget(Elaborator *el);

/* scope.c */
Scope *scope_new(Elaborator *el, Scope *outer, bool inside_prelude);
Binding *scope_find(const Scope *scope, Name name, bool function);
/* In this scope, hiding what is around. */
Binding *scope_bind(Elaborator *el, Scope *scope, Name name, bool function, Value value, Span place);
/* For a scope to which nothing refers any more, not even a function's value: its bindings are used again. */
void scope_end(Elaborator *el, Scope *scope);
/* Takes note that bindings were taken out of the list of the scope. */
void scope_shrunk(Scope *scope);
/* Rebinds the name where it is bound, else binds it in this scope. */
void scope_assign(Elaborator *el, Scope *scope, Name name, Value value, Span place);
/* The value of a name: bindings, then constants, then `training` and the like. An unknown one is a diagnostic. */
Value scope_value(Elaborator *el, Scope *scope, const Syntax *name);
bool scope_function(Elaborator *el, Scope *scope, Name name, Callee *callee);

/* number.c: exact arithmetic of compile-time numbers. */
Value number_binary(Elaborator *el, Operator op, Value a, Value b, Span at);
Value number_negate(Elaborator *el, Value a);
/* The operator of the graph that one of the syntax is, and whether its operands are the other way round. */
Op number_op(Operator op, bool *swaps);
/* The larger (or else the smaller) of two sizes as a size again. False if neither of them is free, if one is not a
 * size, or if one is divided by a free size. */
bool number_extreme(Elaborator *el, bool larger, Value a, Value b, Span at, Value *result);
/* A comparison of two constants, exact where one of them is whole. */
bool number_compare(const Elaborator *el, Operator op, Value a, Value b);
/* True if two values are the same; compares lists item by item. */
bool value_same(const Elaborator *el, Value a, Value b, Span at);
/* A whole size; a quotient of free sizes becomes one with a check on entry. False after a diagnostic. */
bool number_as_size(Elaborator *el, Value value, const char *what, Span at, Dim *size);
/* The same, an integer known now. */
bool number_as_integer(Elaborator *el, Value value, const char *what, Span at, int64_t *integer);

/* How a statement ends. FLOW_STOP: an error made the rest meaningless. */
typedef enum { FLOW_NEXT, FLOW_RETURN, FLOW_STOP } Flow;

/* expression.c */
Value evaluate(Elaborator *el, Scope *scope, const Syntax *node);
/* A function as an argument: a name, a call without its first argument, a pipeline without a head. */
Value evaluate_function(Elaborator *el, Scope *scope, const Syntax *node);
bool evaluate_truth(Elaborator *el, Scope *scope, const Syntax *node, const char *what, bool *truth);

/* stage.c */
/* x through the right side of `|>` or `~`. `as`, where not NULL, is the frame that a direct layer call uses. */
Value apply_stage(Elaborator *el, Scope *scope, const Syntax *stage, Value x, Span x_at, Frame *as);
/* A repeat as a statement (x is NULL) or as a stage. */
Flow run_repeat(Elaborator *el, Scope *scope, const Syntax *repeat, Value *x, Span x_at, Value *result);

/* operators.c */
Value operate(Elaborator *el, Operator op, Value a, Value b, const Syntax *at);
Value negate(Elaborator *el, Value a, Span at);
Value choose(Elaborator *el, Value condition, Value yes, Value no, const Syntax *at);
/* An open value (value.h) where nothing says what it is: it becomes real. */
Value value_settled(Elaborator *el, Value x);
/* A node over two tensors of one element type, which are aligned. */
Value binary_aligned(Elaborator *el, Op op, Value a, Value b, const Syntax *at);
/* An elementwise operator of two operands, of which `op` wants real numbers or any. */
Value elementwise(Elaborator *el, Op op, Value a, Value b, const Syntax *at);
Value elementwise_unary(Elaborator *el, Op op, Value x, Span at);
Value convert(Elaborator *el, Value x, DType dtype, Span at);

/* compare.c */
/* A tensor of integers compared with a constant, exactly: what the type decides already is decided. */
Value compare_with_constant(Elaborator *el, Op op, Value x, Value constant, bool constant_first, const Syntax *at);

/* broadcast.c */
/* Operands stretched to one shape, which must be possible by stretching one of them; the result's labels are left in
 * *labels. False after a diagnostic. Operands are tensors. */
bool align(Elaborator *el, Value *operands, uint32_t count, const Syntax *at, Label *const **labels,
           uint32_t *n_labels);
/* A tensor in a given shape (labels of its own may be added); its axes must fit. */
Node spread(Elaborator *el, Value x, Label *const *labels, uint32_t n_labels, uint32_t rank, const Dim *dims);
/* An unlabelled tensor or number in exactly this shape, a stretch of the value alone. */
Value broadcast_to(Elaborator *el, Value x, uint32_t rank, const Dim *dims, Span at);
void note_dim(Elaborator *el, Diag *diag, Dim dim);

/* call.c */
typedef struct {
    Name keyword;
    Span keyword_at;
    const Syntax *syntax; /* NULL: `value` is it */
    Value value;
    Span at;
} Argument;
Value call(Elaborator *el, Scope *scope, const Callee *callee, const Argument *args, uint32_t n_args, Span at,
           Frame *as);
Value call_syntax(Elaborator *el, Scope *scope, const Syntax *node, const Argument *first, Frame *as);

/* memo.c */
typedef struct {
    const uint64_t *words; /* NULL: such a call is not kept */
    uint32_t n_words;
    uint64_t hash, effects;
} MemoKey;
/* Forgets all calls: an outermost one begins. */
void memo_begin(Elaborator *el);
void memo_free(Memo *memo);
/* The key of a call of a function before its body is evaluated. Values are by formal, VALUE_ERROR where the default
 * counts. */
void memo_key(Elaborator *el, const Item *item, const Value *values, uint32_t n_values, Span at, MemoKey *key);
bool memo_find(Elaborator *el, const MemoKey *key, Value *value);
/* Keeps what the call gave, if evaluating it left nothing else. */
void memo_keep(Elaborator *el, const MemoKey *key, Value value);

/* unify.c */
/* A value for a formal with this type: sizes that are bare names are bound in `scope`, others are put into `later`. */
typedef struct {
    const Syntax *type;
    const Syntax *dim;
    Dim found;
    Span at;
    const char *what;
} LaterCheck;
typedef struct {
    Vec(LaterCheck) checks;
} Later;
bool unify(Elaborator *el, Scope *scope, const Syntax *type, Value *value, const char *what, Span at, Later *later);
bool unify_later(Elaborator *el, Scope *scope, Later *later);
/* A type whose sizes are known. `introduce`: unknown names become free sizes (inputs). */
bool resolve_type(Elaborator *el, Scope *scope, const Syntax *type, bool introduce, Type *result);
/* Two sizes that must agree: a diagnostic, or a check on entry where that is undecided. */
bool require_same(Elaborator *el, Dim a, Dim b, Span at, const char *what);

/* index.c, notation.c */
Value subscript(Elaborator *el, Scope *scope, const Syntax *node, Value base);
Value index_reduce(Elaborator *el, Scope *scope, const Syntax *call_node);
void index_assign(Elaborator *el, Scope *scope, const Syntax *left, const Syntax *right);

/* builtin.c, reduce.c, reduce_list.c, structure.c */
Value call_builtin(Elaborator *el, const Builtin *builtin, const Value *args, uint32_t n_args, const bool *given,
                   const Syntax *const *syntax, Span at);
Value reduce(Elaborator *el, const Builtin *builtin, const Value *args, const bool *given, Span at);
Value along(Elaborator *el, const Builtin *builtin, const Value *args, const bool *given, Span at);
Value structure(Elaborator *el, const Builtin *builtin, const Value *args, uint32_t n_many, const bool *given, Span at);
/* A reduction of a flat list of compile-time numbers or truth values. False where only a tensor can say it. */
bool reduce_list(Elaborator *el, const Builtin *builtin, Value list, Span at, Value *result);
/* The largest or smallest of compile-time numbers. */
Value extreme_of(Elaborator *el, bool larger, Value list, const Syntax *at);
/* What a reduction is of, as a tensor; `any` and `all` want truth values. */
Value reduction_operand(Elaborator *el, const Builtin *builtin, Value x, Span at);
/* A reduction over axes of the node itself. */
Node reduce_node(Elaborator *el, BuiltinId id, Node x, const int32_t *axes, uint32_t n_axes);
/* One axis counted from either end; false after a diagnostic. */
bool axis_of(Elaborator *el, Value axis, uint32_t rank, Span at, uint32_t *result);
/* An `axis` argument in ascending order: one axis or a list of different ones; all where none is given. */
bool axes_of(Elaborator *el, Value axis, bool given, uint32_t rank, Span at, int32_t *axes, uint32_t *count);

/* identity.c */
/* From now on this body is evaluated; NULL: none. */
void enter_body(Elaborator *el, const Syntax *syntax);
/* A node of its own with the value of a float one. */
Node identify_node(Elaborator *el, Name name, Node node);
/* The value under a name; a node of its own when the body takes a derivative by that name. */
Value identify(Elaborator *el, Name name, Value value);
/* The same of a parameter: a name that was passed as it is stays what it was. */
Value identify_argument(Elaborator *el, Name name, Value value);
const Syntax *derivative_names_body(const DerivativeNames *of);
void derivative_names_free(Elaborator *el);

/* statement.c */
Flow run_statements(Elaborator *el, Scope *scope, const Syntax *block, Value *result);
Flow run_statement(Elaborator *el, Scope *scope, const Syntax *statement, Value *result);

/* assertion.c */
Flow run_assert(Elaborator *el, Scope *scope, const Syntax *statement);

/* layer.c */
Name path_join(Elaborator *el, const char *component);
/* The path of the next thing of this name in the frame: numbered from the second use. */
Name path_next(Elaborator *el, const char *component);
/* Begins a counter of the frame, if it has none of this name. */
void frame_count(Elaborator *el, Counter counter);
/* Takes note that counters of the frame were taken out or replaced. */
void frame_recount(Elaborator *el);
Frame *frame_for_layer(Elaborator *el, Name layer);
Frame *frame_for_as(Elaborator *el, Name name);
Frame *frame_for_instance(Elaborator *el, const Callee *instance);
Frame *frame_for_model(Elaborator *el);
void frame_free(Frame *frame);
/* The frame's suffix while turn `turn` of a repeat runs. */
const char *frame_turn(Elaborator *el, const char *outer, int64_t turn);
Flow declare_param(Elaborator *el, Scope *scope, const Syntax *statement);
Flow declare_state(Elaborator *el, Scope *scope, const Syntax *statement);
Flow declare_draw(Elaborator *el, Scope *scope, const Syntax *statement);
Flow declare_instance(Elaborator *el, Scope *scope, const Syntax *statement);
Flow declare_input(Elaborator *el, Scope *scope, const Syntax *statement);
Flow update(Elaborator *el, Scope *scope, const Syntax *statement);
/* The parameter or state of this path, NULL if none was declared. */
const Stored *stored_find(Elaborator *el, Name path);
Node declare_setting(Elaborator *el, Name name, DType dtype, double value, const char *doc, Span place);

/* program.c */
/* Runs the body of a model. What it declares and computes is in the elaborator then, what it binds in the scope that is
 * returned; the caller frees its frame. */
Scope *model_run(Elaborator *el, const Syntax *model, ModelForm form);
#endif
