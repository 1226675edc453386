#pragma once
// The normalizer of a tokenizer: a text into the one that is cut into words.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/text/pattern.h"
#include "trainer/text/unicode.h"

namespace tune::trainer::text {

struct BertNormalizer {
  bool cleans_text = true, spaces_ideographs = true, strips_accents = true, lowercases = true;
};
struct NormalForm {
  Unicode::Form form = Unicode::Form::kNfc;
};
struct Lowercase {};
struct StripAccents {};
struct Prepend {
  std::string text;
};
struct Strip {
  bool left = true, right = true;
};
// Of normalizers and decoders: each occurrence of a text, or each match of a pattern.
struct Replace {
  std::variant<std::string, Pattern> what;
  std::string by;

  std::string apply(std::string_view text) const;
};
using NormalizerStep =
    std::variant<BertNormalizer, NormalForm, Lowercase, StripAccents, Prepend, Strip, Replace>;

// Steps one after the other, as in `tokenizers`. Immutable.
class Normalizer {
 public:
  Normalizer() = default;
  explicit Normalizer(std::vector<NormalizerStep> steps) : steps_(std::move(steps)) {}

  // Of valid UTF-8. `keeps_begin` becomes false where the first character of the text is dropped, so that
  // what comes out does not begin where the text does.
  std::string apply(std::string text, bool& keeps_begin) const;

 private:
  std::vector<NormalizerStep> steps_;
};

}  // namespace tune::trainer::text
