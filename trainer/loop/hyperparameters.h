#pragma once
// A recipe's hyperparameters as a table: the same rows describe, check and read them.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::loop {

enum class HyperparameterType { kFloat, kInt, kCategorical, kText, kBool, kJson };

struct Hyperparameter {
  std::string name;
  HyperparameterType type = HyperparameterType::kFloat;
  Json default_value;
  double min = 0, max = 0;          // inclusive; float and int
  std::string scale = "linear";     // linear, log or reverse_log: how a search best covers the range
  std::vector<std::string> values;  // categorical
  std::string description;
  // Other values take another amount of memory or of time: a search over it is estimated at both of its ends
  // (docs/estimates.md).
  bool weighs = false;
  // Of the size of a batch that processes share: the fewest of its examples that each of them needs. More
  // than none where they ask each other for numbers within a pass, so that none may stay away.
  std::int64_t least_part = 0;
};

// Normalisation has no variance of one example.
inline constexpr std::int64_t kNormalisedPart = 2;

// Rows of a table.
Hyperparameter real(std::string name, double value, double min, double max, std::string scale,
                    std::string description);
Hyperparameter whole(std::string name, int value, double min, double max, std::string scale,
                     std::string description);
Hyperparameter choice(std::string name, std::vector<std::string> values,
                      std::string description);  // the first is the default
Hyperparameter flag(std::string name, bool value, std::string description);
Hyperparameter text(std::string name, std::string value, std::string description);
Hyperparameter json_value(std::string name,
                          std::string description);                  // which its task checks; null by default
Hyperparameter weighty(Hyperparameter row);                          // one that weighs
Hyperparameter parted(Hyperparameter row, std::int64_t least_part);  // one that processes share

// The values of one trial: every row of the table has one, the trial's or the default.
class Hyperparameters {
 public:
  // Throws Error(kBadSpec) for a name that is not in the table (with the nearest one), a wrong type, a value
  // out of range.
  Hyperparameters(const std::vector<Hyperparameter>& table, const Json& given);

  double number(const std::string& name) const;
  std::int64_t integer(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  bool flag(const std::string& name) const;
  bool given(const std::string& name) const;  // by the trial, not by default
  // By the trial, to something else than the default: a value that has no meaning beside others is refused
  // only then, since a trial may name every default.
  bool changed(const std::string& name) const { return changed_.contains(name); }
  const std::map<std::string, Json>& values() const { return values_; }

 private:
  std::map<std::string, Json> values_;
  std::set<std::string> given_, changed_;
};

// The row as `tune-train describe --json` shows it.
OrderedJson describe(const Hyperparameter& hyperparameter);
std::string type_name(HyperparameterType type);

}  // namespace tune::trainer::loop
