#include "tuner/core/objective_text.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "tuner/core/error.h"

namespace tune {
namespace {

constexpr std::array<std::pair<Goal, const char*>, 2> kGoals{
    {{Goal::kMinimize, "minimize"}, {Goal::kMaximize, "maximize"}}};
constexpr std::array<std::pair<Reduce, const char*>, 4> kReduces{
    {{Reduce::kLast, "last"}, {Reduce::kBest, "best"}, {Reduce::kMin, "min"}, {Reduce::kMax, "max"}}};

template <typename Table, typename Value>
const char* text_of(const Table& table, Value value) {
  for (const auto& [entry, text] : table)
    if (entry == value) return text;
  broken_invariant("a value of the enumeration", __FILE__, __LINE__);
}

template <typename Table>
auto value_of(const Table& table, const std::string& wanted) {
  for (const auto& [entry, text] : table)
    if (wanted == text) return entry;
  throw std::invalid_argument("\"" + wanted + "\" is a word that this program does not know");
}

}  // namespace

const char* goal_text(Goal goal) { return text_of(kGoals, goal); }
Goal goal_from(const std::string& text) { return value_of(kGoals, text); }
const char* reduce_text(Reduce reduce) { return text_of(kReduces, reduce); }
Reduce reduce_from(const std::string& text) { return value_of(kReduces, text); }

}  // namespace tune
