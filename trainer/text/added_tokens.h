#pragma once
// Tokens that are found in a text before its model sees it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/text/normalizer.h"
#include "trainer/text/prefix_tree.h"

namespace tune::trainer::text {

struct AddedToken {
  std::string text;
  std::uint32_t id = 0;
  bool is_special = false;
  bool is_normalized = false;  // looked for in the normalised text
  bool strips_left = false, strips_right = false;
  bool is_single_word = false;  // not inside a word
};

// The added tokens of a tokenizer. Filled by one thread, then read by any number.
class AddedTokens {
 public:
  // A later token of the same text takes the place of the earlier one.
  void add(AddedToken token);
  // After the last one.
  void settle(const Normalizer& normalizer);

  struct Stretch {
    std::string_view text;
    std::optional<std::uint32_t> id;  // of the token that it is
  };
  // A text cut at the tokens that are looked for before (`normalized` false) or after it is normalised.
  std::vector<Stretch> cut(std::string_view text, bool normalized) const;

  std::optional<std::uint32_t> id_of(std::string_view token) const;
  const AddedToken* token_of(std::uint64_t id) const;  // null for none
  std::uint64_t end() const {
    return tokens_.empty() ? 0 : tokens_.rbegin()->first + std::uint64_t{1};
  }  // the highest id and one

 private:
  std::map<std::uint32_t, AddedToken> tokens_;
  std::unordered_map<std::string, std::uint32_t> ids_;
  PrefixTree before_, after_;
};

}  // namespace tune::trainer::text
