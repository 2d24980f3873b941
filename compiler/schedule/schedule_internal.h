/* Inside the scheduler. A program is made in these steps, a file each:
 *
 *   canonical.c    contractions in the form of the tiled code
 *   blocks.c       long cumulative sums in blocks
 *   rectify.c      the sign of relu(x) for that of x, which then needs no memory
 *   axis_class.c   which axes of different values are the same one
 *   layout*.c      in which order the elements of a value stand, for all programs alike
 *   roots.c        what a program must deliver, in which order nodes are taken, which phase needs them
 *   materialise.c  which nodes are named values of kernels; all others vanish into their users
 *   emit*.c        a node as scalar values over axes: movement becomes subscripts, sums become axes
 *   piece.c        a materialised node as a kernel of its own (a piece)
 *   fuse.c         joins pieces to groups: the predicate of what may fuse and the choice of what should
 *   group.c        groups and their dependencies
 *   place.c        buffers, writes in place
 *   order.c        the order of launches
 *   finish.c       a group as a Kernel */
#ifndef NNC_SCHEDULE_INTERNAL_H
#define NNC_SCHEDULE_INTERNAL_H

#include <stdlib.h>

#include "schedule/schedule.h"
#include "support/vector.h"

enum { MAX_TERMS = 4 };
#define NO_VALUE UINT32_MAX
#define NO_GROUP UINT32_MAX
#define NO_BUFFER UINT32_MAX
#define NO_TARGET UINT32_MAX

/* A subscript while it is made: sum of factor * axis, plus offset, plus a value of the draft (-1: none), all divided by
 * div, which divides it exactly wherever the mask that it was made under is true. */
typedef struct {
    KernelTerm terms[MAX_TERMS];
    uint32_t n_terms;
    Dim offset;
    int64_t div; /* at least 1; 1 beside a value */
    int32_t value;
    bool checked;
    uint32_t inside; /* a bool value that says that it lies inside its dimension; NO_VALUE: nothing does */
} Affine;

typedef struct {
    uint32_t rank;
    const Dim *dims;
} Shape;

/* A kernel value while it is made: loads name nodes, sizes are the module's. */
typedef struct {
    KernelValueKind kind;
    DType dtype;
    Op op;
    AxisMask domain, reduced;
    uint32_t n_args;
    uint32_t args[3];
    Node node;   /* LOAD: what is read, a source or a materialised node */
    Shape shape; /* LOAD: the shape in which its memory is seen, without sizes of 1; RANDOM: the draw's */
    uint32_t n_index;
    uint32_t clipped;    /* LOAD: as a kernel has it */
    const Affine *index; /* LOAD, RANDOM, SCATTER */
    uint32_t axis;
    Dim size; /* SIZE; RANDOM: the stream, a launch's number, so that draws share their code */
    double number;
    int64_t integer; /* CONSTANT of an integer type, whose nearest double number is */
} DraftValue;

typedef struct {
    Vec(Dim) axes;
    Vec(DraftValue) values;
} Draft;

/* What needs a node first. Metrics are apart from the forward phase because they can be left out. */
typedef enum { NEED_FORWARD, NEED_METRIC, NEED_BACKWARD, NEED_UPDATE, NEED_NONE } Need;

typedef struct Reader {
    uint32_t group;
    struct Reader *next;
} Reader;

/* What the scheduler knows of a node, by id. */
typedef struct {
    uint8_t need;
    bool materialised;
    bool loaded;          /* some user reads it; another sum that takes a sum in does not */
    bool apart;           /* a sum that no other can take in */
    bool windowed;        /* as large as windows, which are in no memory */
    bool multiple;        /* reaches several users, seen through movement */
    bool epilogue;        /* pointwise over a contraction or reduction that nothing else uses */
    bool read_outside;    /* a group that does not compute it loads it */
    bool copied;          /* a reshape with memory of its own, which holds its operand's shape */
    uint8_t stores;       /* of it in its group for targets */
    uint16_t work, loads; /* to compute one element from what is in memory */
    uint32_t users;
    uint32_t group;  /* that computes it */
    uint32_t buffer; /* of the program */
    uint32_t target; /* the first target with this base; NO_TARGET: none */
    Reader *readers; /* groups that load it, each once */
} Facts;

typedef struct {
    Node node;
    uint32_t value;
    uint8_t axes[MAX_RANK]; /* per dimension; NO_AXIS where the size is 1 */
} Member;

/* A materialised node as a kernel of its own. */
typedef struct {
    Draft draft;
    Member member;
    AxisMask reduced;
    bool row;         /* reduces trailing axes of its operand */
    bool contraction; /* for the tiled code */
    bool scatter;
    bool scans;
} Piece;

/* A kernel in the making: members over the same outer axes. */
typedef struct {
    uint32_t id;
    uint8_t need;
    bool contraction, scatter, scans, row, reduces;
    Draft draft;
    Vec(Member) members;
    uint8_t outer[MAX_RANK];
    uint32_t n_outer;
    AxisMask inner;
    Vec(uint32_t) deps;
    Vec(uint32_t) users;
    uint32_t level; /* greater than that of every group it depends on */
    uint32_t mark;
    Vec(struct Store) stores;
} Group;

/* A member's value goes to a buffer of the scheduler. */
typedef struct Store {
    uint32_t member;
    uint32_t buffer;
} Store;

/* What a program must deliver: `value` in the memory of a result, or of `old` (a PARAM or STATE, by name). */
typedef struct {
    ResultRole role;
    Name name;
    Node value, base; /* base: value without reshapes */
    Node old;         /* the PARAM or STATE node that it replaces, if any */
    uint32_t buffer;
    uint32_t next; /* the next target with the same base; NO_TARGET: none */
} Target;

/* Pairs of a node and a group that reads it: a hash table with linear probing. */
typedef struct {
    uint64_t *pairs; /* 0: free */
    size_t count, capacity;
} ReaderSet;

/* Where the elements of values stand, by node: those made later are row-major. */
typedef struct {
    uint8_t *last; /* the axis that stands behind all others; NO_AXIS: row-major */
    Node *copies;  /* the transposition that windows walk in the node's stead, if any */
    uint32_t count;
} Layouts;

typedef struct {
    Context *context;
    Module *module;
    Graph *graph;
    DimTable *dims;
    Arena *arena;           /* of the pass */
    Arena *scratch;         /* of a piece while it is emitted, of a kernel until the plan has it or an equal one */
    const Layouts *layouts; /* NULL: all is row-major */
    const ScheduleOptions *options;
    const NameMap *names; /* what the module declares */
    const Dim *naturals;  /* sizes that the checks on entry keep from being negative */
    uint32_t n_naturals;
    bool phased; /* launches of different phases are never mixed */
    Facts *facts;
    uint32_t n_order;
    Node *order; /* operands before users */
    Vec(Target) targets;
    Vec(Group *) groups;
    ReaderSet readers;
    Vec(PlanBuffer) buffers;
    uint32_t *scalars; /* per need: the group of scalar computations */
    uint32_t mark;
} Scheduler;

/* A program's kernels before they are shared. */
typedef struct {
    Kernel *kernel;
    Launch launch;
} Finished;

static inline Facts *facts_of(const Scheduler *scheduler, Node node)
{
    return &scheduler->facts[node.id];
}

/* canonical.c: copies of the module's functions, rewritten where that schedules better */
Function *canonical_functions(Context *context, const Module *module, bool unfused);

/* blocks.c */
/* True for a cumulative sum that is better cut. */
bool is_long_scan(Graph *graph, Node node);
Node cut_scan(Graph *graph, Node node);

/* rectify.c */
void reuse_rectified(Graph *graph, Node *roots, uint32_t n_roots);

/* axis_class.c */
typedef struct {
    uint32_t *first;  /* per node: its first axis among all */
    uint32_t *parent; /* per axis: one nearer to the root of its class */
    uint32_t count;
} AxisClasses;

/* The classes of the axes of all nodes that are given, operands before users. */
AxisClasses axis_classes(const Scheduler *scheduler, const Node *nodes, uint32_t count);
uint32_t axis_class(AxisClasses *classes, Node node, uint32_t dim);

/* layout.c */
/* For the canonical functions of a module. Adds nodes to its graph. */
Layouts layouts_choose(Context *context, const Module *module, const Function *functions, Arena *arena);

/* layout_view.c */
/* A size as a number, free sizes being assumed. */
double size_estimate(const Scheduler *scheduler, Dim dim);
/* Of two shapes of the same memory, dimensions from … to of each that hold the same elements. Begins as {0}. */
typedef struct {
    uint32_t from[2], to[2];
} Stretch;

/* The next stretch, as short as can be told; sizes of 1 between stretches are skipped. False behind the last. */
bool stretch_next(const Scheduler *scheduler, const Shape shapes[2], Stretch *stretch);
/* The dimensions of a view that are the axis `last` of the type; false where they hold others, too. */
bool layout_find_viewed(const Scheduler *scheduler, const Type *type, Shape view, uint32_t last, uint32_t *from,
                        uint32_t *to);
/* The axis of a value that stands behind all others in memory; NO_AXIS: it is row-major. */
uint32_t layout_last(const Scheduler *scheduler, Node node);
Node layout_copy(const Scheduler *scheduler, Node node);
/* Makes copies as soon as what they copy is there, whatever phase asks for them first. */
void layout_set_needs(Scheduler *scheduler);
/* The axes from the slowest to the fastest, where `last` (or NO_AXIS) is behind all others; gives the rank. */
uint32_t layout_order(uint32_t rank, uint32_t last, uint8_t *order);
/* A view of the node's memory as it stands there: its dimensions and its index, moved. False where the view merges
 * the axis that was moved with others, so that it is no view of that memory. */
bool layout_view(const Scheduler *scheduler, Node node, Shape view, const Affine *index, Dim *dims, Affine *moved);

/* roots.c */
void scheduler_set_targets(Scheduler *scheduler, const Function *function, bool step);
void scheduler_set_order(Scheduler *scheduler, const Function *function, bool step);
/* The phase that needs results of the role: what they are computed for. */
Need need_of(ResultRole role);
/* True for what stands in memory already: inputs, parameters, states, settings, literals. */
bool is_memory(const Graph *graph, Node node);
/* The node whose memory this one is when it is stored: without reshapes and stopped gradients. */
Node base_of(const Graph *graph, Node node);

/* materialise.c */
void scheduler_materialise(Scheduler *scheduler);
/* True when the contraction has rows, columns and a sum for the tiled code. */
bool is_tiled(const Scheduler *scheduler, Node contract);
/* True for movement that an operand of the tiled code is seen through. */
bool moves_operand(Op op);
/* True for a scatter_add with at most one contribution to each element: a select, no scatter. */
bool is_one_hot(const Graph *graph, Node scatter);
/* True when the contraction has labels that its result lacks. */
bool has_sum(const Scheduler *scheduler, Node contract);

/* draft.c */
bool is_unit(const Scheduler *scheduler, Dim dim);
void draft_free(Draft *draft);
/* The value, or an equal one that is there already. */
uint32_t draft_add(Draft *draft, DraftValue value);
uint32_t draft_compute(Draft *draft, Op op, DType dtype, uint32_t n_args, const uint32_t *args);
/* Of an integer type the number is whole and small. */
uint32_t draft_constant(Draft *draft, DType dtype, double number);
uint32_t draft_integer(Draft *draft, DType dtype, int64_t integer);
/* The same value with a domain of at least these axes. */
uint32_t draft_widen(Draft *draft, uint32_t value, AxisMask axes);
AxisMask affine_axes(const Draft *draft, const Affine *affine);
/* True for one bare axis. */
bool affine_plain(const Scheduler *scheduler, const Affine *affine, uint32_t *axis);
bool affine_zero(const Scheduler *scheduler, const Affine *affine);
bool affine_same(const Affine *a, const Affine *b);
Affine affine_axis(const Scheduler *scheduler, uint32_t axis);
Affine affine_none(const Scheduler *scheduler);
/* affine * factor + offset; false when it cannot be written. */
bool affine_scale(const Scheduler *scheduler, Affine *affine, int64_t factor, Dim offset);
/* a + b; false when it cannot be written. */
bool affine_add(const Scheduler *scheduler, Affine *a, const Affine *b);
/* affine / divisor, where that is exact; false when it cannot be written. */
bool affine_divide(const Scheduler *scheduler, Affine *affine, int64_t divisor);

/* emit.c: nodes as values of a draft */
typedef struct {
    Node node;
    Shape view;
    const Affine *index;
    uint32_t mask, value;
} Memo;

typedef struct {
    Scheduler *scheduler;
    Draft *draft;
    Node blocked;    /* has to be materialised before this can be emitted */
    bool unviewed;   /* no subscripts reach memory through a reshape, which then has to be copied */
    bool tiled;      /* reads copies in the order of the tiled code where there are any */
    AxisMask summed; /* axes that sums have made, for the piece to reduce */
    Vec(Memo) memos;
    uint32_t *table; /* hash table over memos */
    uint32_t capacity;
} KernelEmitter;

/* The element of `node`, seen in the shape `view`, at `index`. Where `mask` (a bool value or NO_VALUE) is false nothing
 * is read and the result does not matter. NO_VALUE when `blocked` was set. */
uint32_t emit(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask);
/* The same, but computes the node even if it is materialised. */
uint32_t emit_computed(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask);
uint32_t emit_affine(KernelEmitter *emitter, const Affine *affine);
uint32_t emit_memory(KernelEmitter *emitter, Node node, Shape view, const Affine *index, uint32_t mask);
void emitter_free(KernelEmitter *emitter);
Shape shape_of(const Scheduler *scheduler, Node node);
/* The type of a node's value as it is stored: the node's own, or for a copied reshape its operand's. */
const Type *memory_type(const Scheduler *scheduler, Node node);
/* True if the view is the type with dimensions cut, of which all but the first have numbers for sizes. */
bool view_cuts(const Scheduler *scheduler, const Type *type, Shape view);
/* From an index in `view` to one in the type's shape; false where the view does more than cut dimensions. */
bool own_index(const Scheduler *scheduler, const Type *type, Shape view, const Affine *index, Affine *own);

/* entry.c */
/* Sizes, as differences, that the module's checks on entry keep from being negative. */
const Dim *entry_naturals(const Module *module, Arena *arena, uint32_t *count);
/* True if a >= b is certain once the checks on entry hold. */
bool entry_at_least(const Scheduler *scheduler, Dim a, Dim b);

/* emit_move.c */
uint32_t emit_movement(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask);
/* Sets `blocked`; NO_VALUE. */
uint32_t emit_blocked(KernelEmitter *emitter, Node node);
/* Where a broadcast, transpose, slice or reverse finds its element in an operand of this shape; false when that cannot
 * be written. */
bool moved_index(const Scheduler *scheduler, const NodeInfo *info, Shape shape, const Affine *index, Affine *to);
/* Conditions, as bool values; of `both` either may be NO_VALUE. */
uint32_t emit_both(KernelEmitter *emitter, uint32_t a, uint32_t b);
uint32_t emit_not_negative(KernelEmitter *emitter, const Affine *a);
uint32_t emit_less_than_size(KernelEmitter *emitter, const Affine *a, Dim size);
/* `yes` when there is no condition. */
uint32_t emit_select(KernelEmitter *emitter, uint32_t condition, uint32_t yes, uint32_t no);
/* True for a load without subscripts from data. */
bool is_walked_load(const Draft *draft, uint32_t value);
/* True for a load that is 0 where the mask is false. */
bool is_masked_load(const Draft *draft, uint32_t value, uint32_t mask);
uint32_t emit_gather(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask);
uint32_t emit_one_hot(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask);
/* The position in a gathered axis as a subscript. */
bool emit_ids(KernelEmitter *emitter, Node ids, const Affine *index, uint32_t mask, Dim range, Affine *subscript);

/* emit_sum.c: sums add axes to the draft, which `summed` names; the piece reduces them. */
/* A new axis; NO_AXIS for a size of 1. */
uint32_t emit_axis(KernelEmitter *emitter, Dim extent);
/* What a contraction or an UNWINDOW adds up for the element at `index`. */
uint32_t emit_contraction(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask);
uint32_t emit_unwindow(KernelEmitter *emitter, Node node, const Affine *index, uint32_t mask);
/* True for movement through which a sum takes in another. */
bool moves_elements(const Scheduler *scheduler, Node node);
/* True for a sum that another one takes in, seen through such movement. */
bool sum_is_beneath(const Scheduler *scheduler, Node node);

/* piece.c; when false, *blocked has to be materialised first */
bool piece_make(Scheduler *scheduler, Node node, Piece *piece, Node *blocked);
/* The node's memory read and kept as it is: for copies. */
void piece_copy(Scheduler *scheduler, Node node, Piece *piece);

/* group.c */
/* A member's axes in the order of its memory, without those of size 1, and (unless NULL) their dimensions; gives how
 * many there are. */
uint32_t member_axes(const Scheduler *scheduler, const Member *member, uint8_t *axes, uint8_t *dims);
Group *group_new(Scheduler *scheduler, Piece *piece, Need need);
void group_free(Group *group);
/* `group` runs after `on`. */
void group_depend(Scheduler *scheduler, Group *group, uint32_t on);
/* True when `group` runs after `on`, directly or not, and when more than `most` groups would have to be searched. */
bool group_depends(Scheduler *scheduler, uint32_t group, uint32_t on, uint32_t most);
/* Notes what a draft's loads need: readers of nodes, dependencies on groups. */
void group_note_reads(Scheduler *scheduler, Group *group, const Draft *draft);

/* fuse.c: false when the context was stopped. */
bool scheduler_fuse(Scheduler *scheduler);

/* place.c, finish.c */
/* The buffer of an input, parameter, state, setting or literal. */
uint32_t scheduler_memory(Scheduler *scheduler, Node node);
void scheduler_place(Scheduler *scheduler);
Finished group_finish(Scheduler *scheduler, Group *group);
/* For a scatter: zeros in its buffer. */
Finished group_finish_zero(Scheduler *scheduler, Group *group);

/* order.c: groups in launching order, the caller's to free (memory.h). */
uint32_t *scheduler_launch_order(Scheduler *scheduler);

#endif
