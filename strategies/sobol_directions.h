#pragma once
// The table of Sobol direction numbers.
#include <array>
#include <cstdint>
#include <span>

namespace tune::strategies {

// One dimension: a primitive polynomial over GF(2), x^degree + ... + 1 with `coefficients` in between
// (highest first), and the first `degree` direction integers m_1, m_2, ... (odd, m_i < 2^i).
struct SobolDirection {
  std::uint32_t degree;
  std::uint32_t coefficients;
  std::array<std::uint32_t, 11> initial;
};

// Dimensions 2, 3, ...; dimension 1 is the van der Corput sequence and needs none.
std::span<const SobolDirection> sobol_directions();

}  // namespace tune::strategies
