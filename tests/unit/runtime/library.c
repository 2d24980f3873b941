/* The model of fixture.h as a library, as the compiler would make one. */
#include "fixture.h"

__attribute__((visibility("default"))) const nn_image *nn_model_entry(void);

const nn_image *nn_model_entry(void)
{
    return &fixture_image;
}
