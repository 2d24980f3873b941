/* Chooses the order of each value's axes in memory: row-major, or with one axis moved to the end. The tiled code takes
 * its columns and its inner sum from the last axis in memory. An axis along which windows move can be neither, so
 * images written as [n, c, h, w] are kept as [n, h, w, c] between convolutions.
 *
 * The choice is made once for all functions of a module, because the order of sums depends on it. Each contraction over
 * windows states, for every axis that it touches, what it would cost to have that axis last, in multiply-adds. A value
 * takes the axis that costs least on average, and stays row-major where none costs less than its last. What callers see
 * is row-major: a contraction over windows reads a transposed copy of it. */
#include <string.h>

#include "ir/build.h"
#include "ir/window.h"
#include "schedule/schedule_internal.h"
#include "support/memory.h"

/* What it costs to have an axis last, per multiply-add of the contraction: one that windows walk; rows of tiles
 * (images), which may be anything; columns of unknown number, which may be few; the most that partly filled vectors can
 * waste. */
static const double COST_WINDOWED = 8, COST_ROWS = 0.25, COST_FREE = 4, COST_WASTE = 3;
enum { LANES = 16 };

/* An axis that a contraction reads through windows, or adds to through them. */
typedef struct WindowUse {
    uint32_t positions, taps; /* classes */
    uint32_t side;            /* the operand that it is read of; 2: it adds up what the contraction gives */
    struct WindowUse *next;
} WindowUse;

typedef struct {
    const Scheduler *scheduler;
    AxisClasses classes;
    WindowUse **uses; /* by contraction */
    double *cost;     /* by class: of all contractions that have it */
    double *work;     /* by class: theirs, in turns */
    bool *channel;    /* by class: columns or the inner sum of a contraction over windows */
    bool *walked;     /* by class: positions of windows that some contraction reads or adds up */
    bool *replaces;   /* by node: takes the place of a parameter or state */
} Chooser;

/* ---- which contractions read windows, and which axes those walk */

static void add_use(Chooser *chooser, Node contraction, uint32_t side, Node window)
{
    const Graph *graph = chooser->scheduler->graph;
    bool cuts = node_op(graph, window) == OP_WINDOW;
    Node windows = cuts ? window : node_arg(graph, window, 0);
    uint32_t axis = window_of(graph, window).axis;
    WindowUse *use = ARENA_NEW(chooser->scheduler->arena, WindowUse);
    use->positions = axis_class(&chooser->classes, windows, axis);
    use->taps = axis_class(&chooser->classes, windows, axis + 1);
    use->side = side;
    chooser->walked[use->positions] = true;
    use->next = chooser->uses[contraction.id];
    chooser->uses[contraction.id] = use;
}

static bool is_product(const Chooser *chooser, Node node)
{
    return node_op(chooser->scheduler->graph, node) == OP_CONTRACT && is_tiled(chooser->scheduler, node);
}

/* Windows beneath its operands. */
static void find_read(Chooser *chooser, Node contraction)
{
    const Graph *graph = chooser->scheduler->graph;
    for (uint32_t side = 0; side < 2; side++)
        for (Node at = node_arg(graph, contraction, side); moves_operand(node_op(graph, at));
             at = node_arg(graph, at, 0))
            if (node_op(graph, at) == OP_WINDOW) add_use(chooser, contraction, side, at);
}

/* The contraction that an UNWINDOW adds up. */
static void find_added(Chooser *chooser, Node unwindow)
{
    const Graph *graph = chooser->scheduler->graph;
    Node at = node_arg(graph, unwindow, 0);
    while (moves_operand(node_op(graph, at)) || node_op(graph, at) == OP_UNWINDOW) at = node_arg(graph, at, 0);
    if (is_product(chooser, at)) add_use(chooser, at, 2, unwindow);
}

/* ---- what they ask of the axes */

/* A label of a contraction. */
typedef struct {
    int32_t label;
    uint32_t class;
    Dim size;
    bool in[2], kept;
} Label;

typedef struct {
    Label labels[2 * MAX_RANK];
    uint32_t count;
    bool walked[2]; /* operands of which windows are read, or whose positions are added up */
    bool keeps_positions;
    double work;
} Form;

static Label *label_of(Form *form, int32_t number)
{
    Label *label = form->labels;
    while (label < form->labels + form->count && label->label != number) label++;
    if (label == form->labels + form->count) form->count++;
    label->label = number;
    return label;
}

/* True for a position of windows of this contraction or, where it has none (a single tap), of any contraction. */
static bool is_position(const Chooser *chooser, const WindowUse *use, uint32_t class)
{
    if (!use) return chooser->walked[class];
    for (; use; use = use->next)
        if (use->positions == class) return true;
    return false;
}

/* True for a position of windows that are read of this operand, or added up after it. */
static bool is_walked(const Chooser *chooser, const WindowUse *use, uint32_t class, uint32_t side)
{
    if (!use) return chooser->walked[class];
    for (; use; use = use->next)
        if (use->positions == class && (use->side == side || use->side == 2)) return true;
    return false;
}

static bool is_tap(const WindowUse *use, uint32_t class)
{
    for (; use; use = use->next)
        if (use->taps == class) return true;
    return false;
}

static Form form_of(Chooser *chooser, Node contraction)
{
    const Scheduler *scheduler = chooser->scheduler;
    const NodeInfo *info = graph_node(scheduler->graph, contraction);
    const WindowUse *uses = chooser->uses[contraction.id];
    const int32_t *next = info->attr.ints;
    Form form = {.work = 1};
    for (uint32_t side = 0; side < 3; side++) {
        Node node = side < 2 ? info->args[side] : contraction;
        const Type *type = node_type(scheduler->graph, node);
        for (uint32_t d = 0; d < type->rank; d++, next++) {
            if (is_unit(scheduler, type->dims[d])) continue;
            Label *label = label_of(&form, *next);
            label->class = axis_class(&chooser->classes, node, d);
            label->size = type->dims[d];
            bool position = is_position(chooser, uses, label->class);
            if (side < 2) {
                label->in[side] = true;
                form.walked[side] |= is_walked(chooser, uses, label->class, side);
            } else {
                label->kept = true;
                form.keeps_positions |= position;
            }
        }
    }
    for (uint32_t i = 0; i < form.count; i++) form.work *= size_estimate(scheduler, form.labels[i].size);
    return form;
}

/* Of columns, the share that vectors leave empty. */
static double waste_of(const Scheduler *scheduler, Dim size)
{
    int64_t value;
    if (!dim_is_constant(scheduler->dims, size, &value)) return COST_FREE;
    if (value <= 0) return 0;
    double waste = (double)((value + LANES - 1) / LANES * LANES) / (double)value - 1;
    return waste < COST_WASTE ? waste : COST_WASTE;
}

static void vote(Chooser *chooser, Node contraction)
{
    const WindowUse *uses = chooser->uses[contraction.id];
    Form form = form_of(chooser, contraction);
    if (!form.walked[0] && !form.walked[1]) return;
    for (uint32_t i = 0; i < form.count; i++) {
        const Label *label = &form.labels[i];
        double *cost = &chooser->cost[label->class];
        chooser->work[label->class] += form.work;
        bool both = label->in[0] && label->in[1];
        bool walked = (label->in[0] && form.walked[0]) || (label->in[1] && form.walked[1]);
        bool windowed = uses && is_position(chooser, uses, label->class);
        if (windowed || is_tap(uses, label->class) || (both && label->kept))
            *cost += COST_WINDOWED * form.work;
        else if (label->kept)
            *cost += (waste_of(chooser->scheduler, label->size) + (walked ? COST_ROWS : 0)) * form.work;
        bool channel = label->kept ? !both && !(walked && form.keeps_positions) : both && form.keeps_positions;
        chooser->channel[label->class] |= channel;
    }
}

/* ---- the choice */

/* What a turn costs, on average, where the elements of the axis are neighbours. */
static double mean_cost(Chooser *chooser, Node node, uint32_t dim)
{
    uint32_t class = axis_class(&chooser->classes, node, dim);
    return chooser->work[class] > 0 ? chooser->cost[class] / chooser->work[class] : 0;
}

/* The axis to move behind all others; NO_AXIS where they stand right. */
static uint32_t choose_last(Chooser *chooser, Node node)
{
    const Scheduler *scheduler = chooser->scheduler;
    const Type *type = node_type(scheduler->graph, node);
    uint32_t last = type->rank, best = NO_AXIS;
    while (last > 0 && is_unit(scheduler, type->dims[last - 1])) last--;
    if (last == 0) return NO_AXIS;
    double least = mean_cost(chooser, node, last - 1);
    for (uint32_t d = 0; d + 1 < last; d++) {
        bool channel = chooser->channel[axis_class(&chooser->classes, node, d)];
        if (is_unit(scheduler, type->dims[d]) || !channel) continue;
        double cost = mean_cost(chooser, node, d);
        bool longer = best != NO_AXIS && cost == least &&
                      size_estimate(scheduler, type->dims[d]) > size_estimate(scheduler, type->dims[best]);
        if (cost >= least && !longer) continue;
        least = cost;
        best = d;
    }
    return best;
}

/* True if the scheduler may choose the order of the value: not if it is given, replaces what is given, or is filled by
 * scattering. */
static bool may_move(const Chooser *chooser, Node node)
{
    const Graph *graph = chooser->scheduler->graph;
    Op op = node_op(graph, node);
    bool sum = op == OP_CONTRACT || op == OP_UNWINDOW;
    return !is_memory(graph, node) && op != OP_SCATTER_ADD && op != OP_RESHAPE && (sum || !chooser->replaces[node.id]);
}

/* The node with an axis behind all others; none where no transposition says that. */
static Node moved_copy(Graph *graph, Node node, uint32_t axis)
{
    int32_t permutation[MAX_RANK];
    uint32_t rank = node_type(graph, node)->rank, count = 0;
    for (uint32_t d = 0; d < rank; d++)
        if (d != axis) permutation[count++] = (int32_t)d;
    permutation[count] = (int32_t)axis;
    Node copy = build_transpose(graph, node, permutation);
    return node_op(graph, copy) == OP_TRANSPOSE && node_same(node_arg(graph, copy, 0), node) ? copy : NODE_NONE;
}

/* What is read through windows, of memory that the scheduler does not order. */
static void choose_copy(Chooser *chooser, Node operand, Layouts *layouts)
{
    Graph *graph = chooser->scheduler->graph;
    while (moves_operand(node_op(graph, operand)) && node_op(graph, operand) != OP_RESHAPE)
        operand = node_arg(graph, operand, 0);
    Node base = base_of(graph, operand);
    bool given = !may_move(chooser, base);
    bool viewed = !node_same(base, operand) && layouts->last[base.id] == NO_AXIS;
    uint32_t axis = given || viewed ? choose_last(chooser, operand) : NO_AXIS;
    if (axis != NO_AXIS) layouts->copies[operand.id] = moved_copy(graph, operand, axis);
}

/* What a sum of windows reads through a reshape, once for each tap: the gradient of a flattened pool. */
static void choose_added(Chooser *chooser, const Node *nodes, uint32_t count, Layouts *layouts)
{
    Graph *graph = chooser->scheduler->graph;
    bool *added = ARENA_ARRAY(chooser->scheduler->arena, bool, graph_count(graph) + 1);
    for (uint32_t i = count; i-- > 0;) {
        const NodeInfo info = *graph_node(graph, nodes[i]); /* copies make the graph grow */
        OpClass class = op_info(info.op)->class;
        bool reads = added[nodes[i].id] && (class == OP_CLASS_ELEMENTWISE || class == OP_CLASS_MOVEMENT);
        if (reads && info.op == OP_RESHAPE) choose_copy(chooser, nodes[i], layouts);
        reads = (reads && info.op != OP_RESHAPE) || info.op == OP_UNWINDOW;
        for (uint32_t j = 0; reads && j < info.n_args; j++) added[info.args[j].id] = true;
    }
}

/* A reshape that is copied holds its operand's shape, in the same order if it can be seen through that. */
static uint32_t choose_reshaped(Chooser *chooser, Node node)
{
    const Scheduler *scheduler = chooser->scheduler;
    Node base = base_of(scheduler->graph, node);
    uint32_t axis = may_move(chooser, base) ? choose_last(chooser, base) : NO_AXIS, from, to;
    const Type *type = node_type(scheduler->graph, base), *view = node_type(scheduler->graph, node);
    if (axis == NO_AXIS) return axis;
    return layout_find_viewed(scheduler, type, (Shape){view->rank, view->dims}, axis, &from, &to) ? axis : NO_AXIS;
}

static void choose_all(Chooser *chooser, const Node *nodes, uint32_t count, Layouts *layouts)
{
    Graph *graph = chooser->scheduler->graph;
    for (uint32_t i = 0; i < count; i++) {
        Node node = nodes[i];
        bool reshape = node_op(graph, node) == OP_RESHAPE;
        if (may_move(chooser, node)) layouts->last[node.id] = (uint8_t)choose_last(chooser, node);
        if (reshape) layouts->last[node.id] = (uint8_t)choose_reshaped(chooser, node);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t side = 0; side < 2 && chooser->uses[nodes[i].id]; side++)
            choose_copy(chooser, node_arg(graph, nodes[i], side), layouts);
    }
    choose_added(chooser, nodes, count, layouts);
}

static void mark_replacing(Chooser *chooser, const Function *function)
{
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        if (result->role == RESULT_UPDATE || result->role == RESULT_INIT)
            chooser->replaces[base_of(chooser->scheduler->graph, result->value).id] = true;
    }
}

static bool has_windows(const Graph *graph, const Node *nodes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (node_op(graph, nodes[i]) == OP_WINDOW || node_op(graph, nodes[i]) == OP_UNWINDOW) return true;
    return false;
}

static void choose(const Scheduler *scheduler, const Function *functions, uint32_t n_functions, const Node *nodes,
                   uint32_t count, Layouts *layouts)
{
    uint32_t ids = graph_count(scheduler->graph) + 1;
    Chooser chooser = {.scheduler = scheduler, .classes = axis_classes(scheduler, nodes, count)};
    chooser.uses = ARENA_ARRAY(scheduler->arena, WindowUse *, ids);
    chooser.replaces = ARENA_ARRAY(scheduler->arena, bool, ids);
    chooser.cost = ARENA_ARRAY(scheduler->arena, double, chooser.classes.count + 1);
    chooser.work = ARENA_ARRAY(scheduler->arena, double, chooser.classes.count + 1);
    chooser.walked = ARENA_ARRAY(scheduler->arena, bool, chooser.classes.count + 1);
    chooser.channel = ARENA_ARRAY(scheduler->arena, bool, chooser.classes.count + 1);
    for (uint32_t i = 0; i < n_functions; i++) mark_replacing(&chooser, &functions[i]);
    for (uint32_t i = 0; i < count; i++) {
        if (is_product(&chooser, nodes[i])) find_read(&chooser, nodes[i]);
        if (node_op(scheduler->graph, nodes[i]) == OP_UNWINDOW) find_added(&chooser, nodes[i]);
    }
    for (uint32_t i = 0; i < count; i++)
        if (is_product(&chooser, nodes[i])) vote(&chooser, nodes[i]);
    memset(layouts->last, NO_AXIS, ids);
    layouts->count = ids;
    choose_all(&chooser, nodes, count, layouts);
}

Layouts layouts_choose(Context *context, const Module *module, const Function *functions, Arena *arena)
{
    Graph *graph = module->graph;
    Layouts layouts = {0};
    Vec(Node) roots = {0};
    for (uint32_t i = 0; i < module->n_functions; i++) {
        const Function *function = &functions[i];
        for (uint32_t j = 0; j < function->n_results; j++) vec_push(&roots, function->results[j].value);
        if (!node_is_none(function->loss)) vec_push(&roots, function->loss);
    }
    uint32_t count;
    Node *nodes = graph_reachable(graph, roots.at, (uint32_t)roots.count, &count);
    if (has_windows(graph, nodes, count)) {
        Arena *scratch = arena_new();
        Scheduler scheduler = {.context = context, .graph = graph, .dims = graph_dims(graph), .arena = scratch};
        layouts.last = ARENA_ARRAY(arena, uint8_t, graph_count(graph) + 1);
        layouts.copies = ARENA_ARRAY(arena, Node, graph_count(graph) + 1);
        choose(&scheduler, functions, module->n_functions, nodes, count, &layouts);
        arena_free(scratch);
    }
    memory_free(nodes);
    vec_free(&roots);
    return layouts;
}
