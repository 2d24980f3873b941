/* The order of launches: phases where they are apart; then, of what could run, scalars of settings and sizes, and that
 * which nothing waits for (an update, a gradient) while its operands are still in cache, which also ends their lives
 * early; then the order of the nodes. */
#include <assert.h>

#include "schedule/schedule_internal.h"
#include "support/memory.h"

typedef Vec(uint64_t) Queue;

static void swap(uint64_t *a, uint64_t *b)
{
    uint64_t old = *a;
    *a = *b;
    *b = old;
}

static void queue_push(Queue *queue, uint64_t key)
{
    vec_push(queue, key);
    for (size_t at = queue->count - 1; at && queue->at[at] < queue->at[(at - 1) / 2]; at = (at - 1) / 2)
        swap(&queue->at[at], &queue->at[(at - 1) / 2]);
}

static uint64_t queue_pop(Queue *queue)
{
    uint64_t least = queue->at[0];
    queue->at[0] = queue->at[--queue->count];
    for (size_t at = 0, child; (child = 2 * at + 1) < queue->count; at = child) {
        if (child + 1 < queue->count && queue->at[child + 1] < queue->at[child]) child++;
        if (queue->at[at] <= queue->at[child]) break;
        swap(&queue->at[at], &queue->at[child]);
    }
    return least;
}

static uint64_t priority(const Scheduler *scheduler, const Group *group)
{
    uint64_t phase = scheduler->phased ? group->need : 0, waited = 0;
    for (size_t i = 0; i < group->users.count; i++)
        if (!scheduler->phased || scheduler->groups.at[group->users.at[i]]->need == group->need) waited = 1;
    if (!group->deps.count && !group->draft.axes.count) waited = 0;
    return phase << 40 | waited << 32 | group->id;
}

uint32_t *scheduler_launch_order(Scheduler *scheduler)
{
    size_t count = scheduler->groups.count;
    uint32_t *order = memory_alloc((count + 1) * sizeof *order), *missing = memory_calloc(count + 1, sizeof *missing);
    Queue ready = {0};
    for (size_t i = 0; i < count; i++) {
        const Group *group = scheduler->groups.at[i];
        missing[i] = (uint32_t)group->deps.count;
        if (!missing[i]) queue_push(&ready, priority(scheduler, group));
    }
    uint32_t taken = 0;
    while (ready.count) {
        const Group *group = scheduler->groups.at[(uint32_t)queue_pop(&ready)];
        order[taken++] = group->id;
        for (size_t i = 0; i < group->users.count; i++) {
            uint32_t user = group->users.at[i];
            if (!--missing[user]) queue_push(&ready, priority(scheduler, scheduler->groups.at[user]));
        }
    }
    assert(taken == count && "groups wait for each other");
    vec_free(&ready);
    memory_free(missing);
    return order;
}
