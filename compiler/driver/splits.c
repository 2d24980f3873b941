#include "driver/splits.h"

#include <string.h>

#include "passes/metrics.h"

static bool unknown_split(Pipeline *pipeline, const char *name)
{
    const Program *program = pipeline->program;
    Diag *diag = diag_new(pipeline->context->diagnostics, DIAG_unknown_split, NO_SPAN,
                          "the model %s has no data block called `%s`", program->module->name, name);
    Text names = {0};
    for (uint32_t i = 0; i < program->n_splits; i++)
        text_format(&names, "%s%s", i ? ", " : "", program->splits[i].name);
    if (names.count) diag_hint(diag, "it has %s", text_get(&names));
    text_free(&names);
    return false;
}

bool split_open(Pipeline *pipeline, const char *name, nn_split *to)
{
    const Split *split = program_split(pipeline->program, name);
    if (!split) return unknown_split(pipeline, name);
    const nn_source **sources = ARENA_ARRAY(pipeline->context->arena, const nn_source *, split->n_sources);
    for (uint32_t i = 0; i < split->n_sources; i++)
        if (!(sources[i] = provider_source(pipeline->provider, &split->sources[i]))) return false;
    nn_feed *feeds = ARENA_ARRAY(pipeline->context->arena, nn_feed, split->n_fields);
    for (uint32_t i = 0; i < split->n_fields; i++) {
        const SplitField *field = &split->fields[i];
        feeds[i] = (nn_feed){field->input, sources[field->source], field->column};
    }
    *to = (nn_split){.program = split->function, .feeds = feeds, .n_feeds = split->n_fields};
    nn_split_part(to, split->rows, split->from, split->to);
    return true;
}

static const nn_partial *list_partials(Pipeline *pipeline, const MetricPart *parts, size_t count)
{
    static const nn_combine kinds[] = {
        [COMBINE_SUM] = NN_COMBINE_SUM, [COMBINE_PRODUCT] = NN_COMBINE_PRODUCT, [COMBINE_MAX] = NN_COMBINE_MAX,
        [COMBINE_MIN] = NN_COMBINE_MIN, [COMBINE_ANY] = NN_COMBINE_MAX,         [COMBINE_ALL] = NN_COMBINE_MIN,
    };
    nn_partial *partials = ARENA_ARRAY(pipeline->context->arena, nn_partial, count);
    for (size_t i = 0; i < count; i++) partials[i] = (nn_partial){parts[i].name, kinds[parts[i].combine]};
    return partials;
}

const nn_partial *split_partials(Pipeline *pipeline, size_t *count)
{
    *count = pipeline->n_parts;
    return list_partials(pipeline, pipeline->parts, pipeline->n_parts);
}

const nn_partial *split_followed(Pipeline *pipeline, size_t *count)
{
    *count = pipeline->n_followed;
    return list_partials(pipeline, pipeline->followed, pipeline->n_followed);
}
