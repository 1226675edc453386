#pragma once
// The post-processor of a tokenizer: what stands round one text, or two.
#include <cstdint>
#include <variant>
#include <vector>

namespace tune::trainer::text {

// Immutable.
struct PostProcessor {
  enum class Text : std::uint8_t { kFirst, kSecond };
  struct Item {
    std::variant<Text, std::vector<std::int64_t>> what;  // a text's tokens, or special tokens
    std::int64_t type_id = 0;
  };
  std::vector<Item> single{{Text::kFirst, 0}};
  std::vector<Item> pair{{Text::kFirst, 0}, {Text::kSecond, 1}};
};

}  // namespace tune::trainer::text
