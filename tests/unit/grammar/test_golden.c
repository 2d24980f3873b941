/* Golden files: trees of golden/parse, the formatter's text of golden/format. */
#include "support.h"

TestSuite(golden, .timeout = 60);

Test(golden, trees)
{
    glob_t files = golden_files("golden/parse/*.nn");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t size;
        char *text = golden_read(files.gl_pathv[i], &size);
        Parsed parsed = parse_bytes(file_name(files.gl_pathv[i]), text, size, false);
        cr_expect_str_eq(text_get(&parsed.diagnostics), "");
        Text tree = {0};
        syntax_dump(parsed.file, &tree);
        expect_golden(files.gl_pathv[i], ".tree", text_get(&tree));
        text_free(&tree);
        parsed_free(&parsed);
        free(text);
    }
    globfree(&files);
}

Test(golden, formats)
{
    glob_t files = golden_files("golden/format/*.nn");
    for (size_t i = 0; i < files.gl_pathc; i++) {
        size_t size;
        char *text = golden_read(files.gl_pathv[i], &size);
        Parsed parsed = parse_bytes(file_name(files.gl_pathv[i]), text, size, false);
        cr_expect_str_eq(text_get(&parsed.diagnostics), "");
        Text formatted = {0};
        syntax_print(parsed.file, &formatted);
        expect_golden(files.gl_pathv[i], ".formatted", text_get(&formatted));
        text_free(&formatted);
        parsed_free(&parsed);
        free(text);
    }
    globfree(&files);
}
