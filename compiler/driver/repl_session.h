/* A session: statements run one after the other, each with what the ones before left behind.
 *
 * Memory. The journal, the texts of the statements that still matter, is all that a session keeps for certain. From it
 * a generation is made: a Context with the prelude, the user's items, the elaborator's graph and scope, where every
 * statement leaves something behind (its tree, its nodes). When a generation has grown to several times what it was at
 * its birth, the journal is pruned of what was redefined and a new generation is made from the rest; the old one is
 * freed as a whole. What is computed on the way to a formula or a value (copies of nodes, derivatives, kernels,
 * machine code) lives in an arena of the statement alone. Values that the user gave live in malloc'd arrays, and models
 * in contexts of their own (repl_loaded.h), freed when they are redefined. */
#ifndef NNC_DRIVER_REPL_SESSION_H
#define NNC_DRIVER_REPL_SESSION_H

#include <signal.h>

#include "driver/options.h"
#include "driver/repl_array.h"
#include "driver/repl_journal.h"
#include "driver/repl_loaded.h"
#include "elaborate/elaborator.h"
#include "grammar/parser.h"

/* A value that the user gave to an input, parameter, state or setting. */
typedef struct {
    char *name;
    Array value;
} Given;

/* A name of a model in the session's scope, or the path of a value among its parameters. */
typedef struct {
    Name name, model;
} Owned;
typedef Vec(Owned) OwnedList;

/* What a parameter or state begins with. */
typedef struct {
    Node node, start;
} Start;

/* A name that was bound to what holds no unknown: its node, and its value, a CONST or LITERAL; none in a replay. */
typedef struct {
    Node node, value;
} Settled;

typedef struct {
    const Options *options;
    Context *library; /* the prelude, which all generations share */
    Journal journal;
    Vec(Given) given;
    Vec(Loaded *) models; /* the current one last */

    /* the generation */
    Context *context;
    Items *items;
    Elaborator *el;
    Scope *scope;
    Parser *parser;
    ProgramOptions how;
    Vec(Start) starts;
    Vec(Settled) settled;
    OwnedList names;   /* bindings of the scope that are a model's */
    OwnedList learned; /* paths and settings whose values lie in a model */
    size_t born;       /* bytes in use when it was made */

    int line;                    /* lines read so far */
    bool leaving;                /* the user has said so */
    bool unfinished;             /* a statement waits for its next line */
    bool replaying;              /* statements of the journal run again: nothing is printed, given or compiled */
    unsigned errors;             /* statements that failed */
    volatile sig_atomic_t *stop; /* nonzero: the user interrupts; NULL: nobody can; set by session_stop_at */
} Session;

struct Snapshot;

Session *session_new(const Options *options);
void session_free(Session *session);
/* From now on a line ends with a diagnostic while *stop is nonzero, and leaves the session as it was. */
void session_stop_at(Session *session, volatile sig_atomic_t *stop);
/* One line: a command (`:help`), or the beginning or continuation of statements. Prints on stdout, diagnostics on
 * stderr. False when the user wants to leave. */
bool session_line(Session *session, const char *line);
/* True if the next line continues a statement. */
bool session_continues(const Session *session);
/* Drops an unfinished statement. */
void session_interrupt(Session *session);
/* At the end of the input: an unfinished statement is an error. */
void session_finish(Session *session);
/* Forgets everything. */
void session_reset(Session *session);
/* Reads a file's items; its model becomes the current one. False after diagnostics. */
bool session_load(Session *session, const char *path);

/* repl_session.c */
static inline bool session_failed(const Session *session)
{
    return diagnostics_errors(session->context->diagnostics) != 0;
}
/* A new generation from the pruned journal. */
void session_renew(Session *session);

/* repl_text.c */
extern const char session_prompt_name[]; /* the source name of what is typed */
/* Parses one expression or a list of statements, typed in the current line or in another; NULL after diagnostics. */
const Syntax *session_parse(Session *session, const char *text);
const Syntax *session_parse_at(Session *session, const char *text, int line);
/* Prints the diagnostics of the session's context; true when there was an error, which is counted. */
bool session_report(Session *session);

/* repl_statement.c */
/* Runs the entries of a FILE; what is good enters the journal. False when one failed. */
bool session_run(Session *session, const Syntax *file);
/* True if there is a value of this name, or a parameter or state of this path. */
bool session_has(const Session *session, const char *name);
/* Evaluates one expression and hands its value on; nothing of it stays. False after diagnostics, printed. */
bool session_with(Session *session, const char *text, bool (*use)(Session *session, Value value, void *data),
                  void *data);
/* Notes what parameters and states begin with. */
void session_note_starts(Session *session);

/* repl_given.c */
/* Inputs, parameters, states and settings take values. */
bool session_takes_value(Op op);
/* The input, parameter, state or setting that a statement gives a value to; NODE_NONE when it does something else. A
 * path without a parameter is a diagnostic. */
Node session_source(Session *session, const Syntax *statement);
/* `x0 = 1`: computes the right side now and keeps its value. False after diagnostics. */
bool session_assign(Session *session, Node source, const Syntax *right);

/* repl_arrays.c */
/* What the values given to inputs say about a free size; -1: nothing. */
int64_t session_size(const Session *session, Name symbol);
const Array *session_given(const Session *session, const char *name);
/* Takes the array over. */
void session_give(Session *session, const char *name, Array value);
void session_forget(Session *session, const char *name);

/* repl_define.c */
/* Items of a file that was read: see session_load. */
bool session_take_file(Session *session, const char *path, const char *text);
/* An item takes the place of the one of its name. False after diagnostics. */
bool session_define(Session *session, const Syntax *entry);
/* The current model, compiled anew if its items have changed; NULL after diagnostics, printed. */
Loaded *session_model(Session *session);
/* The same of the model called `name` (NULL: the current one), with its code and parameters. */
Loaded *session_model_ready(Session *session, const char *name);

/* repl_names.c */
/* A name that is bound again begins anew: its parameters, their numbering, the formulas' use of the name. */
void names_begin(Session *session, const char *name, struct Snapshot *snapshot);
/* What was declared under a name is the session's own from now on. */
void names_claim(Session *session, const char *name);
/* What a name was bound to on the way, in a turn of a repeat or inside a function, is not what it stands for in the
 * session: the nodes beneath this one keep a name that leads to them alone. */
void names_keep_bound(const Session *session, Node node);
/* The model among whose parameters the value of a path or setting lies; NULL: no model's. */
const char *names_model_of(const Session *session, const char *path);
/* Binds the names of a model. Where it was not defined now (`fresh`) but an item that it may use, those stay that the
 * user has bound since. The names bound are added to `brought`, those that the model no longer has to `gone`. */
void names_bring(Session *session, const Loaded *model, bool fresh, NameList *brought, NameList *gone);

/* repl_evaluate.c */
/* What can be said of a node. */
typedef struct {
    Context *context; /* of this statement alone */
    Graph *graph;
    Node node;           /* simplified and differentiated */
    bool formula;        /* it holds inputs, parameters or free sizes */
    Text text;           /* the formula */
    const char *missing; /* an input or size without a value; NULL: it has a value */
    bool missing_size;   /* it is a size */
    bool known;
    Array value;
    double compile_seconds, run_seconds;
    Plan *plan;
} Outcome;

typedef enum { EVALUATE_FORMULA, EVALUATE_VALUE, EVALUATE_PLAN } Effort;

/* False after diagnostics. Free in any case. */
bool session_evaluate(Session *session, Node node, Effort effort, Outcome *outcome);
void outcome_free(Outcome *outcome);

/* repl_print.c */
/* Prints the value of an expression, or of a binding of `name`. False after diagnostics. */
bool session_print(Session *session, const char *name, Value value);
/* The session's own inputs, parameters and states, and inputs of models that were given a value. */
void session_print_own(Session *session);
/* The value as an expression that needs nothing else; false where there is none. */
bool session_as_text(Session *session, Value value, Text *to);
/* `f32[batch, 3]` and the like: what kind of value it is. */
void session_describe(Session *session, Value value, Text *to);

/* repl_settled.c */
/* The name becomes settled if it can be. */
void settled_bind(Session *session, Binding *binding);
/* What was computed for the node, if it is a settled one, is its value from here on. */
void settled_note(Session *session, Node node, const Outcome *outcome);
/* The same node, made from values of settled names where no derivative goes through how they were computed. */
Node settled_begin(Session *session, Node root);

/* repl_command.c: a line without its colon. */
void session_command(Session *session, const char *line);
/* What may stand behind a command. */
typedef enum {
    TAKES_NOTHING,
    TAKES_NUMBER,
    TAKES_COMMANDS,
    TAKES_FILES,
    TAKES_SPLITS,
    TAKES_NAMES, /* of values, paths of parameters */
    TAKES_EXPRESSION,
    TAKES_SETTINGS
} CommandTakes;
/* Of a command by its whole name; NOTHING of an unknown one. */
CommandTakes session_command_takes(const char *name, size_t length);
/* The command that a word without a colon probably means; NULL: none. */
const char *session_command_meant(const char *word);
/* The names of commands for completion; NULL past the last. */
const char *session_command_name(size_t index);

/* repl_model.c: what concerns the current model. `argument` is the rest of the line. */
void model_train(Session *session, const char *argument);
void model_eval(Session *session, const char *argument);
void model_params(Session *session, const char *argument);
void model_grad(Session *session, const char *argument);
void model_set(Session *session, const char *argument);
/* True if a setting is the user's: the training counts `step` and `progress` itself. */
bool model_setting_is_free(const char *name);

#endif
