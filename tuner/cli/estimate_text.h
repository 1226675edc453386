#pragma once
// Estimates of searches, for `tune estimate`, `tune check --estimate` and `--dry-run --estimate`.
#include <filesystem>
#include <optional>

#include "tuner/cli/command_line/command_line.h"
#include "tuner/engine/study/search_estimate.h"

namespace tune::cli {

// How an estimate is asked for.
struct EstimateOptions {
  std::filesystem::path store;
  double seconds = 3;  // of steps that are timed, for each point
};

// The estimate of a search that the built-in trainer makes: apply_builtin_trainer() has made the spec ready.
// Notices go to stderr. nullopt when a signal ended it.
std::optional<engine::SearchEstimate> estimate_search(const Spec& spec, const engine::BuiltinTrainer& trainer,
                                                      const EstimateOptions& options, Console& console);
void print_estimate(const Spec& spec, const engine::SearchEstimate& estimate, std::ostream& out);

// What is known of a program of one's own: no more than its limits. As text, and for programs.
void print_bounds(const Spec& spec, std::ostream& out);
OrderedJson bounds_json(const Spec& spec);

}  // namespace tune::cli
