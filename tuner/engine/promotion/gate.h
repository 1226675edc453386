#pragma once
// What stands between a version and an alias: a requirement that a spec or a file declares, and the verdict.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "store/model_registry.h"
#include "tuner/spec/requirement.h"

namespace tune::engine {

// A version before the gate, and the one that it is held against: what the alias names, or the requirement's
// `not_worse.than`; absent where that names nothing yet.
struct GateCase {
  store::ModelVersion version;
  std::filesystem::path folder;  // of its files, which are as they were recorded
  std::optional<store::ModelVersion> against;
  std::filesystem::path against_folder;
};

struct GateVerdict {
  bool passes = false;
  std::string reason;              // a sentence: what it passed, or everything that it did not
  Json evidence = Json::object();  // the numbers behind it, for the log of promotions
};

// Judges a version by a requirement. Throws where it cannot be judged at all: nothing moves then.
using JudgeVersion = std::function<GateVerdict(const Requirement& requirement, const GateCase& subject)>;

// A requirement, and how it is looked at; without a requirement everything passes.
struct GateRules {
  std::optional<Requirement> requirement = std::nullopt;
  JudgeVersion judge = {};
};

}  // namespace tune::engine
