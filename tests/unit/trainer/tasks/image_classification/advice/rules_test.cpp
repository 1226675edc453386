#include "trainer/tasks/image_classification/advice/rules.h"

#include <algorithm>
#include <cmath>

#include "support/catch.h"
#include "trainer/loop/transfer.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/tasks/image_classification/recipes.h"
#include "tuner/core/rng.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::image_classification;
using tune::trainer::tests::contains;

namespace {

// A linear probe that is right so often with the weights and with random ones.
Facts measured(std::size_t images, double pretrained, double random, double error = 0.01) {
  Facts facts;
  facts.images = images;
  facts.classes = 4;
  facts.smallest_class = facts.largest_class = images / 4;
  facts.has_weights = true;
  facts.nearness = Nearness{{pretrained, error}, {random, error}, 0.25};
  facts.stages = 5;
  facts.images_per_second = 30;
  return facts;
}
Facts without_probe(std::size_t images, bool has_weights) {
  Facts facts = measured(images, 1, 0);
  facts.nearness.reset();
  facts.has_weights = has_weights;
  return facts;
}

const Setting* setting(const std::vector<Setting>& settings, const std::string& name) {
  const auto found =
      std::find_if(settings.begin(), settings.end(), [&](const Setting& each) { return each.name == name; });
  return found == settings.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("each row of the rules for a strategy applies where it says") {
  struct Row {
    Facts facts;
    Strategy strategy;
    const char* rule;
    bool disagrees;
  };
  const std::vector<Row> rows{
      {without_probe(500, false), Strategy::kScratch, "without weights", false},
      {without_probe(50000, false), Strategy::kScratch, "without weights", false},
      {without_probe(999, true), Strategy::kFeatures, "nearness was not measured, under 1,000", false},
      {without_probe(1000, true), Strategy::kFull, "nearness was not measured, 1,000 images and more", false},
      {measured(20000, 0.98, 0.5), Strategy::kFeatures, "98 times of 100", true},
      {measured(5000, 0.961, 0.9), Strategy::kFeatures, "98 times of 100", true},
      {measured(5000, 0.959, 0.9), Strategy::kPartial, "1,000 to 10,000 images, not surely", false},
      {measured(500, 0.99, 0.985), Strategy::kFeatures, "98 times of 100", false},
      {measured(5000, 0.95, 0.9, 0.05), Strategy::kFeatures, "98 times of 100", true},
      {measured(5000, 0.95, 0.9, 0.06), Strategy::kPartial, "1,000 to 10,000 images, not surely", false},
      {measured(20000, 0.60, 0.58), Strategy::kScratch,
       "no better than random ones by two standard errors, over", false},
      {measured(2000, 0.60, 0.58), Strategy::kFull, "too few images to start from scratch", false},
      {measured(500, 0.60, 0.58), Strategy::kFull, "too few images to start from scratch", true},
      {measured(500, 0.60, 0.58, 0.05), Strategy::kPartial, "under 1,000 images, surely different", false},
      {measured(999, 0.90, 0.60), Strategy::kFeatures, "under 1,000 images, not surely", false},
      {measured(999, 0.78, 0.60), Strategy::kFeatures, "under 1,000 images, not surely", false},
      {measured(999, 0.77, 0.60), Strategy::kPartial, "under 1,000 images, surely different", false},
      {measured(1000, 0.90, 0.60), Strategy::kPartial, "1,000 to 10,000 images, not surely", false},
      {measured(10000, 0.75, 0.60), Strategy::kFull, "1,000 to 10,000 images, surely different", false},
      {measured(10001, 0.90, 0.60), Strategy::kFull, "over 10,000 images", false},
      {measured(10001, 0.75, 0.60), Strategy::kFull, "over 10,000 images", true}};
  for (const Row& row : rows) {
    const StrategyAdvice advice = advised_strategy(row.facts);
    INFO(row.facts.images << " images, " << row.rule);
    CHECK(advice.strategy == row.strategy);
    CHECK(contains(advice.rule, row.rule));
    CHECK(advice.disagrees() == row.disagrees);
    CHECK(contains(advice.reason, std::to_string(row.facts.images) + " images"));
  }
}

TEST_CASE("the courses' table has a strategy for each size and domain") {
  CHECK(strategy_of_table(999, true) == Strategy::kFeatures);
  CHECK(strategy_of_table(999, false) == Strategy::kPartial);
  CHECK(strategy_of_table(1000, true) == Strategy::kPartial);
  CHECK(strategy_of_table(10000, false) == Strategy::kFull);
  CHECK(strategy_of_table(10001, true) == Strategy::kFull);
  CHECK(strategy_of_table(10001, false) == Strategy::kScratch);
}

TEST_CASE("different and better are what two standard errors say") {
  CHECK_FALSE(is_different({{0.80, 0.01}, {0.60, 0.01}, 0.25}));
  CHECK_FALSE(is_different({{0.78, 0.01}, {0.60, 0.01}, 0.25}));
  CHECK(is_different({{0.77, 0.01}, {0.60, 0.01}, 0.25}));
  CHECK_FALSE(is_different({{0.77, 0.02}, {0.60, 0.01}, 0.25}));
  CHECK(is_better_than_random({{0.70, 0.03}, {0.60, 0.03}, 0.25}));
  CHECK_FALSE(is_better_than_random({{0.68, 0.03}, {0.60, 0.03}, 0.25}));
}

TEST_CASE("another sample of the same images hardly ever changes the advice") {
  struct Truth {
    double pretrained, random;
    Strategy small, medium;
  };
  const std::vector<Truth> truths{{0.995, 0.90, Strategy::kFeatures, Strategy::kFeatures},
                                  {0.975, 0.93, Strategy::kFeatures, Strategy::kFeatures},
                                  {0.92, 0.70, Strategy::kFeatures, Strategy::kPartial},
                                  {0.85, 0.70, Strategy::kFeatures, Strategy::kPartial},
                                  {0.75, 0.65, Strategy::kPartial, Strategy::kFull}};
  constexpr int kDraws = 200;
  tune::Rng rng(3);
  const auto measure = [&](double truth, int images) {
    int rights = 0;
    for (int i = 0; i < images; ++i) rights += rng.uniform() < truth ? 1 : 0;
    const double share = static_cast<double>(rights) / images, error = share * (1 - share) / images;
    return Estimate{share, std::sqrt(std::max(error, 1.0 / images / images)),
                    static_cast<std::size_t>(images)};
  };
  for (const Truth& truth : truths)
    for (const bool is_small : {true, false}) {
      int same = 0;
      for (int draw = 0; draw < kDraws; ++draw) {
        Facts facts = measured(is_small ? 900 : 5000, 1, 0);
        const int sampled = 300 + 50 * (draw % 13);
        facts.nearness = Nearness{measure(truth.pretrained, sampled), measure(truth.random, sampled), 0.25};
        same += advised_strategy(facts).strategy == (is_small ? truth.small : truth.medium) ? 1 : 0;
      }
      INFO(truth.pretrained << " and " << truth.random << (is_small ? ", small" : ", medium"));
      CHECK(same >= 0.8 * kDraws);
    }
}

TEST_CASE("each row of the rules for a model applies where it says, and names a network that there is") {
  CHECK(advised_model(50, false).name == "mobilenet_v3_small");
  CHECK(advised_model(10000, true).name == "resnet18");
  CHECK(advised_model(10001, true).name == "resnet50");
  for (const std::size_t images : {50, 20000})
    for (const bool accelerated : {false, true})
      CHECK_NOTHROW(classifier_model(advised_model(images, accelerated).name));
}

TEST_CASE("what is searched is of the strategy, and within what the recipe takes") {
  const std::vector<Facts> all{measured(300, 0.9, 0.5), measured(300, 0.7, 0.5), measured(4000, 0.7, 0.5),
                               without_probe(300, false), without_probe(20000, false)};
  for (Facts facts : all) {
    facts.strong_doubts = 0.1;
    facts.smallest_class = 1;
    const Advice advice = advise(facts);
    INFO(strategy_name(advice.strategy.strategy));
    tune::Json lowest, highest;
    for (const Setting& each : advice.searched) {
      CHECK_FALSE(each.reason.empty());
      const bool is_list = each.value.contains("values");
      lowest[each.name] = is_list ? each.value["values"].front() : each.value["min"];
      highest[each.name] = is_list ? each.value["values"].back() : each.value["max"];
    }
    for (const Setting& each : advice.fixed) {
      CHECK_FALSE(each.reason.empty());
      lowest[each.name] = highest[each.name] = each.value;
    }
    for (const tune::Json& values : {lowest, highest}) {
      CHECK_NOTHROW(fine_tuning_plan(fine_tuning_values(values)));
      CHECK_NOTHROW(tune::trainer::loop::make_transfer(fine_tuning_values(values)));
    }
    CHECK(setting(advice.searched, "learning_rate") != nullptr);
    CHECK(setting(advice.searched, "label_smoothing") != nullptr);
    CHECK(setting(advice.searched, "class_weights") != nullptr);
  }
}

TEST_CASE("each strategy has its own ranges") {
  const Advice features = advise(measured(300, 0.9, 0.5)), partial = advise(measured(300, 0.7, 0.5)),
               full = advise(measured(4000, 0.7, 0.5)), scratch = advise(without_probe(300, false));
  const auto rate = [](const Advice& advice) { return setting(advice.searched, "learning_rate")->value; };
  CHECK(rate(features)["min"] == 3e-4);
  CHECK(rate(features)["max"] == 3e-2);
  CHECK(rate(partial)["max"] == 1e-3);
  CHECK(rate(full)["max"] == 3e-4);
  CHECK(rate(full)["scale"] == "log");
  CHECK(rate(scratch)["min"] == 3e-4);
  CHECK(setting(features.fixed, "freeze")->value == "features");
  CHECK(setting(partial.fixed, "freeze")->value == "partial");
  CHECK(setting(full.fixed, "freeze") == nullptr);
  CHECK(setting(features.searched, "feature_views") != nullptr);
  CHECK(setting(features.searched, "color_jitter") == nullptr);
  CHECK(setting(partial.searched, "train_stages")->value["max"] == 3);
  CHECK(setting(full.searched, "head_rate_factor") != nullptr);
  CHECK(setting(scratch.searched, "randaugment") != nullptr);
  CHECK(setting(full.searched, "label_smoothing") == nullptr);
  CHECK(setting(full.searched, "class_weights") == nullptr);
}

TEST_CASE(
    "the objective counts rare classes where classes differ fivefold, and labels where images have several") {
  Facts facts = measured(1000, 0.7, 0.5);
  CHECK(advise(facts).objective == "validation:accuracy");
  facts.smallest_class = 100;
  facts.largest_class = 499;
  CHECK(advise(facts).objective == "validation:accuracy");
  facts.largest_class = 500;
  CHECK(advise(facts).objective == "validation:macro_f1");
  facts.multi_label = true;
  CHECK(advise(facts).objective == "validation:mAP");
}

TEST_CASE("a budget is as long as the images want, and as many trials as two hours hold") {
  Facts facts = measured(4000, 0.7, 0.5);  // everything is trained
  const Budget slow = advise(facts).budget;
  CHECK(slow.batch_size == 32);
  CHECK(slow.epochs == 15);  // 1,500 steps of 32 images, of 3,200 to train on
  CHECK(slow.trials == 4);
  CHECK(slow.minutes == Approx(4.0 * 15 * (3 * 3200 + 800) / 30 / 60));
  CHECK(contains(slow.reason, "two hours"));
  facts.images_per_second = 3000;
  const Advice fast = advise(facts);
  CHECK(fast.budget.trials == 6 * static_cast<std::int64_t>(fast.searched.size()));
  CHECK(fast.budget.minutes < 120);
  const Budget cached = advise(measured(300, 0.9, 0.5)).budget;
  CHECK(cached.batch_size == 16);
  CHECK(cached.minutes == Approx(300.0 / 30 / 60 + 0.1 * static_cast<double>(cached.trials)));
  CHECK(advise(measured(20, 0.9, 0.5)).budget.batch_size == 4);
  facts.images_per_second = 0;
  CHECK(advise(facts).budget.minutes == 0);
}

TEST_CASE("what disagrees with the table and what casts doubt on labels is remarked") {
  CHECK(advise(measured(4000, 0.7, 0.5)).remarks.empty());
  const Advice saturated = advise(measured(4000, 0.99, 0.5));
  REQUIRE(saturated.remarks.size() == 1);
  CHECK(contains(saturated.remarks[0], "the courses' table says partial"));
  Facts doubtful = measured(4000, 0.7, 0.5);
  doubtful.strong_doubts = 0.05;
  doubtful.shares_surfaces = true;
  REQUIRE(advise(doubtful).remarks.size() == 1);
  CHECK(contains(advise(doubtful).remarks[0], "look at the labels"));
  CHECK(advise(doubtful).splits_by_content);
  Facts leaking = measured(4000, 0.7, 0.5);
  leaking.leaks = 1;
  REQUIRE(advise(leaking).remarks.size() == 1);
  CHECK(contains(advise(leaking).remarks[0], "parts of the set show the same surfaces"));
}

TEST_CASE("where weights help nothing and images are few, the advice speaks of those that formulas make") {
  for (Facts facts : {measured(500, 0.60, 0.58), without_probe(500, false)}) {
    for (const std::string& remark : advise(facts).remarks) CHECK_FALSE(contains(remark, "pretrain"));
    facts.starter = "ssd224-resnet18";
    CHECK(contains(advise(facts).remarks.back(), "tune-train pretrain --model ssd224-resnet18"));
  }
  for (Facts facts : {measured(500, 0.90, 0.58), measured(20000, 0.60, 0.58), without_probe(20000, false)}) {
    facts.starter = "ssd224-resnet18";
    for (const std::string& remark : advise(facts).remarks) CHECK_FALSE(contains(remark, "pretrain"));
  }
  CHECK_FALSE(contains(advise(without_probe(500, false)).strategy.reason, "weights"));  // the rule says it
}
