/* A function is pure, so what a call within a call gives is kept: where each function calls the one below it twice, the
 * work would double at every level. What a key holds is all that the evaluation reads, and where it was asked for, so
 * that places and names of nodes are those of an evaluation. What had an effect is not kept. */
#include <string.h>

#include "elaborate/elaborator.h"
#include "support/memory.h"

enum { LARGE_TABLE = 4096 };

struct MemoEntry {
    const uint64_t *key;
    uint32_t n_words;
    uint64_t hash;
    Value value;
};

typedef Vec(uint64_t) Words;

static void put(Words *words, const void *pointer)
{
    vec_push(words, (uint64_t)(uintptr_t)pointer);
}

static void put_span(Words *words, Span span)
{
    vec_push(words, (uint64_t)span.start << 32 | span.end);
}

/* False for what may mean something else later: a pipeline, whose scope goes on, and an index. */
static bool put_callee(Words *words, const Callee *callee)
{
    put(words, callee->item);
    put(words, callee->name);
    return callee->kind == CALLEE_ITEM || callee->kind == CALLEE_BUILTIN;
}

static bool put_value(Words *words, const Value *value)
{
    uint64_t number;
    vec_push(words, (uint64_t)value->kind | (uint64_t)value->truth << 8 | (uint64_t)value->open << 9 |
                        (uint64_t)value->named << 10 | (uint64_t)value->count << 32);
    switch (value->kind) {
    case VALUE_ERROR: /* the default */
    case VALUE_BOOL:
        return true;
    case VALUE_TENSOR:
        vec_push(words, value->node.id);
        for (uint32_t i = 0; i < value->count; i++) put(words, value->labels[i]);
        return true;
    case VALUE_SIZE:
        vec_push(words, (uint64_t)value->size.id << 32 | value->divisor.id);
        return true;
    case VALUE_REAL:
        memcpy(&number, &value->number, sizeof number);
        vec_push(words, number);
        return true;
    case VALUE_TEXT:
        put(words, value->text);
        return true;
    case VALUE_LIST:
        put(words, value->items);
        return true;
    case VALUE_FUNCTION:
        return put_callee(words, value->callee);
    default:
        return false;
    }
}

void memo_begin(Elaborator *el)
{
    Memo *memo = &el->memo;
    if (memo->n_slots > LARGE_TABLE) {
        memory_free(memo->slots);
        memo->slots = NULL;
        memo->n_slots = 0;
    } else if (memo->entries.count) {
        memset(memo->slots, 0, memo->n_slots * sizeof *memo->slots);
    }
    memo->entries.count = 0;
}

void memo_free(Memo *memo)
{
    vec_free(&memo->entries);
    memory_free(memo->slots);
    *memo = (Memo){0};
}

void memo_key(Elaborator *el, const Item *item, const Value *values, uint32_t n_values, Span at, MemoKey *key)
{
    Words words = {0};
    const Frame *frame = el->body.frame;
    put(&words, item);
    put_span(&words, at);
    put_span(&words, el->body.prelude_call);
    put(&words, frame ? frame->base : NULL);
    put(&words, frame ? frame->turns : NULL);
    bool good = true;
    for (uint32_t i = 0; good && i < n_values; i++) good = put_value(&words, &values[i]);
    *key = (MemoKey){.effects = el->effects};
    if (good) {
        key->words = ARENA_COPY(el->arena, uint64_t, words.at, words.count);
        key->n_words = (uint32_t)words.count;
        key->hash = hash_bytes(HASH_START, words.at, words.count * sizeof *words.at);
        key->hash ^= key->hash >> 32;
    }
    vec_free(&words);
}

static uint32_t *slot_of(Memo *memo, const MemoKey *key)
{
    size_t slot = key->hash & (memo->n_slots - 1);
    for (; memo->slots[slot]; slot = (slot + 1) & (memo->n_slots - 1)) {
        const MemoEntry *entry = &memo->entries.at[memo->slots[slot] - 1];
        if (entry->hash == key->hash && entry->n_words == key->n_words &&
            !memcmp(entry->key, key->words, key->n_words * sizeof *key->words))
            break;
    }
    return &memo->slots[slot];
}

bool memo_find(Elaborator *el, const MemoKey *key, Value *value)
{
    if (!key->words || !el->memo.n_slots) return false;
    uint32_t found = *slot_of(&el->memo, key);
    if (found) *value = el->memo.entries.at[found - 1].value;
    return found;
}

static void grow(Memo *memo)
{
    memo->n_slots = memo->n_slots ? memo->n_slots * 2 : 64;
    memory_free(memo->slots);
    memo->slots = memory_calloc(memo->n_slots, sizeof *memo->slots);
    for (uint32_t i = 0; i < memo->entries.count; i++) {
        const MemoEntry *entry = &memo->entries.at[i];
        *slot_of(memo, &(MemoKey){.words = entry->key, .n_words = entry->n_words, .hash = entry->hash}) = i + 1;
    }
}

void memo_keep(Elaborator *el, const MemoKey *key, Value value)
{
    Memo *memo = &el->memo;
    if (!key->words || value_is_error(value) || el->effects != key->effects) return;
    if (memo->entries.count * 2 >= memo->n_slots) grow(memo);
    uint32_t *slot = slot_of(memo, key);
    if (*slot) return;
    vec_push(&memo->entries, (MemoEntry){key->words, key->n_words, key->hash, value});
    *slot = (uint32_t)memo->entries.count;
}
