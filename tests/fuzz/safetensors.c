/* Weights from memory: a file is taken as a whole or refused with a reason and nothing changed. */
#include "../unit/runtime/fixture.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    float before[3], after[3];
    nn_params *params;
    LAW(!nn_params_from_image(&fixture_image, NULL, 0, 7, &params), "%s", nn_message());
    LAW(!nn_params_get(params, "w", NN_TYPE_F32, before, 3), "%s", nn_message());
    int status = nn_params_load_memory(params, bytes, size, size % 2 ? NN_LOAD_WEIGHTS : NN_LOAD_ALL);
    LAW(!nn_params_get(params, "w", NN_TYPE_F32, after, 3), "%s", nn_message());
    LAW(!status || *nn_message(), "refused without a reason");
    LAW(!status || !memcmp(before, after, sizeof before), "refused, but changed");
    nn_params_free(params);
    return 0;
}
