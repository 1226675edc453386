#include "trainer/tasks/image_classification/advice/rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::size_t kSmallSet = 1000, kLargeSet = 10000;  // images, as the courses' table draws its lines
// Standard errors to either side within which nothing is told apart.
constexpr double kSure = 2;
// Of answers right: a head alone leaves training nothing to gain.
constexpr double kSaturated = 0.98;
// Of few images nothing can be said: only where a tenth of the answers would have shown.
constexpr double kShown = 0.1;
constexpr double kImbalance = 5;      // times as many images of the largest class as of the smallest
constexpr double kManyDoubts = 0.02;  // of the images

std::string in_digits(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.3f", share);
  return text;
}

std::string with_error(const Estimate& estimate) {
  return in_digits(estimate.value) + " (standard error " + in_digits(estimate.standard_error) + ")";
}

double error_of_difference(const Nearness& nearness) {
  return std::hypot(nearness.pretrained.standard_error, nearness.random.standard_error);
}

// The rules for the strategy. The first row that applies is the advice.
struct StrategyRule {
  const char* says;
  bool (*applies)(const Facts&);
  Strategy strategy;
};
bool is_measured(const Facts& facts) { return facts.has_weights && facts.nearness.has_value(); }
bool is_far(const Facts& facts) { return is_measured(facts) && is_different(*facts.nearness); }
bool is_saturated(const Facts& facts) {
  const double error = kSure * facts.nearness->pretrained.standard_error;
  return error <= kShown && facts.nearness->pretrained.value + error >= kSaturated;
}
bool is_no_better(const Facts& facts) {
  return is_measured(facts) && !is_better_than_random(*facts.nearness) &&
         kSure * error_of_difference(*facts.nearness) <= kShown;
}

constexpr std::array kStrategyRules{
    StrategyRule{"without weights everything is learned from the images",
                 [](const Facts& facts) { return !facts.has_weights; }, Strategy::kScratch},
    StrategyRule{"nearness was not measured, under 1,000 images: a head on frozen features",
                 [](const Facts& facts) { return !is_measured(facts) && facts.images < kSmallSet; },
                 Strategy::kFeatures},
    StrategyRule{"nearness was not measured, 1,000 images and more: everything at a low rate",
                 [](const Facts& facts) { return !is_measured(facts); }, Strategy::kFull},
    StrategyRule{
        "a head on frozen features cannot be told from one that is right 98 times of 100: nothing else needs "
        "training",
        is_saturated, Strategy::kFeatures},
    StrategyRule{
        "the weights are no better than random ones by two standard errors, over 10,000 images: from "
        "scratch",
        [](const Facts& facts) { return is_no_better(facts) && facts.images > kLargeSet; },
        Strategy::kScratch},
    StrategyRule{"the weights are no better than random ones by two standard errors, too few images to start "
                 "from scratch: everything, at a low rate",
                 is_no_better, Strategy::kFull},
    StrategyRule{"under 1,000 images, surely different from those of the weights: the last stages, carefully",
                 [](const Facts& facts) { return is_far(facts) && facts.images < kSmallSet; },
                 Strategy::kPartial},
    StrategyRule{
        "under 1,000 images, not surely different from those of the weights: a head on frozen features",
        [](const Facts& facts) { return facts.images < kSmallSet; }, Strategy::kFeatures},
    StrategyRule{
        "1,000 to 10,000 images, surely different from those of the weights: everything, at a low rate",
        [](const Facts& facts) { return is_far(facts) && facts.images <= kLargeSet; }, Strategy::kFull},
    StrategyRule{"1,000 to 10,000 images, not surely different from those of the weights: the later stages",
                 [](const Facts& facts) { return facts.images <= kLargeSet; }, Strategy::kPartial},
    StrategyRule{
        "over 10,000 images, and the weights are better than random ones: everything, from the weights",
        [](const Facts&) { return true; }, Strategy::kFull}};

std::string reason_of(const Facts& facts) {
  if (!facts.has_weights) return std::to_string(facts.images) + " images";
  if (!facts.nearness) return std::to_string(facts.images) + " images; no linear probe was taken";
  const Nearness& nearness = *facts.nearness;
  return std::to_string(facts.images) + " images; a linear probe is right on a share of " +
         with_error(nearness.pretrained) + " with these weights, on " + with_error(nearness.random) +
         " with random ones; the largest class alone gives " + in_digits(nearness.chance);
}

OrderedJson real_range(double min, double max, const char* scale) {
  OrderedJson range{{"type", "float"}, {"min", min}, {"max", max}};
  if (std::string(scale) != "linear") range["scale"] = scale;
  return range;
}
OrderedJson whole_range(std::int64_t min, std::int64_t max) {
  return {{"type", "int"}, {"min", min}, {"max", max}};
}
OrderedJson values_of(OrderedJson values) { return {{"type", "categorical"}, {"values", std::move(values)}}; }

// Learning rates that the courses give, and what is searched around them.
struct RateRule {
  Strategy strategy;
  double min, max;
  const char* says;
};
constexpr std::array kRates{
    RateRule{Strategy::kFeatures, 3e-4, 3e-2,
             "a new head on frozen features learns at 0.001 to 0.01; a third and "
             "three times that are searched too"},
    RateRule{Strategy::kPartial, 1e-5, 1e-3,
             "fine-tuning learns at 1e-5 to 1e-4; the head and few stages bear "
             "more"},
    RateRule{Strategy::kFull, 1e-5, 3e-4,
             "fine-tuning learns at 1e-5 to 1e-4, 10 to 100 times below a new head; "
             "three times that is searched too"},
    RateRule{Strategy::kScratch, 3e-4, 1e-2, "random weights bear the rates of a new head"}};

// How long a training of each kind is, and what it costs.
struct LengthRule {
  Strategy strategy;
  double steps;  // of the optimizer, that are aimed at
  std::int64_t least_epochs, most_epochs;
  double passes;  // of the network forwards that an image costs in an epoch
  const char* says;
};
constexpr std::array kLengths{
    LengthRule{Strategy::kFeatures, 1000, 20, 50, 0,
               "each image passes the network once a study; the head costs "
               "next to nothing"},
    LengthRule{Strategy::kPartial, 1000, 5, 40, 1.5,
               "about 1,000 steps; an image costs about half as much again "
               "as a pass forwards"},
    LengthRule{Strategy::kFull, 1500, 5, 50, 3, "about 1,500 steps; an image costs three passes forwards"},
    LengthRule{Strategy::kScratch, 6000, 20, 200, 3,
               "about 6,000 steps; an image costs three passes forwards"}};

template <typename Rows>
const auto& row_of(const Rows& rows, Strategy strategy) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row.strategy == strategy; });
  TUNE_CHECK(found != rows.end());
  return *found;
}

void add_augmentation(const Facts& facts, Advice& advice) {
  const bool is_small = facts.images < kSmallSet;
  const std::string why = is_small ? "under 1,000 images want strong augmentation" : "some augmentation";
  advice.searched.push_back({"min_crop_area", real_range(is_small ? 0.15 : 0.3, 1, "linear"), why});
  advice.searched.push_back({"color_jitter", real_range(0, is_small ? 0.5 : 0.3, "linear"), why});
  if (advice.strategy.strategy == Strategy::kScratch)
    advice.searched.push_back({"randaugment", whole_range(0, is_small ? 3 : 2), why});
}

void add_searched(const Facts& facts, Advice& advice) {
  const Strategy strategy = advice.strategy.strategy;
  const RateRule& rate = row_of(kRates, strategy);
  advice.searched.push_back({"learning_rate", real_range(rate.min, rate.max, "log"), rate.says});
  advice.searched.push_back({"weight_decay", real_range(1e-4, 0.3, "log"),
                             "how much it helps depends on the data; the default 0.05 lies within"});
  if (strategy == Strategy::kFeatures) {
    if (facts.images < kSmallSet)
      advice.searched.push_back({"feature_views", values_of({1, 4}),
                                 "under 1,000 images want augmentation: four cached views of each image"});
  } else {
    add_augmentation(facts, advice);
  }
  const auto most_stages = static_cast<std::int64_t>(std::min<std::size_t>(3, facts.stages));
  if (strategy == Strategy::kPartial && most_stages > 1)
    advice.searched.push_back({"train_stages", whole_range(1, most_stages),
                               "how many of the last stages are to change cannot be known before"});
  if (strategy == Strategy::kPartial || strategy == Strategy::kFull)
    advice.searched.push_back({"head_rate_factor", real_range(1, 30, "log"),
                               "the new head learns faster than what the weights gave"});
  if (facts.strong_doubts > kManyDoubts)
    advice.searched.push_back({"label_smoothing", real_range(0, 0.2, "linear"),
                               "the neighbours of " + in_digits(100 * facts.strong_doubts) +
                                   " % of the images speak for another class"});
  if (facts.smallest_class > 0 &&
      static_cast<double>(facts.largest_class) >= kImbalance * static_cast<double>(facts.smallest_class))
    advice.searched.push_back({"class_weights", values_of({"none", "balanced"}),
                               "the largest class has five times the images of the smallest, or more"});
}

void add_fixed(Advice& advice) {
  const Strategy strategy = advice.strategy.strategy;
  if (strategy == Strategy::kFeatures) advice.fixed.push_back({"freeze", "features", advice.strategy.rule});
  if (strategy == Strategy::kPartial) advice.fixed.push_back({"freeze", "partial", advice.strategy.rule});
  advice.fixed.push_back({"epochs", advice.budget.epochs, advice.budget.reason});
  advice.fixed.push_back({"batch_size", advice.budget.batch_size, "32, or less where there are few images"});
}

// The largest power of two up to 32 that leaves an epoch at least ten batches; 4 at least.
std::int64_t batch_size_for(std::size_t images) {
  std::int64_t size = 32;
  while (size > 4 && static_cast<std::size_t>(10 * size) > images) size /= 2;
  return size;
}

// Trials: six a searched hyperparameter, at least eight; fewer where they take more than two hours, but four.
void add_budget(const Facts& facts, Advice& advice) {
  constexpr double kMostMinutes = 120, kTrained = 0.8, kHeadMinutes = 0.1;
  constexpr std::int64_t kPerParameter = 6, kUsual = 8, kFewest = 4;
  const LengthRule& length = row_of(kLengths, advice.strategy.strategy);
  Budget& budget = advice.budget;
  budget.batch_size = batch_size_for(facts.images);
  const double trained = kTrained * static_cast<double>(facts.images);
  budget.epochs = std::clamp(
      static_cast<std::int64_t>(std::lround(length.steps * static_cast<double>(budget.batch_size) / trained)),
      length.least_epochs, length.most_epochs);
  budget.reason = length.says;
  budget.trials = std::max(kUsual, kPerParameter * static_cast<std::int64_t>(advice.searched.size()));
  if (facts.images_per_second <= 0) return;
  const auto images = static_cast<double>(facts.images);
  const double passes = static_cast<double>(budget.epochs) * (length.passes * trained + (images - trained)) /
                        facts.images_per_second;
  const bool is_cached = length.passes == 0;
  const double per_trial = is_cached ? kHeadMinutes : passes / 60,
               once = is_cached ? images / facts.images_per_second / 60 : 0;
  const auto affordable = static_cast<std::int64_t>(std::floor((kMostMinutes - once) / per_trial));
  if (affordable < budget.trials) {
    budget.trials = std::max(kFewest, affordable);
    budget.reason += "; trials are held to two hours, and to four at least";
  }
  budget.minutes = once + static_cast<double>(budget.trials) * per_trial;
}

void add_objective(const Facts& facts, Advice& advice) {
  if (facts.multi_label) {
    advice.objective = "validation:mAP";
    advice.objective_reason = "images show several classes";
  } else if (static_cast<double>(facts.largest_class) >=
             kImbalance * static_cast<double>(facts.smallest_class)) {
    advice.objective = "validation:macro_f1";
    advice.objective_reason = "classes are of very different sizes, and accuracy counts the large ones alone";
  } else {
    advice.objective = "validation:accuracy";
    advice.objective_reason = "classes are of similar sizes";
  }
}

}  // namespace

const char* strategy_name(Strategy strategy) {
  switch (strategy) {
    case Strategy::kFeatures:
      return "features";
    case Strategy::kPartial:
      return "partial";
    case Strategy::kFull:
      return "full";
    case Strategy::kScratch:
      return "scratch";
  }
  broken_invariant("a strategy has a name", __FILE__, __LINE__, "");
}

Strategy strategy_of_table(std::size_t images, bool similar) {
  if (images < kSmallSet) return similar ? Strategy::kFeatures : Strategy::kPartial;
  if (images <= kLargeSet) return similar ? Strategy::kPartial : Strategy::kFull;
  return similar ? Strategy::kFull : Strategy::kScratch;
}

bool is_different(const Nearness& nearness) {
  constexpr double kDoneAway = 0.5;
  const double too_many = (1 - nearness.pretrained.value) - (1 - kDoneAway) * (1 - nearness.random.value);
  return too_many > kSure * std::hypot(nearness.pretrained.standard_error,
                                       (1 - kDoneAway) * nearness.random.standard_error);
}

bool is_better_than_random(const Nearness& nearness) {
  return nearness.pretrained.value - nearness.random.value > kSure * error_of_difference(nearness);
}

StrategyAdvice advised_strategy(const Facts& facts) {
  const auto rule = std::find_if(kStrategyRules.begin(), kStrategyRules.end(),
                                 [&](const StrategyRule& row) { return row.applies(facts); });
  TUNE_CHECK(rule != kStrategyRules.end());
  StrategyAdvice advice{rule->strategy, rule->says, reason_of(facts)};
  if (is_measured(facts)) advice.of_table = strategy_of_table(facts.images, !is_different(*facts.nearness));
  return advice;
}

ModelAdvice advised_model(std::size_t images, bool accelerated) {
  if (!accelerated) return {"mobilenet_v3_small", "without a GPU: the network with the least arithmetic"};
  if (images > kLargeSet) return {"resnet50", "a GPU and over 10,000 images: ResNet-50"};
  return {"resnet18", "a GPU and up to 10,000 images: ResNet-18"};
}

Advice advise(const Facts& facts) {
  Advice advice;
  advice.strategy = advised_strategy(facts);
  add_searched(facts, advice);
  add_budget(facts, advice);
  add_fixed(advice);
  add_objective(facts, advice);
  advice.splits_by_content = facts.shares_surfaces;
  if (advice.strategy.disagrees())
    advice.remarks.push_back(std::string("the courses' table says ") +
                             strategy_name(*advice.strategy.of_table) +
                             " for so many images; what was measured says otherwise");
  if (facts.leaks > 0)
    advice.remarks.emplace_back(
        "parts of the set show the same surfaces, so that what is measured on them flatters: `tune-train "
        "audit` "
        "lists them");
  if (facts.images <= kLargeSet && is_no_better(facts))
    advice.remarks.emplace_back("these weights help nothing here, and the images are few: try others");
  if (facts.images <= kLargeSet && (!facts.has_weights || is_no_better(facts)) && !facts.starter.empty())
    advice.remarks.push_back("a backbone learned from drawn images: `tune-train pretrain --model " +
                             facts.starter +
                             " --output FILE` makes it, under the name of a detector that shares this "
                             "network's body, and --weights FILE takes it");
  if (facts.strong_doubts > kManyDoubts)
    advice.remarks.emplace_back(
        "look at the labels that neighbours contradict before any training: a cleaner set "
        "may be worth more than a search");
  return advice;
}

}  // namespace tune::trainer::image_classification
