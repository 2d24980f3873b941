/* What may stand next: commands, what they take, and names. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check/builtins.h"
#include "driver/repl_terminal.h"

/* Words that begin as what was typed. */
typedef struct {
    WordList *words;
    const char *begin;
} Collecting;

static void collect(void *data, const char *name)
{
    Collecting *c = data;
    if (!name || strncmp(name, c->begin, strlen(c->begin))) return;
    for (size_t i = 0; i < c->words->count; i++)
        if (!strcmp(c->words->at[i], name)) return;
    char *copy = strdup(name);
    if (!copy) abort();
    vec_push(c->words, copy);
}

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Where the name or path that ends at `at` begins: `h[2].dense.W` is one. */
static size_t path_begin(const char *line, size_t at)
{
    while (at) {
        size_t open = at - 1;
        if (is_word_byte(line[at - 1]) || line[at - 1] == '.') {
            at--;
            continue;
        }
        if (line[at - 1] != ']') break;
        while (open && line[open - 1] >= '0' && line[open - 1] <= '9') open--;
        if (!open || line[open - 1] != '[' || open == at - 1) break;
        at = open - 1;
    }
    return at;
}

static void collect_commands(Collecting *c)
{
    const char *name;
    for (size_t i = 0; (name = session_command_name(i)); i++) collect(c, name);
}

static void collect_stored(Collecting *c, const Stored *all, size_t count)
{
    for (size_t i = 0; i < count; i++) collect(c, all[i].path);
}

static void collect_paths(Collecting *c, const Session *session)
{
    collect_stored(c, session->el->params.at, session->el->params.count);
    collect_stored(c, session->el->states.at, session->el->states.count);
}

static void collect_values(Collecting *c, const Session *session)
{
    for (const Binding *b = session->scope->first; b; b = b->next) collect(c, b->name);
}

static void collect_names(Collecting *c, const Session *session)
{
    if (!*c->begin) return;
    collect_values(c, session);
    items_names(session->items, collect, c);
    builtin_names(collect, c);
    for (const char *const *w = parser_words(); *w; w++) collect(c, *w);
}

/* Folders and models in the folder that was typed so far; the words are whole paths. */
static void collect_files(Collecting *c)
{
    const char *slash = strrchr(c->begin, '/');
    size_t length = slash ? (size_t)(slash - c->begin) + 1 : 0;
    char *folder = length ? strndup(c->begin, length) : strdup(".");
    if (!folder) abort();
    DIR *directory = opendir(folder);
    for (const struct dirent *entry; directory && (entry = readdir(directory));) {
        Text path = {0};
        struct stat about;
        size_t size = strlen(entry->d_name);
        if (entry->d_name[0] == '.' && c->begin[length] != '.') continue;
        text_format(&path, "%.*s%s", (int)length, c->begin, entry->d_name);
        bool is_folder = !stat(text_get(&path), &about) && S_ISDIR(about.st_mode);
        if (is_folder) text_string(&path, "/");
        if (is_folder || (size > 3 && !strcmp(entry->d_name + size - 3, ".nn"))) collect(c, text_get(&path));
        text_free(&path);
    }
    if (directory) closedir(directory);
    free(folder);
}

static void collect_model(Collecting *c, const Session *session, CommandTakes takes)
{
    if (!session->models.count) return;
    const Program *program = vec_last(&session->models)->pipeline.program;
    for (uint32_t i = 0; takes == TAKES_SPLITS && i < program->n_splits; i++) collect(c, program->splits[i].name);
    for (uint32_t i = 0; takes == TAKES_SETTINGS && i < program->module->n_settings; i++) {
        Name name = graph_node(program->module->graph, program->module->settings[i].node)->attr.name;
        if (model_setting_is_free(name)) collect(c, name);
    }
}

static void collect_taken(Collecting *c, const Session *session, CommandTakes takes)
{
    switch (takes) {
    case TAKES_COMMANDS:
        collect_commands(c);
        return;
    case TAKES_FILES:
        collect_files(c);
        return;
    case TAKES_SPLITS:
    case TAKES_SETTINGS:
        collect_model(c, session, takes);
        return;
    case TAKES_NAMES:
        collect_paths(c, session);
        collect_values(c, session);
        return;
    default:
        return;
    }
}

WordList terminal_complete(const Session *session, const char *line, size_t *word)
{
    WordList words = {0};
    CommandTakes takes = TAKES_EXPRESSION;
    if (*line == ':' && !session_continues(session)) {
        size_t name = strcspn(line, " \t"), at = name + strspn(line + name, " \t");
        takes = line[name] ? session_command_takes(line + 1, name - 1) : TAKES_COMMANDS;
        *word = line[name] ? at : 1;
    }
    if (takes == TAKES_EXPRESSION) *word = path_begin(line, strlen(line));
    Collecting c = {&words, line + *word};
    if (takes != TAKES_EXPRESSION)
        collect_taken(&c, session, takes);
    else if (strchr(c.begin, '.') || strchr(c.begin, '['))
        collect_paths(&c, session);
    else
        collect_names(&c, session);
    return words;
}
