/* A session in a real terminal: typed, completed, interrupted, left. */
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/commands.h"

/* A plain program: the conversation runs in a fork of it, and the test framework's own connections do not survive one.
 */
#define check_said(condition, ...)                                                                                     \
    do {                                                                                                               \
        if (condition) break;                                                                                          \
        fprintf(stderr, "%s:%d: ", __FILE__, __LINE__);                                                                \
        fprintf(stderr, __VA_ARGS__);                                                                                  \
        exit(1);                                                                                                       \
    } while (0)
#define check(condition) check_said(condition, "%s does not hold\n", #condition)

enum { PATIENCE = 20000 /* ms */, ROOM = 1 << 16 };

typedef struct {
    pid_t child;
    int terminal;
    char seen[ROOM]; /* since the last expectation */
    size_t count;
} Talk;

static void talk_start(Talk *talk, char *home)
{
    char *argv[] = {"nnc", "repl", NULL};
    *talk = (Talk){0};
    talk->child = forkpty(&talk->terminal, NULL, NULL, NULL);
    check(talk->child >= 0);
    if (talk->child) return;
    setenv("TERM", "vt100", 1);
    setenv("HOME", home, 1);
    unsetenv("XDG_STATE_HOME");
    Options options;
    int status = EXIT_USAGE;
    if (options_parse(&options, 2, argv, &status)) status = command_REPL(&options);
    _exit(status);
}

static void type(Talk *talk, const char *keys)
{
    check(write(talk->terminal, keys, strlen(keys)) == (ssize_t)strlen(keys));
}

/* Waits until the terminal shows the text; what came before is forgotten. */
static void expect(Talk *talk, const char *text)
{
    for (;;) {
        char *found = strstr(talk->seen, text);
        if (found) {
            size_t done = (size_t)(found - talk->seen) + strlen(text);
            memmove(talk->seen, talk->seen + done, talk->count - done + 1);
            talk->count -= done;
            return;
        }
        struct pollfd wait = {.fd = talk->terminal, .events = POLLIN};
        check_said(poll(&wait, 1, PATIENCE) > 0, "`%s` did not come, but: %s", text, talk->seen);
        ssize_t got = read(talk->terminal, talk->seen + talk->count, ROOM - talk->count - 1);
        check_said(got > 0, "`%s` did not come, but the end: %s", text, talk->seen);
        for (char *from = talk->seen + talk->count, *end = from + got; from < end; from++)
            if (*from) talk->seen[talk->count++] = *from; /* the editor pads with NULs */
        talk->seen[talk->count] = '\0';
    }
}

static int talk_end(Talk *talk)
{
    int status;
    char rest[256];
    while (read(talk->terminal, rest, sizeof rest) > 0) continue;
    check(waitpid(talk->child, &status, 0) == talk->child);
    close(talk->terminal);
    check(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_terminal(void)
{
    char home[] = "/tmp/nnc-home-XXXXXX", path[64];
    Talk talk;
    check(mkdtemp(home) != NULL);
    talk_start(&talk, home);
    expect(&talk, "nn> ");
    type(&talk, "weight = 20 + 1\n");
    expect(&talk, "weight = 21");
    expect(&talk, "nn> ");
    type(&talk, "wei\t + 1\n"); /* completed to `weight` */
    expect(&talk, "22\r\n");
    expect(&talk, "nn> ");
    type(&talk, "(1 +\n"); /* an open bracket continues */
    expect(&talk, "... ");
    type(&talk, "2\003"); /* Ctrl-C drops the statement */
    expect(&talk, "nn> ");
    type(&talk, "3 * 5\n");
    expect(&talk, "15\r\n");
    expect(&talk, "nn> ");
    type(&talk, "nosuch\n"); /* a mistake is said, and the session goes on */
    expect(&talk, "unknown-name");
    expect(&talk, "nn> ");
    type(&talk, ":hel\t\n");
    expect(&talk, ":quit");
    expect(&talk, "nn> ");
    type(&talk, "\020\020\020\n"); /* Ctrl-P thrice: 3 * 5 again */
    expect(&talk, "15\r\n");
    expect(&talk, "nn> ");
    type(&talk, "\004"); /* Ctrl-D leaves, errors or not */
    check(talk_end(&talk) == EXIT_OK);
    snprintf(path, sizeof path, "%s/.nnc_history", home);
    check_said(access(path, R_OK) == 0, "no history was kept");
    unlink(path);
    rmdir(home);
}

static void test_training_is_interrupted(void)
{
    char home[] = "/tmp/nnc-home-XXXXXX", path[64];
    Talk talk;
    check(mkdtemp(home) != NULL);
    talk_start(&talk, home);
    expect(&talk, "nn> ");
    type(&talk, "model m { input x: f32[b]; target y: f32[b]; param w: f32 = 0; loss = mse(w * x, y) }\n");
    expect(&talk, "1 parameters");
    type(&talk, "data train { x = [1, 2]; y = [2, 4] }\n");
    type(&talk, "train m { optimizer = sgd(lr = 0.01); batch = 2; epochs = 1 }\n");
    expect(&talk, "1 parameters");
    type(&talk, ":train 2000000000\n");
    expect(&talk, "loss");
    type(&talk, "\003");
    expect(&talk, "stopped after step");
    expect(&talk, "nn> ");
    type(&talk, ":params\n\004"); /* what is typed ahead is kept, Ctrl-D too */
    expect(&talk, "f32");
    check(talk_end(&talk) == EXIT_OK);
    snprintf(path, sizeof path, "%s/.nnc_history", home);
    unlink(path);
    rmdir(home);
}

/* While it trains, and when an epoch has passed, its metrics are shown, on the validation data too. */
static void test_training_is_followed(void)
{
    char home[] = "/tmp/nnc-home-XXXXXX", path[64];
    Talk talk;
    check(mkdtemp(home) != NULL);
    talk_start(&talk, home);
    expect(&talk, "nn> ");
    type(&talk, "model m { input x: f32[b]; target y: f32[b]; param w: f32 = 0; loss = mse(w * x, y); "
                "metric distance = mae(w * x, y) }\n");
    expect(&talk, "1 parameters");
    type(&talk, "data train, valid { x = [1, 2, 1, 2]; y = [2, 4, 4, 8]; split = [0.5, 0.5] }\n");
    type(&talk, "train m { optimizer = sgd(lr = 0); batch = 1; epochs = 1 }\n");
    expect(&talk, "1 parameters");
    type(&talk, ":train 1\n"); /* less than an epoch: what was seen, no evaluation of all */
    expect(&talk, "step 1/1  loss ");
    expect(&talk, "  distance ");
    expect(&talk, "  valid loss 40.0000  valid distance 6.0000");
    expect(&talk, "trained after step 1:");
    type(&talk, ":train\n"); /* the metrics of 2 and 4 from 0, and of 4 and 8 */
    expect(&talk, "going on after step 1");
    expect(&talk, "step 3/3");
    expect(&talk, "  valid distance 6.0000");
    expect(&talk, "train    10.0000    3.0000\r\n");
    expect(&talk, "valid    40.0000    6.0000\r\n");
    expect(&talk, "trained after step 3: loss");
    expect(&talk, "nn> ");
    type(&talk, "\004");
    check(talk_end(&talk) == EXIT_OK);
    snprintf(path, sizeof path, "%s/.nnc_history", home);
    unlink(path);
    rmdir(home);
}

/* Writes a model into the folder; its path is left in `path`. */
static void write_model(const char *folder, char *path, size_t size)
{
    snprintf(path, size, "%s/some.nn", folder);
    FILE *file = fopen(path, "w");
    check(file != NULL);
    fputs("model some { input x: f32[b, 2]; target t: f32[b, 3]; hidden = x |> dense(3); loss = mse(hidden, t) }\n",
          file);
    check(fclose(file) == 0);
}

static void test_completion_of_files_and_paths(void)
{
    char home[] = "/tmp/nnc-home-XXXXXX", model[64], history[64], keys[128];
    Talk talk;
    check(mkdtemp(home) != NULL);
    write_model(home, model, sizeof model);
    talk_start(&talk, home);
    expect(&talk, "nn> ");
    snprintf(keys, sizeof keys, ":load %s/so\t\n", home);
    type(&talk, keys);
    expect(&talk, "9 parameters");
    expect(&talk, "nn> ");
    type(&talk, ":type hidden.de\tW\n");
    expect(&talk, "f32[2, 3]");
    expect(&talk, "nn> ");
    type(&talk, ":params hid\t\t"); /* what is certain, then the choices */
    expect(&talk, "hidden.dense.W  hidden.dense.b  hidden");
    type(&talk, "\003");
    expect(&talk, "nn> ");
    type(&talk, ":he\t ker\t\n");
    expect(&talk, ":kernels [EXPR]");
    type(&talk, "\004");
    check(talk_end(&talk) == EXIT_OK);
    snprintf(history, sizeof history, "%s/.nnc_history", home);
    unlink(history);
    unlink(model);
    rmdir(home);
}

/* Ctrl-C while `line` runs, which would take minutes; then `question` has its answer. */
static void interrupt(const char *const *before, const char *line, const char *question, const char *answer)
{
    char home[] = "/tmp/nnc-home-XXXXXX", path[64];
    Talk talk;
    check(mkdtemp(home) != NULL);
    talk_start(&talk, home);
    expect(&talk, "nn> ");
    for (; *before; before++) {
        type(&talk, *before);
        expect(&talk, "\r\n");
        expect(&talk, "nn> ");
    }
    type(&talk, line);
    expect(&talk, "\r\n");
    usleep(300000);
    type(&talk, "\003");
    expect(&talk, "interrupted: nothing of it is kept");
    expect(&talk, "nn> ");
    type(&talk, question);
    expect(&talk, answer);
    type(&talk, "\004");
    check(talk_end(&talk) == EXIT_OK);
    snprintf(path, sizeof path, "%s/.nnc_history", home);
    unlink(path);
    rmdir(home);
}

static void test_work_is_interrupted(void)
{
    static const char *const matrix[] = {"param A: f32[3000, 3000] ~ normal\n", NULL};
    static const char *const number[] = {"input x: f32\n", "s = x + 1\n", NULL};
    static const char *const model[] = {
        "data train { x = [1, 2] }\n",
        "model m { input x: f32[n]; param A: f32[3000, 3000] = 1e-3; "
        "loss = sum(A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A @ A) * sum(x) }\n",
        "train m { optimizer = sgd(lr = 0.1); batch = 2; epochs = 1 }\n", NULL};
    interrupt(matrix, "sum(A @ A @ A @ A @ A @ A @ A @ A)\n", "6 * 7\n", "42\r\n");
    interrupt(number, "repeat 2000000000 { s = s + sin(s) }\n", ":type s\n", "f32\r\n");
    interrupt(model, ":grad\n", ":type A\n", "f32[3000, 3000]\r\n");
}

int main(void)
{
    alarm(300);
    test_terminal();
    test_training_is_interrupted();
    test_training_is_followed();
    test_completion_of_files_and_paths();
    test_work_is_interrupted();
    return 0;
}
