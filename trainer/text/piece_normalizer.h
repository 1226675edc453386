#pragma once
// The normalizer of a sentencepiece model.
#include <string>
#include <string_view>
#include <utility>

#include "trainer/text/character_rules.h"
#include "trainer/text/prefix_tree.h"
#include "trainer/text/sentence_piece_file.h"

namespace tune::trainer::text {

// What sentencepiece writes for a space: U+2581.
inline constexpr std::string_view kSpaceMark = "\xE2\x96\x81";

// A text into the one that is cut into pieces, as sentencepiece has it (normalizer.cc). Immutable.
class PieceNormalizer {
 public:
  // `kept` are texts that no rule changes; it outlives the normalizer. `file` is the name in errors.
  PieceNormalizer(const SentencePieceFile::Normalizer& settings, bool space_is_suffix, const PrefixTree& kept,
                  const std::string& file);
  // Of valid UTF-8. Throws Error(kBadData) where a rule of the file is damaged.
  std::string apply(std::string_view text) const;

 private:
  // What the beginning of a text becomes, and how many bytes of it that is.
  std::pair<std::string_view, std::size_t> first_of(std::string_view text) const;

  CharacterRules rules_;
  bool adds_prefix_, removes_extra_spaces_, space_is_suffix_;
  std::string_view space_;
  const PrefixTree& kept_;
};

}  // namespace tune::trainer::text
