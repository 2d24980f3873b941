/* Definitions: items take the place of those of their name, and models are compiled. One that fails leaves the session
 * as it was. */
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "driver/repl_session.h"

static char space_letter(Space space)
{
    return "cfomdt"[space];
}

typedef Vec(const Item *) ItemList;

static bool list_has(const ItemList *list, const Item *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i] == item) return true;
    return false;
}

static const Item *list_find(const ItemList *list, const Item *like)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->at[i]->space == like->space && list->at[i]->name == like->name) return list->at[i];
    return NULL;
}

static ItemList list_items(const Session *session)
{
    ItemList list = {0};
    for (const Item *item = items_first(session->items); item; item = item->next) vec_push(&list, item);
    return list;
}

/* Items that were not there before, in `fresh`. */
static ItemList fresh_items(const Session *session, const ItemList *before)
{
    ItemList fresh = {0};
    for (const Item *item = items_first(session->items); item; item = item->next)
        if (!list_has(before, item)) vec_push(&fresh, item);
    return fresh;
}

static void undo_items(Session *session, const ItemList *before, const ItemList *fresh)
{
    for (size_t i = 0; i < fresh->count; i++)
        items_restore(session->items, fresh->at[i]->space, fresh->at[i]->name, list_find(before, fresh->at[i]));
}

static Loaded *model_named(const Session *session, const char *name)
{
    for (size_t i = 0; i < session->models.count; i++)
        if (!strcmp(session->models.at[i]->name, name)) return session->models.at[i];
    return NULL;
}

/* The new model takes the old one's place, and is the current one. */
static void place_model(Session *session, Loaded *model)
{
    for (size_t i = 0; i < session->models.count; i++) {
        Loaded *old = session->models.at[i];
        if (strcmp(old->name, model->name)) continue;
        loaded_inherit(model, old);
        loaded_free(old);
        memmove(session->models.at + i, session->models.at + i + 1, (session->models.count - i - 1) * sizeof(Loaded *));
        session->models.count--;
        break;
    }
    vec_push(&session->models, model);
    Text text = {0};
    loaded_summary(model, &text);
    puts(text_get(&text));
    text_free(&text);
}

static Loaded *new_model(Session *session, const char *path, const char *name)
{
    Loaded *model = loaded_new(session->options, &session->journal, path, name, session->stop);
    if (model && loaded_succeeds(model, model_named(session, name))) return model;
    loaded_free(model);
    return NULL;
}

/* Models among the new items, and the model of a train block, are compiled as far as their types, all before the first
 * takes its place; others are stale. */
static bool define_models(Session *session, const char *path, const ItemList *fresh)
{
    Vec(Loaded *) made = {0};
    bool good = true;
    for (size_t i = 0; i < fresh->count && good; i++) {
        const Item *item = fresh->at[i];
        if (item->space == SPACE_TRAIN && model_named(session, item->name) && !path)
            path = model_named(session, item->name)->path;
        bool wanted = item->space == SPACE_MODEL || (item->space == SPACE_TRAIN && model_named(session, item->name));
        for (size_t k = 0; wanted && k < i; k++)
            wanted = strcmp(fresh->at[k]->name, item->name) || fresh->at[k]->space != SPACE_MODEL;
        if (!wanted) continue;
        Loaded *model = new_model(session, path, item->name);
        good = model != NULL;
        if (model) vec_push(&made, model);
    }
    for (size_t i = 0; i < made.count; i++)
        if (good)
            place_model(session, made.at[i]);
        else
            loaded_free(made.at[i]);
    for (size_t i = 0; i < session->models.count; i++) {
        bool now = false;
        for (size_t k = 0; k < made.count; k++) now |= made.at[k] == session->models.at[i];
        session->models.at[i]->stale |= good && !now;
    }
    vec_free(&made);
    return good;
}

static bool defines_model(const ItemList *fresh, const char *name)
{
    for (size_t i = 0; i < fresh->count; i++)
        if (fresh->at[i]->space == SPACE_MODEL && !strcmp(fresh->at[i]->name, name)) return true;
    return false;
}

/* The names of models that were defined now are bound, and those of models that may use what was defined bound anew. */
static void bring_names(Session *session, const ItemList *fresh)
{
    NameList ignored = {0};
    Entry *entry = &vec_last(&session->journal.entries);
    session_report(session);
    for (size_t i = 0; i < session->models.count; i++)
        if (!defines_model(fresh, session->models.at[i]->name))
            names_bring(session, session->models.at[i], false, &ignored, &ignored);
    for (size_t i = 0; i < fresh->count; i++) {
        const Loaded *model = model_named(session, fresh->at[i]->name);
        if (model && fresh->at[i]->space == SPACE_MODEL)
            names_bring(session, model, true, &entry->defines, &entry->ends);
    }
    names_free(&ignored);
}

/* What was added to the items enters the journal, unless the check or a model's types refuse it. */
static bool take_items(Session *session, const ItemList *before, const char *text, int line, const char *path,
                       NameList defines, NameList uses)
{
    ItemList fresh = fresh_items(session, before);
    for (size_t i = 0; i < fresh.count; i++) {
        names_add(&defines, space_letter(fresh.at[i]->space), fresh.at[i]->name);
        if (!session->replaying) check_one(session->items, fresh.at[i]);
    }
    bool good = !session_failed(session);
    if (good) {
        journal_add(&session->journal, true, text, line, path, defines, uses);
        if (!session->replaying && !define_models(session, path, &fresh)) {
            good = false;
            session->errors++;
            journal_drop_last(&session->journal);
        }
        if (good) bring_names(session, &fresh);
    } else {
        names_free(&defines);
        names_free(&uses);
    }
    if (!good) undo_items(session, before, &fresh);
    vec_free(&fresh);
    return good;
}

bool session_define(Session *session, const Syntax *entry)
{
    ItemList before = list_items(session);
    NameList defines = {0}, uses = {0};
    Text text = {0};
    const Item *derived = NULL;
    const Syntax *derivative = NULL;
    if (entry->kind == SYNTAX_DERIVATIVE) {
        derived = items_find(session->items, SPACE_FUNCTION, entry->name, false);
        derivative = derived && !derived->prelude ? derived->derivative : NULL;
        names_add(&defines, 'D', entry->name);
    }
    for (uint32_t i = 0; i < entry->n_kids; i++) mentioned_names(entry->kids[i], &uses);
    if (derived || entry->kind == SYNTAX_TRAIN) names_add(&uses, ' ', entry->name);
    int line = statement_text(session->context->sources, entry, &text);
    items_add(session->items, entry);
    bool good = !session_failed(session);
    if (good && derived && !session->replaying) check_one(session->items, derived);
    good = good && !session_failed(session);
    if (!good) {
        names_free(&defines);
        names_free(&uses);
    }
    good = good && take_items(session, &before, text_get(&text), line, NULL, defines, uses);
    if (!good && derived) ((Item *)derived)->derivative = derivative;
    text_free(&text);
    vec_free(&before);
    return good;
}

bool session_take_file(Session *session, const char *path, const char *text)
{
    const Source *source = source_add(session->context->sources, path, text, strlen(text));
    if (!source) return false;
    ItemList before = list_items(session);
    items_read(session->items, path, source);
    bool good = !session_failed(session);
    if (good) {
        good = take_items(session, &before, text, 1, path, (NameList){0}, (NameList){0});
    } else {
        ItemList fresh = fresh_items(session, &before);
        undo_items(session, &before, &fresh);
        vec_free(&fresh);
    }
    vec_free(&before);
    return good;
}

/* Compiled anew if an item has changed; NULL after diagnostics, printed. */
static Loaded *renewed(Session *session, Loaded **model)
{
    if (!(*model)->stale) return *model;
    const Loaded *old = *model;
    Loaded *fresh = loaded_new(session->options, &session->journal, old->path, old->name, session->stop);
    if (!fresh || !loaded_succeeds(fresh, old)) {
        loaded_free(fresh);
        session->errors++;
        return NULL;
    }
    loaded_inherit(fresh, *model);
    loaded_free(*model);
    return *model = fresh;
}

Loaded *session_model(Session *session)
{
    if (session->models.count) return renewed(session, &vec_last(&session->models));
    diag_hint(diag_new(session->context->diagnostics, DIAG_no_model, NO_SPAN, "there is no model yet"),
              "type one, `model m { … }`, or `:load FILE.nn`");
    session_report(session);
    return NULL;
}

Loaded *session_model_ready(Session *session, const char *name)
{
    Loaded *model = NULL;
    for (size_t i = 0; name && i < session->models.count; i++)
        if (!strcmp(session->models.at[i]->name, name)) model = renewed(session, &session->models.at[i]);
    if (!name) model = session_model(session);
    if (!model || loaded_ready(model)) return model;
    session->errors++;
    return NULL;
}
