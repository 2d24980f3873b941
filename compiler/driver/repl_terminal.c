#include "driver/repl_terminal.h"

#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY = 1000 };

typedef struct {
    Session *session;
    EditLine *editor;
    History *history;
    char *path;            /* of the history; NULL: there is no home */
    struct termios before; /* what the terminal was set to */
} Terminal;

/* ---- Completion ---- */

/* What all the words begin with. */
static size_t common_length(const WordList *words)
{
    size_t length = strlen(words->at[0]);
    for (size_t i = 1; i < words->count; i++) {
        size_t k = 0;
        while (k < length && words->at[i][k] == words->at[0][k]) k++;
        length = k;
    }
    return length;
}

static Terminal *terminal_of(EditLine *editor)
{
    void *data = NULL;
    el_get(editor, EL_CLIENTDATA, &data);
    return data;
}

/* Inserts what is certain; where nothing is, shows the choices. */
static unsigned char complete(EditLine *editor, int key)
{
    (void)key;
    const LineInfo *info = el_line(editor);
    char *line = strndup(info->buffer, (size_t)(info->cursor - info->buffer));
    if (!line) abort();
    size_t word;
    WordList words = terminal_complete(terminal_of(editor)->session, line, &word);
    size_t typed = strlen(line) - word;
    unsigned char result = CC_ERROR;
    if (words.count) {
        char *more = strndup(words.at[0] + typed, common_length(&words) - typed);
        if (!more) abort();
        if (*more && !el_insertstr(editor, more)) {
            result = CC_REFRESH;
        } else if (words.count > 1) {
            putchar('\n');
            for (size_t i = 0; i < words.count; i++) printf("%s%s", i ? "  " : "", words.at[i]);
            putchar('\n');
            result = CC_REDISPLAY;
        }
        free(more);
    }
    for (size_t i = 0; i < words.count; i++) free(words.at[i]);
    vec_free(&words);
    free(line);
    return result;
}

/* ---- History ---- */

static char *history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char *path = NULL;
    int size = -1;
    if (state && *state) {
        if (asprintf(&path, "%s/nnc", state) < 0) return NULL;
        mkdir(path, 0700);
        free(path);
        size = asprintf(&path, "%s/nnc/history", state);
    } else if (home && *home) {
        size = asprintf(&path, "%s/.nnc_history", home);
    }
    return size < 0 ? NULL : path;
}

static void history_open(Terminal *terminal)
{
    HistEvent event;
    terminal->history = history_init();
    if (!terminal->history) return;
    history(terminal->history, &event, H_SETSIZE, HISTORY);
    history(terminal->history, &event, H_SETUNIQUE, 1);
    terminal->path = history_path();
    if (terminal->path) history(terminal->history, &event, H_LOAD, terminal->path);
    el_set(terminal->editor, EL_HIST, history, terminal->history);
}

static void history_close(Terminal *terminal)
{
    HistEvent event;
    if (!terminal->history) return;
    if (terminal->path) history(terminal->history, &event, H_SAVE, terminal->path);
    history_end(terminal->history);
    free(terminal->path);
}

/* ---- Lines ---- */

static char *prompt(EditLine *editor)
{
    static char first[] = "nn> ", further[] = "... ";
    return session_continues(terminal_of(editor)->session) ? further : first;
}

/* One character of the input for the editor: 1, 0 at its end, -1 with EINTR after Ctrl-C. While a line is edited SIGINT
 * is let through only here, where the wait for input and the wait for it are one: it cannot come just before the wait.
 */
static int read_character(EditLine *editor, wchar_t *to)
{
    const Terminal *terminal = terminal_of(editor);
    mbstate_t state = {0};
    sigset_t open;
    sigprocmask(SIG_BLOCK, NULL, &open);
    sigdelset(&open, SIGINT);
    for (size_t used = 0; used < MB_LEN_MAX; used++) {
        struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
        char byte;
        sigset_t pending;
        if (ppoll(&wait, 1, NULL, &open) < 0) return -1;
        bool interrupts = !sigpending(&pending) && sigismember(&pending, SIGINT);
        if (interrupts) sigsuspend(&open); /* where there is input too, ppoll leaves it waiting */
        if (*terminal->session->stop) {
            errno = EINTR;
            return -1;
        }
        ssize_t got = read(STDIN_FILENO, &byte, 1);
        if (got <= 0) return (int)got;
        if (mbrtowc(to, &byte, 1, &state) <= 1) return 1; /* else more bytes of it follow */
    }
    errno = EILSEQ;
    return -1;
}

static void setup(Terminal *terminal)
{
    EditLine *editor = terminal->editor;
    el_set(editor, EL_CLIENTDATA, terminal);
    el_set(editor, EL_PROMPT, prompt);
    el_set(editor, EL_GETCFN, read_character);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_ADDFN, "nnc-complete", "complete a name or command", complete);
    el_set(editor, EL_BIND, "\t", "nnc-complete", NULL);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    history_open(terminal);
    el_source(editor, NULL);
}

static const char *edit_line(EditLine *editor, int *count)
{
    sigset_t interrupts, before;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupts, &before);
    const char *line = el_gets(editor, count);
    int error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return line;
}

/* The next line, NULL at the end of the input. Ctrl-C gives an empty one. */
static const char *read_line(Terminal *terminal)
{
    int count;
    errno = 0;
    const char *line = edit_line(terminal->editor, &count);
    if (line && count > 0) return line;
    if (!*terminal->session->stop && errno != EINTR) return NULL;
    *terminal->session->stop = 0;
    el_reset(terminal->editor);
    session_interrupt(terminal->session);
    putchar('\n');
    return "\n";
}

/* While a statement runs the terminal collects what is typed ahead in lines, and Ctrl-D would end an empty one instead
 * of being kept for the editor. So it is made a character like any other; the editor takes that over. */
static void set_end_of_file(cc_t key)
{
    struct termios now;
    if (tcgetattr(STDIN_FILENO, &now)) return;
    now.c_cc[VEOF] = key;
    tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

void terminal_run(Session *session, const char *path)
{
    Terminal terminal = {.session = session};
    tcgetattr(STDIN_FILENO, &terminal.before);
    set_end_of_file(_POSIX_VDISABLE);
    if (path) session_load(session, path);
    setlocale(LC_CTYPE, "");
    terminal.editor = el_init("nnc", stdin, stdout, stderr);
    if (!terminal.editor) return;
    setup(&terminal);
    set_end_of_file(_POSIX_VDISABLE);
    puts("nnc " NNC_VERSION ", a conversation about networks; :help says what there is, Ctrl-D leaves.");
    const char *line;
    bool stay = true;
    while (stay && (line = read_line(&terminal))) {
        HistEvent event;
        if (terminal.history && line[strspn(line, " \t\r\n")]) history(terminal.history, &event, H_ENTER, line);
        stay = session_line(session, line);
        *session->stop = 0;
    }
    if (stay) putchar('\n');
    session_finish(session);
    history_close(&terminal);
    el_end(terminal.editor);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}
