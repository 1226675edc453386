#pragma once
// The test program that a comparison's file brings along, which prints a number for each frozen model.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/compare/comparison.h"

namespace tune::compare {

// Runs the program of a comparison's own_test, on a device that is held as a trial holds it. Used by one
// comparison's run, on its thread; every call blocks, and a signal ends what runs and throws
// Error(kInterrupted).
class TestProgram {
 public:
  TestProgram(const Comparison& comparison, std::function<int()> signals,
              std::function<void(const std::string&)> notice);

  struct Tested {
    double seconds = 0;  // that it held a device
    double score = 0;    // finite
  };
  // Tests the model in `folder`, the output of one attempt of a trial, and writes into `log` what the program
  // printed. Throws Error(kEnvironment) where it fails or gives no number.
  Tested test(const std::filesystem::path& folder, const std::filesystem::path& log) const;

 private:
  std::vector<std::string> arguments_for(const std::filesystem::path& folder) const;
  std::map<std::string, std::string> environment_for(const std::filesystem::path& folder) const;
  double score_in(const std::string& printed, const std::filesystem::path& log) const;

  const Comparison& comparison_;
  std::function<int()> signals_;
  std::function<void(const std::string&)> notice_;
};

// For people: "python3 evaluate.py --model={{output_dir}}", or the metric that the trials print.
std::string test_text(const OwnTest& test);

}  // namespace tune::compare
