#pragma once
// One scoring of a comparison: every frozen model over the same test, and one result for all of them.
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "store/comparison_store.h"
#include "tuner/compare/comparison_ledger.h"
#include "tuner/compare/test_images.h"
#include "tuner/compare/test_program.h"

namespace tune::compare {

// What is made of a model is recorded before the next one's turn, so a scoring that was interrupted goes on
// where it was. Used by one comparison's run, on its thread; begins and ends no scoring in the record. Throws
// Error(kConflict) where a model's files are not as they were frozen, and what TestImages and TestProgram
// throw.
class ComparisonScoring {
 public:
  // The scoring `number` of the record; what it writes lies in `folder`.
  ComparisonScoring(store::ComparisonStore& record, int number, std::filesystem::path store_folder,
                    std::filesystem::path folder, std::function<void(const std::string&)> notice);

  // Each model's file of what it makes of the test images.
  std::vector<std::filesystem::path> predict(const TestImages& images) const;
  // As TestImages::score().
  Json score(const TestImages& images, const std::vector<std::filesystem::path>& detections,
             const std::filesystem::path& groups) const;
  // {"metric", "goal", "results": [{"score"}, ...]}, the models by number: what the program prints for each,
  // or, where the test has none, what its training printed.
  Json test(const OwnTest& own_test, const TestProgram& program, const ComparisonLedger& ledger) const;

 private:
  std::map<int, store::Prediction> done() const;  // by the model's number
  void begin_model(const store::FrozenModel& model) const;

  store::ComparisonStore& record_;
  const int number_;
  const std::filesystem::path store_folder_, folder_;
  const std::function<void(const std::string&)> notice_;
  const std::vector<store::FrozenModel> models_;
};

// The last value of the test's metric that the model's training printed. Throws Error(kEnvironment) where
// there is none that is finite.
double require_printed_score(const ComparisonLedger& ledger, const store::FrozenModel& model,
                             const std::string& metric);

}  // namespace tune::compare
