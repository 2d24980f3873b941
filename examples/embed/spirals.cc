// Learning and predicting in C++, with spirals.so and the C library alone. The header is plain C; two small classes own
// what it hands out and turn its errors into exceptions.
//
//     nnc spirals.nn -o spirals.so
//     c++ -std=c++17 spirals.cc ./spirals.so -o spirals && ./spirals
#include "spirals.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

namespace {

void check(int status)
{
    if (status) throw std::runtime_error(spirals_message());
}

class Params {
public:
    explicit Params(std::uint64_t seed)
    {
        spirals_params *made = nullptr;
        check(spirals_params_new(seed, &made));
        params.reset(made);
    }
    void set(const char *setting, double value) { check(spirals_set(get(), setting, value)); }
    void load(const char *path) { check(spirals_params_load(get(), path)); }
    void save(const char *path) { check(spirals_params_save(get(), path)); }
    spirals_params *get() const { return params.get(); }

private:
    struct Free {
        void operator()(spirals_params *params) const { spirals_params_free(params); }
    };
    std::unique_ptr<spirals_params, Free> params;
};

constexpr int arms = 3;
using Point = std::array<float, 2>;
using Scores = std::array<float, arms>;

class Session {
public:
    explicit Session(const Params &params)
    {
        spirals_session *made = nullptr;
        check(spirals_session_new(params.get(), &made));
        session.reset(made);
    }

    // One step of the optimiser; the loss before it.
    float learn(const std::vector<Point> &points, const std::vector<std::int32_t> &labels)
    {
        float loss = 0;
        check(spirals_step(session.get(), static_cast<std::int64_t>(points.size()), points[0].data(), labels.data(), &loss));
        return loss;
    }

    std::vector<Scores> predict(const std::vector<Point> &points)
    {
        std::vector<Scores> scores(points.size());
        check(spirals_forward(session.get(), static_cast<std::int64_t>(points.size()), points[0].data(), nullptr, 0));
        check(spirals_get(session.get(), "probability", scores[0].data(), scores.size() * arms));
        return scores;
    }

private:
    struct Free {
        void operator()(spirals_session *session) const { spirals_session_free(session); }
    };
    std::unique_ptr<spirals_session, Free> session;
};

// Points on arms that make three quarters of a turn, with a little noise.
class Spirals {
public:
    void draw(std::vector<Point> &points, std::vector<std::int32_t> &labels)
    {
        for (std::size_t i = 0; i < points.size(); i++) {
            labels[i] = arm(engine);
            const float r = unit(engine);
            const float turn = 0.75f * r + static_cast<float>(labels[i]) / arms;
            const float angle = 6.2831853f * turn + 0.1f * (unit(engine) - 0.5f);
            points[i] = {r * std::cos(angle), r * std::sin(angle)};
        }
    }

private:
    std::mt19937 engine{1};
    std::uniform_int_distribution<std::int32_t> arm{0, arms - 1};
    std::uniform_real_distribution<float> unit{0, 1};
};

int run()
{
    constexpr std::size_t batch = 64, tests = 600;
    constexpr int steps = 1500;
    Params params(1);
    Session session(params);
    Spirals spirals;
    params.set("lr", 0.01);

    std::vector<Point> points(batch);
    std::vector<std::int32_t> labels(batch);
    for (int step = 1; step <= steps; step++) {
        spirals.draw(points, labels);
        const float loss = session.learn(points, labels);
        if (step % 300 == 0) std::printf("step %4d  loss %.3f\n", step, static_cast<double>(loss));
    }

    // Parameters of their own, as another program would have them.
    params.save("spirals.safetensors");
    Params loaded(2);
    loaded.load("spirals.safetensors");
    points.resize(tests);
    labels.resize(tests);
    spirals.draw(points, labels);
    const std::vector<Scores> scores = Session(loaded).predict(points);
    std::size_t right = 0;
    for (std::size_t i = 0; i < tests; i++) {
        int best = 0;
        for (int k = 1; k < arms; k++)
            if (scores[i][k] > scores[i][best]) best = k;
        right += best == labels[i];
    }
    std::printf("%zu of %zu new points right\n", right, tests);
    return right > tests * 8 / 10 ? 0 : 1;
}

} // namespace

int main()
{
    try {
        return run();
    } catch (const std::exception &error) {
        std::fprintf(stderr, "spirals: %s\n", error.what());
        return 1;
    }
}
