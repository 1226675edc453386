#include "strategies/initial_design.h"

namespace tune::strategies {

UnitPoint InitialDesign::point(int number, std::uint32_t alternative) const {
  constexpr std::uint32_t kStride = 1u << 20;
  UnitPoint unit = sequence_.point(static_cast<std::uint32_t>(number - 1) + alternative * kStride);
  if (number == 1 && alternative == 0) {
    // The middle of a list of categories means nothing: those keep their draw.
    for (std::size_t i = 0; i < unit.size(); ++i) {
      if (space_.parameters()[i].type != ParameterType::kCategorical) unit[i] = 0.5;
    }
  }
  encoding_.snap(unit);
  return unit;
}

}  // namespace tune::strategies
