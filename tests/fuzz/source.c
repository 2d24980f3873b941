/* A data source of the kind FUZZ_KIND: a file is refused with a reason, or every row of every column can be read (or is
 * refused with a reason), categories within their range. */
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/data.h"
#include "fuzz.h"

static void read_column(const nn_source *source, size_t index)
{
    const nn_column *column = nn_source_column(source, index);
    size_t row_size = nn_source_row_size(source, index);
    int64_t rows = nn_source_rows(source);
    LAW(column->name && rows >= 0 && column->rank >= 0 && column->rank <= 12, "a column that is none");
    for (int i = 0; i < column->rank; i++) LAW(column->dims[i] >= 0, "a size that is none");
    if (row_size > 1 << 20) return;
    char *row = malloc(row_size + 1);
    for (int64_t i = 0; i < rows && i < 1000; i++) {
        if (nn_source_read_range(source, index, i, 1, row)) {
            LAW(*nn_message(), "refused without a reason");
            break;
        }
        if (!column->range) continue;
        int32_t category;
        memcpy(&category, row, sizeof category);
        LAW(category >= 0 && category < column->range && nn_source_category(source, index, category), "category %d",
            (int)category);
    }
    LAW(nn_source_read_range(source, index, rows, 1, row), "a row past the last");
    free(row);
}

/* Sources are files: this one lies in memory. */
static int file_with(const uint8_t *bytes, size_t size, char path[32])
{
    int file = memfd_create("input", 0);
    LAW(file >= 0 && write(file, bytes, size) == (ssize_t)size, "no file in memory");
    snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char path[32];
    nn_source *source;
    int file = file_with(bytes, size, path);
    if (nn_source_open(FUZZ_KIND, path, NULL, 0, NULL, NULL, &source)) {
        LAW(*nn_message(), "refused without a reason");
    } else {
        for (size_t i = 0; i < nn_source_columns(source); i++) read_column(source, i);
        nn_source_free(source);
    }
    close(file);
    return 0;
}
