#include "api/failure.h"

#include "data/data.h"

DiagId failure_id(void)
{
    static const struct {
        int status;
        DiagId id;
    } kinds[] = {
        {NN_ERROR_FILE, DIAG_file_access},         {NN_ERROR_FORMAT, DIAG_damaged_file},
        {NN_ERROR_RANGE, DIAG_value_out_of_range}, {NN_ERROR_MEMORY, DIAG_out_of_memory},
        {NN_DATA_MISSING, DIAG_missing_value},     {NN_DATA_MIXED, DIAG_mixed_column},
        {NN_DATA_CATEGORY, DIAG_unknown_category}, {NN_DATA_FIELDS, DIAG_field_count},
        {NN_DATA_EXTENSION, DIAG_bad_extension},
    };
    int status = nn_data_failure();
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].status == status) return kinds[i].id;
    return DIAG_run_time;
}
