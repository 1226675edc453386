// The statistics of comparisons against answers that are known otherwise.
#include "tuner/compare/comparison_statistics.h"

#include <cmath>

#include "support/catch.h"
#include "tuner/core/rng.h"
#include "tuner/core/student.h"

namespace tune::compare {
namespace {

constexpr std::size_t kResamples = 400, kGroups = 50;

// Runs with these scores; the images add the same noise to every run and resample of one `noise`.
ScoredRuns runs_of(const std::vector<double>& scores, double noise = 0, std::uint64_t stream = 1) {
  ScoredRuns runs{scores, {}};
  for (const double score : scores) {
    Rng rng(3, stream);
    std::vector<double>& line = runs.resampled.emplace_back();
    for (std::size_t r = 0; r < kResamples; ++r) line.push_back(score + noise * rng.normal());
  }
  return runs;
}

Answer answer_of(const ScoredRuns& a, const ScoredRuns& b, bool confounded = false) {
  return answer_questions({a, b}, {{0, 1, confounded}}, kGroups).front();
}

TEST_CASE("Holm's correction gives the adjusted values of the textbook, in the order of the questions") {
  const std::vector<double> adjusted = holm_adjusted({0.01, 0.04, 0.03, 0.005});
  CHECK(adjusted == std::vector<double>{0.03, 0.06, 0.06, 0.02});
  CHECK(holm_adjusted({0.9, 0.8}) == std::vector<double>{1, 1});
  CHECK(holm_adjusted({}).empty());
}

TEST_CASE("without noise of the images the answer is Welch's t-test") {
  // scipy.stats.ttest_ind(a, b, equal_var=False).
  const Answer answer = answer_of(runs_of({27.5, 21.0, 19.0, 23.6, 17.0, 17.9}),
                                  runs_of({27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2}));
  REQUIRE(answer.p);
  CHECK(*answer.difference == Approx(21.0 - 23.3));
  CHECK(*answer.difference / *answer.standard_error == Approx(-1.3084242851737).epsilon(1e-9));
  CHECK(*answer.degrees == Approx(6.829566380784675).epsilon(1e-9));
  CHECK(*answer.p == Approx(0.23303912114085726).epsilon(1e-9));
  CHECK(answer.verdict == Verdict::kNotDistinguishable);
}

TEST_CASE("scores that were not resampled give Welch's t-test, on whatever scale, and less may be better") {
  const ScoredRuns a{{27.5, 21.0, 19.0, 23.6, 17.0, 17.9}, {}},
      b{{27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2}, {}};
  const ScoreScale loss{false, std::nullopt, false};
  const Answer answer = answer_questions({a, b}, {{0, 1, false}}, 0, loss).front();
  REQUIRE(answer.p);
  CHECK(*answer.p == Approx(0.23303912114085726).epsilon(1e-9));
  // No range: the interval is as wide as it is.
  REQUIRE(answer.low);
  CHECK(*answer.high - *answer.low > 5);
  CHECK_FALSE(answer.too_few);
  CHECK(answer.smallest_seen);
  const ScoredRuns low{{1e-12, 1.1e-12, 0.9e-12}, {}}, high{{5e-12, 5.1e-12, 4.9e-12}, {}};
  const auto verdict = [&](bool higher_is_better) {
    return answer_questions({low, high}, {{0, 1, false}}, 0, {false, std::nullopt, higher_is_better})
        .front()
        .verdict;
  };
  CHECK(verdict(false) == Verdict::kBetter);
  CHECK(verdict(true) == Verdict::kWorse);
  const ScoredRuns same{{0.5, 0.5}, {}};
  CHECK_FALSE(answer_questions({same, same}, {{0, 1, false}}, 0, loss).front().p);
  CHECK(answer_questions({{{0.5}, {}}, same}, {{0, 1, false}}, 0, loss).front().verdict == Verdict::kOneRun);
}

TEST_CASE("the interval of a row is Student's over its seeds, and wider by what the images bring") {
  const std::vector<double> scores{0.30, 0.34, 0.32};
  const auto alone = score_intervals({runs_of(scores)}, kGroups).front();
  REQUIRE(alone);
  // 0.32 +- 4.302653 * 0.02 / sqrt(3).
  CHECK(alone->low == Approx(0.32 - 0.0496828).epsilon(1e-5));
  CHECK(alone->high == Approx(0.32 + 0.0496828).epsilon(1e-5));
  // Without luck of the seeds all is that of the images, over 49 degrees of freedom.
  const auto images = score_intervals({runs_of({0.32, 0.32, 0.32}, 0.03)}, kGroups).front();
  REQUIRE(images);
  CHECK(images->high - images->low == Approx(2 * 2.0096 * 0.03).epsilon(0.1));
  const auto both = score_intervals({runs_of(scores, 0.03)}, kGroups).front();
  REQUIRE(both);
  CHECK(both->high - both->low > images->high - images->low);
  // It ends where scores do; one run, and seeds that lie as far apart as scores can, say nothing.
  CHECK(score_intervals({runs_of({0.01, 0.02, 0.03})}, kGroups).front()->low == 0);
  CHECK_FALSE(score_intervals({runs_of({0.3})}, kGroups).front());
  CHECK_FALSE(score_intervals({runs_of({0.1, 0.9})}, kGroups).front());
  // On resamples, one group of images says nothing.
  CHECK_FALSE(score_intervals({runs_of(scores)}, 1).front());
  CHECK(score_intervals({{scores, {}}}, 0, {false, std::nullopt, false}).front());
}

TEST_CASE("noise that the images bring to both rows alike cancels") {
  const Answer paired = answer_of(runs_of({0.30, 0.31, 0.32}, 0.05, 1), runs_of({0.20, 0.21, 0.22}, 0.05, 1));
  CHECK(*paired.standard_error == Approx(std::sqrt(2 * 1e-4 / 3)).epsilon(1e-9));
  CHECK(paired.verdict == Verdict::kBetter);
  const Answer apart = answer_of(runs_of({0.30, 0.31, 0.32}, 0.05, 1), runs_of({0.20, 0.21, 0.22}, 0.05, 2));
  CHECK(*apart.standard_error == Approx(std::sqrt(2 * 1e-4 / 3 + 2 * 0.05 * 0.05)).epsilon(0.08));
  CHECK(apart.verdict == Verdict::kNotDistinguishable);
  CHECK(*apart.smallest_seen > 0.1);
}

TEST_CASE("the interval, the p-value and the smallest difference belong together") {
  const Answer answer = answer_of(runs_of({0.30, 0.34}), runs_of({0.20, 0.22}));
  const double certain = student_quantile(0.975, *answer.degrees);
  CHECK(*answer.high - *answer.low == Approx(2 * certain * *answer.standard_error));
  CHECK((*answer.low > 0) == (*answer.p < 0.05));
  CHECK(*answer.smallest_seen ==
        Approx((certain + student_quantile(0.8, *answer.degrees)) * *answer.standard_error));
}

TEST_CASE("an interval that would be wider than the range of scores is none, and what is too few is said") {
  // Two seeds each: Student's t has one to two degrees of freedom.
  const Answer wide = answer_of(runs_of({0.10, 0.40}), runs_of({0.05, 0.30}));
  REQUIRE(wide.p);
  CHECK(wide.verdict == Verdict::kNotDistinguishable);
  CHECK_FALSE(wide.low);
  CHECK_FALSE(wide.high);
  CHECK_FALSE(wide.smallest_seen);
  REQUIRE(wide.too_few);
  CHECK(to_string(*wide.too_few) == std::string("too few seeds"));
  // As many seeds as it takes.
  const Answer narrow = answer_of(runs_of({0.10, 0.40, 0.25, 0.3}), runs_of({0.05, 0.30, 0.2, 0.1}));
  CHECK(narrow.low);
  CHECK_FALSE(narrow.too_few);
  // Seeds that agree, on two groups of images that do not.
  const Answer images = answer_questions({runs_of({0.300, 0.301}, 0.2, 1), runs_of({0.200, 0.201}, 0.2, 2)},
                                         {{0, 1, false}}, 2)[0];
  CHECK_FALSE(images.low);
  CHECK(images.too_few == TooFew::kImages);
  CHECK(to_string(*images.too_few) == std::string("too few test images"));
}

TEST_CASE("no interval reaches beyond what differences there can be") {
  const Answer above = answer_of(runs_of({0.88, 0.94, 1.0}), runs_of({0, 0.1, 0.2}));
  REQUIRE(above.low);
  CHECK(*above.low > 0);
  CHECK(*above.high == 1);
  CHECK(*answer_of(runs_of({0, 0.1, 0.2}), runs_of({0.88, 0.94, 1.0})).low == -1);
  // A question that gets a verdict keeps an interval.
  for (int i = 0; i < 200; ++i) {
    Rng rng(5, static_cast<std::uint64_t>(i));
    const Answer answer =
        answer_of(runs_of({rng.uniform(), rng.uniform()}), runs_of({rng.uniform(), rng.uniform()}));
    CHECK((answer.low || answer.verdict == Verdict::kNotDistinguishable));
    CHECK(answer.low.has_value() != answer.too_few.has_value());
    if (answer.low) CHECK(*answer.high - *answer.low <= 1);
  }
}

TEST_CASE("two runs against two have to lie far apart") {
  CHECK(answer_of(runs_of({0.30, 0.34}), runs_of({0.20, 0.24})).verdict == Verdict::kNotDistinguishable);
  CHECK(answer_of(runs_of({0.300, 0.302}), runs_of({0.200, 0.202})).verdict == Verdict::kBetter);
  CHECK(answer_of(runs_of({0.200, 0.202}), runs_of({0.300, 0.302})).verdict == Verdict::kWorse);
}

TEST_CASE("of n seeds the chosen one counts, and what another draw of seeds would have chosen") {
  ScoredRuns best = runs_of({0.1, 0.5, 0.3});
  best.ranked = {1, 2, 0};
  CHECK(*row_score(best) == 0.5);
  // Draws of three with replacement: the best is among them 19 times of 27, the second the best 7 times, the
  // last once.
  const double mean = (19 * 0.5 + 7 * 0.3 + 1 * 0.1) / 27, square = (19 * 0.25 + 7 * 0.09 + 1 * 0.01) / 27;
  const Answer answer = answer_of(runs_of({0.9, 0.9, 0.9}), best);
  CHECK(*answer.difference == Approx(0.4));
  CHECK(*answer.standard_error == Approx(std::sqrt(square - mean * mean)));
}

TEST_CASE("what cannot be judged is said to be so") {
  CHECK(answer_of(runs_of({0.9}), runs_of({0.1, 0.1})).verdict == Verdict::kOneRun);
  CHECK_FALSE(answer_of(runs_of({0.9}), runs_of({0.1, 0.1})).p);
  CHECK(answer_of(runs_of({}), runs_of({0.1, 0.1})).verdict == Verdict::kNoRun);
  const Answer confounded = answer_of(runs_of({0.900, 0.901}), runs_of({0.100, 0.101}), true);
  CHECK(confounded.verdict == Verdict::kConfounded);
  CHECK(confounded.low);
  CHECK_FALSE(confounded.adjusted_p);
  // No spread at all: a trainer that ignores its seed, images that all score alike.
  CHECK(answer_of(runs_of({0.9, 0.9}), runs_of({0.1, 0.1})).verdict == Verdict::kNotDistinguishable);
  const Answer one_group =
      answer_questions({runs_of({0.9, 0.8}), runs_of({0.1, 0.2})}, {{0, 1, false}}, 1)[0];
  CHECK(one_group.verdict == Verdict::kNotDistinguishable);
  CHECK_FALSE(one_group.p);
}

TEST_CASE("resamples that hold no object count for nothing") {
  ScoredRuns a = runs_of({0.30, 0.32}, 0.05, 1), b = runs_of({0.27, 0.29}, 0.05, 2);
  const Answer expected = answer_of(a, b);
  REQUIRE(expected.standard_error);
  for (ScoredRuns* rows : {&a, &b})
    for (std::vector<double>& run : rows->resampled) run.insert(run.begin() + 7, 300, -1.0);
  CHECK(*answer_of(a, b).standard_error == *expected.standard_error);
  for (std::vector<double>& run : b.resampled) run.assign(run.size(), -1.0);
  CHECK_FALSE(answer_of(a, b).p);
}

TEST_CASE("more questions need more to answer one of them") {
  const ScoredRuns a = runs_of({0.30, 0.31, 0.32}), b = runs_of({0.27, 0.28, 0.29});
  CHECK(answer_of(a, b).verdict == Verdict::kBetter);
  const std::vector<Question> many(10, {0, 1, false});
  const std::vector<Answer> answers = answer_questions({a, b}, many, kGroups);
  CHECK(answers.front().verdict == Verdict::kNotDistinguishable);
  CHECK(*answers.front().adjusted_p > *answers.front().p);
  CHECK(*answers.front().smallest_seen > *answer_of(a, b).smallest_seen);
}

TEST_CASE("an interval never contradicts the verdict beside it") {
  // The second question passes at Holm's second step, with twice the level that its interval has.
  const std::vector<ScoredRuns> rows{runs_of({0.30, 0.31, 0.32}), runs_of({0.2716, 0.2816, 0.2916}),
                                     runs_of({0.10, 0.11, 0.12})};
  const std::vector<Answer> answers = answer_questions(rows, {{0, 2, false}, {0, 1, false}}, kGroups);
  CHECK(answers[0].verdict == Verdict::kBetter);
  CHECK(*answers[0].low > 0);
  REQUIRE(answers[1].verdict == Verdict::kBetter);
  CHECK(*answers[1].p > 0.025);
  CHECK(*answers[1].low == 0);
  CHECK(*answer_questions(rows, {{2, 0, false}, {1, 0, false}}, kGroups)[1].high == 0);
}

TEST_CASE("where nothing differs, a verdict is wrong in one of twenty comparisons at most") {
  int wrong = 0;
  constexpr int kStudies = 600;
  for (int study = 0; study < kStudies; ++study) {
    Rng rng(11, static_cast<std::uint64_t>(study));
    std::vector<double> a, b;
    for (int i = 0; i < 3; ++i)
      a.push_back(0.3 + 0.02 * rng.normal()), b.push_back(0.3 + 0.02 * rng.normal());
    const Verdict verdict = answer_of(runs_of(a), runs_of(b)).verdict;
    wrong += verdict == Verdict::kBetter || verdict == Verdict::kWorse;
  }
  // Three standard deviations above 5 %.
  CHECK(wrong <= 46);
}

}  // namespace
}  // namespace tune::compare
