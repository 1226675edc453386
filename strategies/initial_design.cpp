#include "strategies/initial_design.h"

namespace tune::strategies {
namespace {

// The share of each number's range that the first trials spread over: in many dimensions most of a cube is
// corners, and there trials diverge, run out of memory and teach little. It did best among 0.5, 0.7 and 1
// after 10 and 20 trials on 48 functions and mixed spaces, but was chosen on these very ones, whose optima
// lie mostly in the middle; optima at the border were found later after 10 trials.
constexpr double kInner = 0.5;

}  // namespace

UnitPoint InitialDesign::point(int number, std::uint32_t alternative) const {
  // Odd, so that the low bits of the index differ, which are the high ones of a coordinate: 2^20 would hardly
  // move the first dimension. Prime, and beyond what a study's own trials take before a model takes over.
  constexpr std::uint32_t kStride = 4099;
  UnitPoint unit = sequence_.point(static_cast<std::uint32_t>(number - 1) + alternative * kStride);
  if (number == 1 && alternative == 0) {
    // The middle of a list of categories means nothing: those keep their draw.
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (space_.parameters()[i].type != ParameterType::kCategorical) unit[i] = 0.5;
    }
  }
  for (std::size_t i = 0; i < unit.size(); ++i)
    if (space_.parameters()[i].type != ParameterType::kCategorical) unit[i] = 0.5 + kInner * (unit[i] - 0.5);
  encoding_.snap(unit);
  return unit;
}

}  // namespace tune::strategies
