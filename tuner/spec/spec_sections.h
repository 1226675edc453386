#pragma once
// The parts of the spec's reader: each reads one section of a document that was checked against the table,
// and adds what the table cannot say. Part of spec_reader.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/space.h"
#include "tuner/spec/spec.h"
#include "tuner/spec/spec_problems.h"

namespace tune {

// The parameters as far as they are sound.
struct ReadParameters {
  std::vector<std::string> names;          // all of them, in order
  std::map<std::string, Parameter> sound;  // those without a problem, conditions apart
  std::optional<SearchSpace> space;        // when all of them and their conditions are sound
};

ReadParameters read_parameters(SpecProblems& problems);
// Fills `when` of the sound parameters. Adds problems for unknown parents, impossible values and cycles.
void read_conditions(ReadParameters& read, SpecProblems& problems);
// Dotted names nest, so none may be the beginning of another; names of parameters and of fixed values are one
// set.
void check_names(const ReadParameters& read, SpecProblems& problems);
std::vector<ParameterSet> read_try_first(const ReadParameters& read, SpecProblems& problems);
std::vector<std::string> read_command(const ReadParameters& read, SpecProblems& problems);
// The variables at `pointer`. Those that `is_reserved` are problems, with the cure that `cure` says.
std::map<std::string, EnvironmentValue> read_environment(
    const std::string& pointer, const std::function<bool(const std::string&)>& is_reserved,
    const std::function<std::string(const std::string&)>& cure, SpecProblems& problems);
// Those of the trials.
std::map<std::string, EnvironmentValue> read_environment(SpecProblems& problems);
// No argument of a program can hold a NUL.
void check_no_nul(const std::string& text, const std::string& pointer, SpecProblems& problems);
// Comparisons have the same section.
std::vector<Notification> read_notify(SpecProblems& problems);
Retry read_retry(const Spec& spec, const ReadParameters& read, SpecProblems& problems);
// The objective, or two of them, and which trial of their front is to be promoted.
void read_objectives(Spec& spec, SpecProblems& problems);
// What a study with two objectives cannot have, when all else is read.
void check_two_objectives(const Spec& spec, SpecProblems& problems);
// Suspicious, not wrong.
void add_warnings(const Spec& spec, SpecUse use, SpecProblems& problems);

// What a trial gets of the machine; comparisons have the same section.
Resources read_resources(SpecProblems& problems);

// Where trials run.
RunnerSettings read_runner(SpecProblems& problems);

// The text, number, ... at `pointer` when it is there and sound.
template <typename T>
std::optional<T> read_value(const SpecProblems& problems, const std::string& pointer) {
  const OrderedJson* value = problems.find(pointer);
  return value == nullptr ? std::nullopt : std::optional<T>(value->get<T>());
}

}  // namespace tune
