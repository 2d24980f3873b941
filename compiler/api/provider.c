#include "api/provider.h"

#include <string.h>

#include "api/failure.h"
#include "data/data.h"
#include "support/vector.h"

struct Provider {
    Context *context;
    DataProvider callbacks;
    Vec(nn_source *) sources;
};

static void describe(Arena *arena, const nn_source *from, DataSource *to)
{
    to->rows = nn_source_rows(from);
    to->n_columns = (uint32_t)nn_source_columns(from);
    DataColumn *columns = ARENA_ARRAY(arena, DataColumn, to->n_columns);
    for (uint32_t i = 0; i < to->n_columns; i++) {
        const nn_column *column = nn_source_column(from, i);
        columns[i] = (DataColumn){.name = column->name,
                                  .dtype = (DType)column->type, /* both in the order of ir/dtypes.def */
                                  .rank = (uint32_t)column->rank,
                                  .range = column->range,
                                  .doc = column->doc,
                                  .categories = nn_source_category(from, i, 0) != NULL,
                                  .text = column->text,
                                  .text_line = column->text_line};
        memcpy(columns[i].dims, column->dims, sizeof columns[i].dims);
    }
    to->columns = columns;
}

static const DataSource *open_source(void *host, const char *kind, const char *path, const DataArgument *args,
                                     size_t n_args, const DataSource *like, const char **message)
{
    Provider *provider = host;
    Arena *arena = provider->context->arena;
    nn_argument *given = ARENA_ARRAY(arena, nn_argument, n_args);
    for (size_t i = 0; i < n_args; i++)
        given[i] = (nn_argument){args[i].name, args[i].text, args[i].number, args[i].flag};
    nn_source *source = NULL;
    vec_push(&provider->sources, NULL); /* there is room for what is opened */
    if (nn_source_open(kind, path, given, n_args, like ? like->handle : NULL, provider->context->stop, &source)) {
        *message = nn_message();
        (void)vec_pop(&provider->sources);
        return NULL;
    }
    vec_last(&provider->sources) = source;
    DataSource *described = ARENA_NEW(arena, DataSource);
    describe(arena, source, described);
    described->handle = source;
    return described;
}

static bool read_rows(void *host, const DataSource *source, uint32_t column, int64_t first, int64_t count, void *out,
                      const char **message)
{
    (void)host;
    if (!nn_source_read_range(source->handle, column, first, count, out)) return true;
    *message = nn_message();
    return false;
}

static DiagId why(void *host)
{
    (void)host;
    DiagId id = failure_id();
    return id == DIAG_run_time ? DIAG_data_source : id;
}

Provider *provider_new(Context *context)
{
    Provider *provider = ARENA_NEW(context->arena, Provider);
    provider->context = context;
    provider->callbacks = (DataProvider){provider, open_source, read_rows, why};
    return provider;
}

void provider_close(Provider *provider)
{
    if (!provider) return;
    for (size_t i = 0; i < provider->sources.count; i++) nn_source_free(provider->sources.at[i]);
    provider->sources.count = 0;
}

void provider_free(Provider *provider)
{
    if (!provider) return;
    provider_close(provider);
    vec_free(&provider->sources);
}

const DataProvider *provider_callbacks(Provider *provider)
{
    return &provider->callbacks;
}

const nn_source *provider_source(Provider *provider, const SplitSource *split)
{
    if (!split->literal) return split->source->handle;
    const DataColumn *column = &split->source->columns[0];
    nn_source *source = NULL;
    vec_push(&provider->sources, NULL); /* as above */
    if (nn_source_literal((nn_type)column->dtype, split->source->rows, (int)column->rank, column->dims, split->literal,
                          &source)) {
        (void)vec_pop(&provider->sources);
        diag_new(provider->context->diagnostics, failure_id(), NO_SPAN, "%s: %s", split->name, nn_message());
        return NULL;
    }
    vec_last(&provider->sources) = source;
    return source;
}
