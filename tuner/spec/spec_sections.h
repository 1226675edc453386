#pragma once
// The parts of the spec's reader: each reads one section of a document that was checked against the table,
// and adds what the table cannot say. Part of spec_reader.
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
std::map<std::string, EnvironmentValue> read_environment(SpecProblems& problems);
Retry read_retry(const Spec& spec, const ReadParameters& read, SpecProblems& problems);
// Suspicious, not wrong.
void add_warnings(const Spec& spec, SpecUse use, SpecProblems& problems);

// What a trial gets of the machine; comparisons have the same section.
Resources read_resources(const SpecProblems& problems);

// The text, number, ... at `pointer` when it is there and sound.
template <typename T>
std::optional<T> read_value(const SpecProblems& problems, const std::string& pointer) {
  const OrderedJson* value = problems.find(pointer);
  return value == nullptr ? std::nullopt : std::optional<T>(value->get<T>());
}

}  // namespace tune
