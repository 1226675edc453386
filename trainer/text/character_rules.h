#pragma once
// The compiled rules of a sentencepiece model's normalizer.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::text {

// Which characters, or sequences of them, are replaced by what: texts of replacements, each ended by a zero
// byte, and where they lie in a double array over the bytes of what is replaced, as Darts-clone writes it
// (Aoe 1989; Yata, https://github.com/s-yata/darts-clone). Immutable. Nothing that it holds is believed.
class CharacterRules {
 public:
  CharacterRules() = default;  // none
  // `bytes` are a field precompiled_charsmap, `file` the name in errors. Throws Error(kBadData) for what is
  // none; so does longest() for a rule that points outside or at a part of a character.
  CharacterRules(std::string_view bytes, const std::string& file);

  struct Match {
    std::size_t bytes = 0;  // of the text; 0 where no rule is of what it begins with
    std::string_view replacement;
  };
  // The rule of the longest beginning of a text of valid UTF-8.
  Match longest(std::string_view text) const;
  // Whether a rule's text may begin with that byte.
  bool has_first(unsigned char byte) const;

 private:
  std::string file_;
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace tune::trainer::text
