#pragma once
// From what was measured of a data set to what to train and to search: the rules of `tune-train advise`, each
// a row of a table with its reason. Pure: no image is opened here.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/image_classification/advice/linear_probe.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_classification {

// How right a linear probe is on features of the weights, on those of the same network with random weights,
// and who always names the largest class.
struct Nearness {
  Estimate pretrained, random;
  double chance = 0;
};

struct Facts {
  std::size_t images = 0;  // to train on and to validate
  std::size_t classes = 0, smallest_class = 0, largest_class = 0;
  bool multi_label = false;
  bool has_weights = false;
  std::optional<Nearness> nearness = std::nullopt;
  double strong_doubts = 0;  // the share of the images whose neighbours are of one other class
  bool shares_surfaces = false;
  std::size_t leaks = 0;   // findings of the same surface in different parts
  std::size_t stages = 0;  // of the network's body
  bool accelerated = false;
  double images_per_second = 0;  // through the network, forwards
  std::string starter = {};      // what `tune-train pretrain` calls a network on the same backbone; "": none
};

enum class Strategy {
  kFeatures,  // a new head on frozen features
  kPartial,   // the last stages and the head
  kFull,      // everything, at low rates
  kScratch,   // everything, from random weights
};
const char* strategy_name(Strategy strategy);

// What the courses' table says of so many images that are similar to those of the weights, or not.
Strategy strategy_of_table(std::size_t images, bool similar);
// Whether the weights surely (by more than two standard errors) do away with less than half of the mistakes
// that random weights make. All else counts as similar, so that few images do not decide by chance.
bool is_different(const Nearness& nearness);
// Whether they are better by more than two standard errors.
bool is_better_than_random(const Nearness& nearness);

struct StrategyAdvice {
  Strategy strategy = Strategy::kScratch;
  std::string rule;                                 // the row that applies
  std::string reason;                               // with the numbers
  std::optional<Strategy> of_table = std::nullopt;  // where nearness was measured
  bool disagrees() const { return of_table && *of_table != strategy; }
};
StrategyAdvice advised_strategy(const Facts& facts);

struct ModelAdvice {
  std::string name, rule;
};
// Where nobody names a model and no weights say which it is.
ModelAdvice advised_model(std::size_t images, bool accelerated);

// A hyperparameter, searched (a range as the spec has it) or fixed (a value).
struct Setting {
  std::string name;
  OrderedJson value;
  std::string reason;
};

struct Budget {
  std::int64_t trials = 0, epochs = 0, batch_size = 0;
  double minutes = 0;  // of all trials, one after the other; 0 where no speed was measured
  std::string reason;
};

struct Advice {
  StrategyAdvice strategy;
  std::vector<Setting> searched, fixed;
  Budget budget;
  std::string objective;  // a metric
  std::string objective_reason;
  bool splits_by_content = false;  // images that share surfaces stay on one side
  std::vector<std::string> remarks;
};
Advice advise(const Facts& facts);

}  // namespace tune::trainer::image_classification
