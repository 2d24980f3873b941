/* Comments find their statements, so that the formatter can put them back and the documentation can quote them. */
#include <stdlib.h>
#include <string.h>

#include "support/vector.h"
#include "syntax/syntax.h"

typedef struct {
    Arena *arena;
    const Source *source;
    Comment *const *comments;
    size_t count;
    size_t next;         /* the first comment that has no node yet */
    const Syntax *owner; /* the node that was given one last */
    Comment *last;       /* and which: a thousand comments in a row are not walked for each */
} Attach;

static const char *text_at(const Attach *attach, uint32_t position)
{
    return attach->source->text + (position - attach->source->start);
}

/* How many newlines stand in the blanks right before the position. */
static int newlines_before(const Attach *attach, uint32_t position)
{
    const char *p = text_at(attach, position);
    int newlines = 0;
    while (p > attach->source->text && memchr(" \t\r\n", p[-1], 4)) newlines += *--p == '\n';
    return newlines;
}

static bool same_line(const Attach *attach, uint32_t from, uint32_t to)
{
    return !memchr(text_at(attach, from), '\n', to - from);
}

static void append(Attach *attach, Syntax *node, Comment *comment, CommentPlace place)
{
    comment->place = place;
    comment->next = NULL;
    Comment *last = (Comment *)node->comments; /* ours until the tree is handed out */
    if (attach->owner == node) last = attach->last;
    while (last && last->next) last = (Comment *)last->next;
    if (last)
        last->next = comment;
    else
        node->comments = comment;
    attach->owner = node;
    attach->last = comment;
}

static Comment *comment_before(Attach *attach, uint32_t position)
{
    if (attach->next == attach->count || attach->comments[attach->next]->span.start >= position) return NULL;
    return attach->comments[attach->next++];
}

typedef Vec(Syntax *) Blocks;

/* The blocks inside of a node that lie in no other block. */
static void find_blocks(Syntax *node, Blocks *blocks)
{
    if (node->kind == SYNTAX_BINARY) {
        SyntaxChain chain = {0};
        find_blocks((Syntax *)syntax_chain(node, &chain), blocks);
        while (chain.count) find_blocks(kid_right(vec_pop(&chain)), blocks);
        vec_free(&chain);
        return;
    }
    for (uint32_t i = 0; i < node->n_kids; i++) {
        Syntax *kid = node->kids[i];
        if (kid && kid->kind == SYNTAX_BLOCK)
            vec_push(blocks, kid);
        else if (kid)
            find_blocks(kid, blocks);
    }
}

static void attach_sequence(Attach *attach, Syntax *sequence);

/* Comments inside of a statement: those in a block are the block's, the others move above the statement. */
static void attach_inside(Attach *attach, Syntax *statement)
{
    Comment *comment;
    Blocks blocks = {0};
    find_blocks(statement, &blocks);
    for (size_t i = 0; i < blocks.count; i++) {
        while ((comment = comment_before(attach, blocks.at[i]->span.start)))
            append(attach, statement, comment, COMMENT_BEFORE);
        attach_sequence(attach, blocks.at[i]);
    }
    vec_free(&blocks);
    while ((comment = comment_before(attach, statement->span.end))) append(attach, statement, comment, COMMENT_BEFORE);
}

/* The comment lines that end right above the node, one below the other, without their `#`. */
static const char *documentation(const Attach *attach, const Syntax *node)
{
    const Comment *first = NULL;
    for (const Comment *c = node->comments; c && c->place == COMMENT_BEFORE && c->span.start < node->span.start;
         c = c->next) {
        uint32_t below = c->next && c->next->span.start < node->span.start ? c->next->span.start : node->span.start;
        if (newlines_before(attach, below) > 1)
            first = NULL;
        else if (!first)
            first = c;
    }
    if (!first) return NULL;
    Text text = {0};
    for (const Comment *c = first; c && c->span.start < node->span.start; c = c->next) {
        const char *line = c->text + strspn(c->text, "#");
        if (text.count) text_string(&text, "\n");
        text_string(&text, line + (*line == ' '));
    }
    const char *doc = arena_text(attach->arena, text_get(&text), text.count);
    text_free(&text);
    return doc;
}

static void attach_sequence(Attach *attach, Syntax *sequence)
{
    Comment *comment;
    Syntax *before = NULL;
    for (uint32_t i = 0; i < sequence->n_kids; i++) {
        Syntax *kid = sequence->kids[i];
        while ((comment = comment_before(attach, kid->span.start))) {
            bool trails = before && same_line(attach, before->span.end, comment->span.start);
            comment->blank_before = newlines_before(attach, comment->span.start) > 1;
            append(attach, trails ? before : kid, comment, trails ? COMMENT_AFTER : COMMENT_BEFORE);
        }
        if (newlines_before(attach, kid->span.start) > 1) kid->flags |= SYNTAX_BLANK_BEFORE;
        attach_inside(attach, kid);
        kid->doc = documentation(attach, kid);
        before = kid;
    }
    while ((comment = comment_before(attach, sequence->span.end))) {
        bool trails = before && same_line(attach, before->span.end, comment->span.start);
        comment->blank_before = newlines_before(attach, comment->span.start) > 1;
        append(attach, trails ? before : sequence, comment, trails ? COMMENT_AFTER : COMMENT_LAST);
    }
    if (sequence->kind == SYNTAX_BLOCK && same_line(attach, sequence->span.start, sequence->span.end))
        sequence->flags |= SYNTAX_INLINE;
}

void syntax_attach_comments(Arena *arena, Syntax *file, const Source *source, Comment *const *comments, size_t count)
{
    Attach attach = {.arena = arena, .source = source, .comments = comments, .count = count};
    attach_sequence(&attach, file);
}
