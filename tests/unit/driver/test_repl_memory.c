/* A long session does not grow: what is redefined is freed. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "driver/repl_session.h"

/* The address sanitizer keeps what is freed for a while, so growth says nothing there; it looks for leaks itself. */
#ifdef __SANITIZE_ADDRESS__
enum { STATEMENTS = 1000, MEASURED = false };
#else
enum { STATEMENTS = 10000, MEASURED = true };
#endif
enum { WARM = STATEMENTS / 5, MOST_GROWTH = 24 << 20 };

/* Bytes of memory that the process has. */
static long resident(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long total, pages;
    cr_assert(file && fscanf(file, "%ld %ld", &total, &pages) == 2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The statement number i of a session that redefines everything all the time. */
static void write_statement(int i, char *line, size_t size)
{
    int k = i / 20;
    switch (i % 20) {
    case 0:
        snprintf(line, size, "fn f(a) = a^2 + %d", k);
        return;
    case 1:
        snprintf(line, size, "y = w * x + %d", k);
        return;
    case 2:
        snprintf(line, size, "z = f(y)");
        return;
    case 3:
        snprintf(line, size, "grad(z, w)");
        return;
    case 4:
        snprintf(line, size, "const c = %d", k);
        return;
    case 5:
        snprintf(line, size, i == 5 ? "count = 0" : "count = count + c");
        return;
    case 6:
        snprintf(line, size, i == 6 ? "s = [1.0, 2.0]" : "s = s * 0.5 + [1.0, 0.5]");
        return;
    case 7:
        snprintf(line, size, "input v: f32[n, %d]", k % 3 + 2);
        return;
    case 8:
        snprintf(line, size, "h = v |> dense(%d) |> tanh", k % 5 + 1);
        return;
    case 9:
        snprintf(line, size, k % 2 ? "x = %d" : "input x: f32", k);
        return;
    case 10:
        snprintf(line, size, "param w: f32 = %d", k % 7);
        return;
    case 11:
        snprintf(line, size, "no + such");
        return;
    case 12:
        snprintf(line, size, "layer two(x: [...]) -> [...] { param p: f32 = %d; return p * x }", k);
        return;
    case 13:
        snprintf(line, size, "q = two(y)");
        return;
    case 14:
        snprintf(line, size, ":type q");
        return;
    case 15:
        snprintf(line, size,
                 "model m { input a: f32[batch, 3]; target t: f32[batch, 2]; u%d = a |> dense(%d) |> relu; "
                 "o = u%d |> dense(2); loss = mse(o, t) }",
                 k, k % 5 + 1, k);
        return;
    case 16:
        snprintf(line, size, "p = %d * o + u%d[0, 0]", k % 4, k);
        return;
    case 17:
        snprintf(line, size, k % 4 ? "p" : "o.dense.b = o.dense.b + [%d, 1]", k);
        return;
    case 18:
        snprintf(line, size, k % 10 ? "grad(loss, o.dense.W)" : ":train 2");
        return;
    default:
        snprintf(line, size, "t%d = w * x^%d", i % 20, k % 4 + 1);
    }
}

Test(repl, memory_is_bounded, .timeout = 300)
{
    char *argv[] = {"nnc", "repl", NULL}, line[256];
    Options options;
    int status, nowhere = open("/dev/null", O_WRONLY);
    cr_assert(options_parse(&options, 2, argv, &status));
    Session *session = session_new(&options);
    fflush(stdout);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    session_line(session, "input x: f32");
    session_line(session, "param w: f32 = 1");
    session_line(session, "data train { a = [[1, 2, 3], [4, 5, 6]]; t = [[1, 0], [0, 1]] }");
    session_line(session, "model m { input a: f32[batch, 3]; target t: f32[batch, 2]; loss = mse(a |> dense(2), t) }");
    session_line(session, "train m { optimizer = adam(lr = 0.01); batch = 2; epochs = 1 }");
    long warm = 0;
    for (int i = 0; i < STATEMENTS; i++) {
        if (i == WARM) warm = resident();
        write_statement(i, line, sizeof line);
        session_line(session, line);
    }
    long grown = resident() - warm;
    cr_log_info("%ld KiB after %d statements, %ld KiB more in the end", warm >> 10, WARM, grown >> 10);
    if (MEASURED) cr_expect_lt(grown, MOST_GROWTH, "it grew by %ld KiB", grown >> 10);
    session_renew(session);
    cr_expect_lt(session->journal.entries.count, 40, "%zu statements are kept", session->journal.entries.count);
    cr_expect_eq(session->errors, STATEMENTS / 20);
    session_free(session);
}
