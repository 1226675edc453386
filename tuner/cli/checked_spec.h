#pragma once
// A spec with everything checked that can be checked without running it.
#include <filesystem>
#include <iosfwd>
#include <optional>

#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/spec/spec.h"

namespace tune::cli {

struct CheckedSpec {
  Spec spec;  // with a built-in trainer: its command and metrics filled in
  std::optional<engine::BuiltinTrainer> trainer;  // when the spec names a built-in trainer
};

// Reads a spec, tries its regexes, and asks tune-train about the keys of `trainer`. Throws SpecError with
// every problem in its line, Error(kEnvironment) when a built-in trainer is asked for and tune-train is not
// there.
CheckedSpec read_checked_spec(const std::filesystem::path& file);

// Adds to a spec's warnings what would keep its command from being started here and now.
void warn_of_set_up(Spec& spec);

// "warning: search.json:4:12 /objective/goal: ..." lines.
void print_warnings(const Spec& spec, std::ostream& out);

}  // namespace tune::cli
