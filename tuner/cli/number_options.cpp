#include "tuner/cli/number_options.h"

#include <charconv>

#include "tuner/core/error.h"
#include "tuner/core/number_text.h"

namespace tune::cli {
namespace {

constexpr std::uint64_t kLargestSeed = (std::uint64_t{1} << 53) - 1;  // JSON keeps whole numbers up to there

}  // namespace

std::optional<int> count_option(const Parsed& options, const std::string& name, int most) {
  const std::optional<std::int64_t> number = options.integer(name, 1, most);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<double> amount_option(const Parsed& options, const std::string& name) {
  if (!options.has(name)) return std::nullopt;
  const std::string text = options.text(name);
  const std::optional<double> amount = finite_number_in(text);
  if (!amount || *amount < 0)
    throw Error(ExitCode::kUsage, "--" + name + " takes a number of 0 or more, not \"" + text + "\"");
  return amount;
}

std::optional<double> value_option(const Parsed& options, const std::string& name) {
  if (!options.has(name)) return std::nullopt;
  const std::optional<double> value = finite_number_in(options.text(name));
  if (!value)
    throw Error(ExitCode::kUsage, "--" + name + " takes a number, not \"" + options.text(name) + "\"");
  return value;
}

std::optional<std::uint64_t> seed_option(const Parsed& options) {
  if (!options.has("seed")) return std::nullopt;
  const std::string text = options.text("seed");
  std::uint64_t seed = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (problem != std::errc() || end != text.data() + text.size() || seed > kLargestSeed) {
    throw Error(ExitCode::kUsage, "--seed takes a whole number from 0 to 2^53 - 1, not \"" + text + "\"");
  }
  return seed;
}

}  // namespace tune::cli
