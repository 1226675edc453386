#include "tuner/spec/spec_problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "tuner/core/visible_text.h"

namespace tune {
void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
}

void SpecProblems::add(const std::string& pointer, std::string message, std::string hint) {
  const Position place = place_of(pointer);
  problems_.push_back({place.line, place.column, pointer, std::move(message), std::move(hint)});
  unsound_.insert(pointer);
}

void SpecProblems::add_at_key(const std::string& pointer, std::string message, std::string hint) {
  const auto key = source_.keys.find(pointer);
  const Position place = key == source_.keys.end() ? place_of(pointer) : key->second;
  problems_.push_back({place.line, place.column, pointer, std::move(message), std::move(hint)});
  unsound_.insert(pointer);
}

void SpecProblems::warn(const std::string& pointer, std::string message, std::string hint) {
  const Position place = place_of(pointer);
  warnings_.push_back({place.line, place.column, pointer, std::move(message), std::move(hint)});
}

const OrderedJson* SpecProblems::find(const std::string& pointer) const {
  if (!source_.values.contains(pointer) || unsound_.contains(pointer)) return nullptr;
  return &source_.value.at(OrderedJson::json_pointer(pointer));
}

bool SpecProblems::is_sound(const std::string& pointer) const {
  if (!source_.values.contains(pointer) || unsound_.contains(pointer)) return false;
  const auto below = unsound_.lower_bound(pointer + "/");
  return below == unsound_.end() || !below->starts_with(pointer + "/");
}

int SpecProblems::line_of(const std::string& pointer) const {
  const auto value = source_.values.find(pointer);
  return value == source_.values.end() ? 0 : value->second.line;
}

Position SpecProblems::place_of(std::string pointer) const {
  for (;;) {
    const auto value = source_.values.find(pointer);
    if (value != source_.values.end()) return value->second;
    if (pointer.empty()) return {};
    pointer.erase(pointer.rfind('/'));
  }
}

std::vector<Problem> SpecProblems::take_problems() {
  sort_by_place(problems_);
  return std::exchange(problems_, {});
}

std::vector<Problem> SpecProblems::take_warnings() {
  sort_by_place(warnings_);
  return std::exchange(warnings_, {});
}

void SpecProblems::refuse_any(const std::string& name) {
  std::vector<Problem> found = source_.problems;
  const std::vector<Problem> own = take_problems();
  found.insert(found.end(), own.begin(), own.end());
  if (found.empty()) return;
  sort_by_place(found);
  throw SpecError(name, std::move(found));
}

}  // namespace tune
