/* Random numbers are what docs/numbers.md says: its example, and the answers that the authors of Philox publish with
 * their library (Random123, kat_vectors). */
#include <criterion/criterion.h>

#include "nn_random.h"

static void expect_words(nn_philox counter, uint32_t key0, uint32_t key1, nn_philox expected)
{
    nn_philox found = nn_philox_make(counter, key0, key1);
    for (int i = 0; i < 4; i++) cr_expect_eq(found.word[i], expected.word[i], "%08x", found.word[i]);
}

Test(random, philox_gives_the_published_answers)
{
    const uint32_t ones = 0xffffffff;
    expect_words((nn_philox){{0, 0, 0, 0}}, 0, 0, (nn_philox){{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
    expect_words((nn_philox){{ones, ones, ones, ones}}, ones, ones,
                 (nn_philox){{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
    expect_words((nn_philox){{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0,
                 (nn_philox){{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

Test(random, a_weight_starts_as_documented)
{
    uint32_t stream = nn_random_stream("logits.dense.W", 0);
    cr_expect_eq(stream, 0x92dd603b);
    static const float expected[] = {0.188946545f, 0.496388257f, 0.954180419f, 0.469670117f};
    for (uint64_t i = 0; i < 4; i++) cr_expect_eq(nn_random_uniform(1, stream, 0, i), expected[i]);
}

Test(random, lies_between_0_and_1)
{
    float low = 1, high = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        float u = nn_random_uniform(7, 3, 1, i);
        low = u < low ? u : low;
        high = u > high ? u : high;
    }
    cr_expect(low > 0 && low < 1e-4f && high < 1 && high > 1 - 1e-4f);
}
