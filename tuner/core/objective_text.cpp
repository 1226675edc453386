#include "tuner/core/objective_text.h"

#include "tuner/core/enum_text.h"

namespace tune {
namespace {

constexpr EnumTexts<Goal, 2> kGoals{{{Goal::kMinimize, "minimize"}, {Goal::kMaximize, "maximize"}}};
constexpr EnumTexts<Reduce, 4> kReduces{
    {{Reduce::kLast, "last"}, {Reduce::kBest, "best"}, {Reduce::kMin, "min"}, {Reduce::kMax, "max"}}};

}  // namespace

const char* goal_text(Goal goal) { return text_of(kGoals, goal); }
Goal goal_from(const std::string& text) { return value_of(kGoals, text, "goal"); }
const char* reduce_text(Reduce reduce) { return text_of(kReduces, reduce); }
Reduce reduce_from(const std::string& text) { return value_of(kReduces, text, "way to reduce a curve"); }

}  // namespace tune
