/* The text form of a module, one node a line:
 *
 *     module "xor"
 *     dims batch
 *     %1 = input name="x" : f32[batch, 2]
 *     %2 = const number=0.5 : f32[batch, 2]
 *     %3 = mul(%1, %2) : f32[batch, 2] as "half"
 *     declare input %1 doc="the corners"
 *     check batch == 4 message="four corners"
 *     function "inference" {
 *         output "half" = %3
 *     }
 *
 * Nodes are numbered from 1 without gaps. `#` starts a comment. Every type is written, inferred or not. */
#include <math.h>
#include <string.h>

#include "ir/module_text.h"
#include "support/memory.h"
#include "support/vector.h"

typedef struct {
    const Module *module;
    Text *to;
    uint32_t *numbers; /* by node id */
    bool places;
} Printer;

static void put(Printer *printer, const char *text)
{
    text_string(printer->to, text);
}

static void put_unsigned(Printer *printer, uint64_t value)
{
    char digits[24], *at = digits + sizeof digits;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    text_put(printer->to, at, (size_t)(digits + sizeof digits - at));
}

static void put_integer(Printer *printer, int64_t value)
{
    if (value < 0) put(printer, "-");
    put_unsigned(printer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_node(Printer *printer, Node node)
{
    put(printer, "%");
    put_unsigned(printer, printer->numbers[node.id]);
}

static void put_quoted(Printer *printer, const char *text)
{
    put(printer, "\"");
    for (const char *run = text;; run++) {
        size_t plain = 0;
        while ((unsigned char)run[plain] >= 0x20 && run[plain] != '"' && run[plain] != '\\') plain++;
        text_put(printer->to, run, plain);
        run += plain;
        if (!*run) break;
        if (*run == '"' || *run == '\\')
            text_format(printer->to, "\\%c", *run);
        else
            text_format(printer->to, "\\x%02x", (unsigned char)*run);
    }
    put(printer, "\"");
}

static void put_number(Printer *printer, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    if (isnan(number) && bits != PLAIN_NAN)
        text_format(printer->to, "nan(0x%llx)", (unsigned long long)bits);
    else if (fabs(number) <= INT32_MAX && number == (double)(int32_t)number && (number || !bits))
        put_integer(printer, (int32_t)number);
    else
        text_number(printer->to, number);
}

static void put_dim(Printer *printer, Dim dim)
{
    dim_print(graph_dims(printer->module->graph), dim, printer->to);
}

static void put_attributes(Printer *printer, const NodeInfo *info)
{
    unsigned uses = op_info(info->op)->attributes;
    const Attr *attr = &info->attr;
    if (uses & ATTR_NAME) {
        put(printer, " name=");
        put_quoted(printer, attr->name);
    }
    if (uses & (ATTR_NUMBER | ATTR_ELEMENT)) {
        put(printer, " number=");
        if ((uses & ATTR_ELEMENT) && dtype_class(info->type.dtype) == DTYPE_CLASS_INTEGER)
            put_integer(printer, attr->integer);
        else
            put_number(printer, attr->number);
    }
    if (uses & ATTR_INTEGER) {
        put(printer, " integer=");
        put_integer(printer, attr->integer);
    }
    if (uses & ATTR_INTS) {
        put(printer, " ints=[");
        for (uint32_t i = 0; i < attr->n_ints; i++) {
            if (i) put(printer, ", ");
            put_integer(printer, attr->ints[i]);
        }
        put(printer, "]");
    }
    if (uses & ATTR_SIZES) {
        put(printer, " sizes=[");
        for (uint32_t i = 0; i < attr->n_sizes; i++) {
            if (i) put(printer, ", ");
            put_dim(printer, attr->sizes[i]);
        }
        put(printer, "]");
    }
    if (uses & ATTR_DATA) {
        static const char hex[] = "0123456789abcdef";
        const unsigned char *bytes = attr->data;
        put(printer, " data=x");
        for (size_t i = 0; i < attr->data_size; i++)
            text_put(printer->to, (const char[]){hex[bytes[i] >> 4], hex[bytes[i] & 15]}, 2);
    }
}

static void put_places(Printer *printer, Node node)
{
    const Span *places;
    uint32_t count = graph_places(printer->module->graph, node, &places);
    for (uint32_t i = 0; i < count; i++) {
        Place place;
        if (!source_place(graph_context(printer->module->graph)->sources, places[i].start, &place)) continue;
        text_format(printer->to, "%s%s:%d:%d", i ? ", " : " # ", place.source->name, place.line, place.column);
    }
}

static void put_line(Printer *printer, Node node)
{
    const Graph *graph = printer->module->graph;
    const NodeInfo *info = graph_node(graph, node);
    const OpInfo *op = op_info(info->op);
    put_node(printer, node);
    put(printer, " = ");
    put(printer, op->spelling);
    for (uint32_t i = 0; i < info->n_args; i++) {
        put(printer, i ? ", " : "(");
        put_node(printer, info->args[i]);
    }
    if (info->n_args) put(printer, ")");
    put_attributes(printer, info);
    put(printer, " : ");
    type_print(graph_dims(graph), &info->type, printer->to);
    if (graph_name(graph, node)) {
        put(printer, " as ");
        put_quoted(printer, graph_name(graph, node));
    }
    if (printer->places) put_places(printer, node);
    put(printer, "\n");
}

static void put_declared(Printer *printer, const char *word, const Declared *declared, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        text_format(printer->to, "declare %s ", word);
        put_node(printer, declared[i].node);
        if (declared[i].doc) {
            put(printer, " doc=");
            put_quoted(printer, declared[i].doc);
        }
        put(printer, "\n");
    }
}

static void put_check(Printer *printer, const Check *check)
{
    put(printer, "check ");
    if (dim_is_none(check->left)) {
        put_node(printer, check->condition);
    } else {
        put_dim(printer, check->left);
        put(printer, " == ");
        put_dim(printer, check->right);
    }
    put(printer, " message=");
    put_quoted(printer, check->message ? check->message : "");
    put(printer, "\n");
}

static void put_function(Printer *printer, const Function *function)
{
    put(printer, "function ");
    put_quoted(printer, function->name);
    put(printer, " {\n");
    if (!node_is_none(function->loss)) {
        put(printer, "    total ");
        put_node(printer, function->loss);
        put(printer, "\n");
    }
    for (uint32_t i = 0; i < function->n_results; i++) {
        const Result *result = &function->results[i];
        text_format(printer->to, "    %s ", role_words[result->role]);
        put_quoted(printer, result->name);
        if (!node_is_none(result->old)) {
            put(printer, " of ");
            put_node(printer, result->old);
        }
        put(printer, " = ");
        put_node(printer, result->value);
        put(printer, "\n");
    }
    put(printer, "}\n");
}

Node *module_nodes(const Module *module, uint32_t *count)
{
    Vec(Node) roots = {0};
    const Declared *lists[N_LISTS] = {module->inputs, module->params, module->states, module->settings};
    const uint32_t counts[N_LISTS] = {module->n_inputs, module->n_params, module->n_states, module->n_settings};
    for (int list = 0; list < N_LISTS; list++)
        for (uint32_t i = 0; i < counts[list]; i++) vec_push(&roots, lists[list][i].node);
    for (uint32_t i = 0; i < module->n_checks; i++) vec_push(&roots, module->checks[i].condition);
    for (uint32_t f = 0; f < module->n_functions; f++) {
        const Function *function = &module->functions[f];
        vec_push(&roots, function->loss);
        for (uint32_t i = 0; i < function->n_results; i++) {
            vec_push(&roots, function->results[i].value);
            vec_push(&roots, function->results[i].old);
        }
    }
    Node *nodes = graph_reachable(module->graph, roots.at, (uint32_t)roots.count, count);
    vec_free(&roots);
    return nodes;
}

static void print_module(const Module *module, bool places, Text *to)
{
    uint32_t count;
    Node *nodes = module_nodes(module, &count);
    uint32_t *numbers = memory_calloc((size_t)graph_count(module->graph) + 1, sizeof *numbers);
    Printer printer = {module, to, numbers, places};
    put(&printer, "module ");
    put_quoted(&printer, module->name);
    put(&printer, "\n");
    for (uint32_t i = 0; i < module->n_dims; i++) text_format(to, "%s%s", i ? ", " : "dims ", module->dims[i]);
    if (module->n_dims) put(&printer, "\n");
    for (uint32_t i = 0; i < count; i++) {
        numbers[nodes[i].id] = i + 1;
        put_line(&printer, nodes[i]);
    }
    put_declared(&printer, list_words[0], module->inputs, module->n_inputs);
    put_declared(&printer, list_words[1], module->params, module->n_params);
    put_declared(&printer, list_words[2], module->states, module->n_states);
    put_declared(&printer, list_words[3], module->settings, module->n_settings);
    for (uint32_t i = 0; i < module->n_checks; i++) put_check(&printer, &module->checks[i]);
    for (uint32_t i = 0; i < module->n_functions; i++) put_function(&printer, &module->functions[i]);
    memory_free(numbers);
    memory_free(nodes);
}

void module_print(const Module *module, Text *to)
{
    print_module(module, false, to);
}

void module_print_places(const Module *module, Text *to)
{
    print_module(module, true, to);
}
