#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "support/catch.h"
#include "trainer/metrics/bootstrap.h"
#include "trainer/metrics/calibration.h"
#include "trainer/metrics/classification_bootstrap.h"
#include "trainer/metrics/classification_quality.h"
#include "trainer/metrics/ranking.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer::metrics;
using tune::Json;

namespace {

struct Case {
  std::vector<Labels> truth;
  ClassScores scores;
  bool multi_label = false;
};

// The rows are described in tests/golden/image_classification/make_metric_cases.py.
Case read_case(const Json& json) {
  std::vector<double> values;
  for (const Json& row : json["scores"])
    for (const Json& score : row) values.push_back(score);
  Case result{{}, ClassScores(json["scores"][0].size(), values), json.contains("labels")};
  for (const Json& label : json.value("truth", Json::array())) result.truth.push_back({label.get<int>()});
  for (const Json& labels : json.value("labels", Json::array())) result.truth.push_back(labels);
  return result;
}

ClassificationQuality quality_of(const Case& one) {
  return classification_quality(one.truth, labels_at(one.scores, one.multi_label), one.scores.classes(),
                                one.multi_label, &one.scores);
}

// Every case of one kind, with its numbers and what this code makes of it.
void for_each_case(
    bool multi_label,
    const std::function<void(const Case&, const Json& numbers, const ClassificationQuality&)>& check) {
  std::size_t seen = 0;
  for (const Json& json :
       Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/image_classification/metric_cases.json"))) {
    const Case one = read_case(json);
    if (one.multi_label != multi_label) continue;
    INFO(json["name"].get<std::string>());
    check(one, json["numbers"], quality_of(one));
    ++seen;
  }
  CHECK(seen == (multi_label ? 10 : 20));
}

Approx is_near(double number) { return Approx(number).epsilon(0).margin(1e-9); }

void check_rates(const Rates& rates, const Json& expected) {
  CHECK(rates.precision == is_near(expected[0]));
  CHECK(rates.recall == is_near(expected[1]));
  CHECK(rates.f1 == is_near(expected[2]));
}

// scikit-learn's four columns: precision, recall, F1, support.
void check_classes(const ClassificationQuality& quality, const Json& columns) {
  REQUIRE(quality.classes.size() == columns[0].size());
  for (std::size_t c = 0; c < quality.classes.size(); ++c) {
    check_rates(rates_of(quality.classes[c]), {columns[0][c], columns[1][c], columns[2][c]});
    CHECK(static_cast<double>(quality.classes[c].support) == columns[3][c].get<double>());
  }
}

std::vector<int> only(const std::vector<Labels>& sets) {
  std::vector<int> labels;
  for (const Labels& set : sets) labels.push_back(set.front());
  return labels;
}

}  // namespace

TEST_CASE("rates, averages and confusion of classes equal those of scikit-learn") {
  for_each_case(false, [](const Case&, const Json& numbers, const ClassificationQuality& quality) {
    CHECK(quality.accuracy == is_near(numbers["accuracy"]));
    CHECK(quality.balanced_accuracy.value() == is_near(numbers["balanced_accuracy"]));
    CHECK(quality.matthews.value() == is_near(numbers["matthews"]));
    check_rates(quality.macro, numbers["macro"]);
    check_rates(quality.weighted, numbers["weighted"]);
    check_classes(quality, numbers["classes"]);
    CHECK(Json(quality.confusion) == numbers["confusion"]);
  });
}

TEST_CASE("top-k accuracy equals that of scikit-learn for every k, ties included") {
  std::size_t ties = 0;
  for_each_case(false, [&](const Case& one, const Json& numbers, const ClassificationQuality& quality) {
    const Json top = numbers.value("top", Json::array());
    for (std::size_t k = 1; k <= top.size(); ++k)
      CHECK(top_k_accuracy(only(one.truth), one.scores, k) == is_near(top[k - 1]));
    CHECK(quality.top5.has_value() == (one.scores.classes() > 5));
    if (quality.top5) CHECK(*quality.top5 == is_near(top[4]));
    ties += !top.empty() && top[0] != numbers["accuracy"];  // where the first of equals is not scikit-learn's
  });
  CHECK(ties > 0);
}

TEST_CASE("the area under the ROC curve, log loss and calibration error equal those of the golden cases") {
  for_each_case(false, [](const Case& one, const Json& numbers, const ClassificationQuality& quality) {
    const Json auc = numbers.value("auc", Json());
    CHECK(quality.auc.has_value() == auc.is_number());
    if (quality.auc) CHECK(*quality.auc == is_near(auc));
    if (one.scores.classes() > 1) CHECK(quality.log_loss.value() == is_near(numbers["log_loss"]));
    CHECK(quality.calibration_error.value() == is_near(numbers["calibration_error"]));
  });
}

TEST_CASE("the numbers of multi-label sets equal those of scikit-learn") {
  for_each_case(true, [](const Case&, const Json& numbers, const ClassificationQuality& quality) {
    CHECK(quality.accuracy == is_near(numbers["accuracy"]));
    check_rates(quality.macro, numbers["macro"]);
    check_rates(quality.micro.value(), numbers["micro"]);
    check_rates(quality.weighted, numbers["weighted"]);
    CHECK(quality.sample_f1.value() == is_near(numbers["sample_f1"]));
    check_classes(quality, numbers["classes"]);
    const Json& each = numbers["class_average_precision"];
    REQUIRE(quality.class_average_precision.size() == each.size());
    for (std::size_t c = 0; c < each.size(); ++c)
      CHECK(quality.class_average_precision[c] == is_near(each[c]));
    CHECK(quality.average_precision.value() == is_near(numbers["average_precision"]));
    CHECK(quality.log_loss.value() == is_near(numbers["log_loss"]));
    CHECK_FALSE(quality.balanced_accuracy);
    CHECK(quality.confusion.empty());
  });
}

TEST_CASE("without probabilities only what needs none is computed") {
  const std::vector<Labels> truth{{0}, {1}, {1}}, said{{0}, {1}, {0}};
  const ClassificationQuality quality = classification_quality(truth, said, 2, false, nullptr);
  CHECK(quality.accuracy == is_near(2.0 / 3));
  CHECK_FALSE((quality.auc || quality.log_loss || quality.calibration_error || quality.top5));
  const ClassificationQuality sets = classification_quality(truth, said, 2, true, nullptr);
  CHECK(sets.micro.value().f1 == is_near(2.0 / 3));
  CHECK_FALSE((sets.average_precision || sets.log_loss));
}

TEST_CASE("no examples give zeros, and no number that is not one") {
  for (const bool multi_label : {false, true}) {
    const ClassScores none(3, {});
    const ClassificationQuality quality = classification_quality({}, {}, 3, multi_label, &none);
    CHECK(quality.accuracy == 0);
    CHECK(quality.macro.f1 == 0);
    CHECK(quality.log_loss.value() == 0);
  }
}

TEST_CASE("a score that is not finite is refused by the place that it has") {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) try {
      const ClassScores scores(2, {0.5, 0.5, 0.25, bad});
      FAIL("it was taken");
    } catch (const tune::Error& error) {
      CHECK(error.code() == tune::ExitCode::kNonFiniteLoss);
      CHECK(std::string(error.what()).starts_with("the score of class 2 for example 2 is "));
    }
}

TEST_CASE("a resample has the numbers of the set in which each example is as often as it was drawn") {
  constexpr std::uint32_t kExamples = 40;
  constexpr std::size_t kClasses = 4, kResamples = 20;
  for (const bool multi_label : {false, true}) {
    tune::Rng rng(multi_label ? 2 : 1);
    const auto random_labels = [&] {
      std::vector<Labels> sets(kExamples);
      for (Labels& set : sets)
        if (!multi_label)
          set = {static_cast<int>(rng.below(kClasses - 1))};
        else
          for (int c = 0; c < 3; ++c)
            if (rng.below(2) == 0) set.push_back(c);
      return sets;
    };
    const std::vector<Labels> truth = random_labels();
    const std::vector<std::vector<Labels>> predicted{random_labels(), random_labels()};
    std::vector<std::vector<std::uint32_t>> groups;
    for (std::uint32_t i = 0; i < kExamples; i += 2) groups.push_back({i, i + 1});
    std::size_t heard = 0;
    const ResampledQuality resampled =
        bootstrap_quality(truth, predicted, kClasses, multi_label, groups, kResamples, 7,
                          [&](std::size_t done) { heard = done; });
    CHECK(heard == kResamples);
    for (std::size_t n = 0; n < kResamples; ++n) {
      const std::vector<std::uint32_t> counts = draw_images(groups, kExamples, 7, n);
      for (std::size_t m = 0; m < predicted.size(); ++m) {
        std::vector<Labels> drawn, said;
        for (std::uint32_t i = 0; i < kExamples; ++i) {
          drawn.insert(drawn.end(), counts[i], truth[i]);
          said.insert(said.end(), counts[i], predicted[m][i]);
        }
        const ClassificationQuality quality =
            classification_quality(drawn, said, kClasses, multi_label, nullptr);
        CHECK(resampled.accuracy[m][n] == is_near(quality.accuracy));
        CHECK(resampled.macro_f1[m][n] == is_near(quality.macro.f1));
      }
    }
  }
}
