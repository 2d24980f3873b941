/* Golden files: trees of golden/parse, the formatter's text of golden/format, the messages of golden/diagnostics. */
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

/* ID-something.nn holds one slip or more of which the parser says ID; files of later stages' ids lie there too, and are
 * told by their ids. */
static const char *const ids[] = {"syntax",          "unknown-word",  "misplaced",           "unclosed-bracket",
                                  "nested-too-deep", "bad-character", "unterminated-string", "bad-encoding",
                                  "bad-number",      "bad-escape"};

Test(golden, diagnostics)
{
    for (size_t id = 0; id < sizeof ids / sizeof ids[0]; id++) {
        char pattern[128], shown[64];
        snprintf(pattern, sizeof pattern, "golden/diagnostics/%s-*.nn", ids[id]);
        snprintf(shown, sizeof shown, "error[%s]", ids[id]);
        glob_t files = golden_files(pattern);
        for (size_t i = 0; i < files.gl_pathc; i++) {
            size_t size;
            char *text = golden_read(files.gl_pathv[i], &size);
            Parsed parsed = parse_bytes(file_name(files.gl_pathv[i]), text, size, false);
            cr_expect(strstr(text_get(&parsed.diagnostics), shown), "%s shows no %s", files.gl_pathv[i], shown);
            expect_golden(files.gl_pathv[i], ".expected", text_get(&parsed.diagnostics));
            parsed_free(&parsed);
            free(text);
        }
        globfree(&files);
    }
}
