/* The compiler's view of data, over the run time's sources: columns, their types and sizes, and rows where a constant
 * of the program depends on them. */
#ifndef NNC_API_PROVIDER_H
#define NNC_API_PROVIDER_H

#include "elaborate/program.h"

typedef struct Provider Provider;

Provider *provider_new(Context *context);
/* Closes every source. NULL is allowed. */
void provider_free(Provider *provider);
/* Closes every source and frees nothing. NULL is allowed. */
void provider_close(Provider *provider);
/* Valid as long as the provider. */
const DataProvider *provider_callbacks(Provider *provider);

struct nn_source;
/* The run time's source behind a split's, a literal's among them. NULL after a diagnostic. The provider's. */
const struct nn_source *provider_source(Provider *provider, const SplitSource *split);

#endif
