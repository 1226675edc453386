#pragma once
// The decoder of a tokenizer: tokens into the text that they stand for.
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "trainer/text/normalizer.h"
#include "trainer/text/pre_tokenizer.h"

namespace tune::trainer::text {

struct WordPieceDecoder {
  std::string prefix = "##";
  bool cleans_up = true;
};
struct ByteLevelDecoder {};
struct ByteFallbackDecoder {};
struct FuseDecoder {};
struct StripDecoder {
  std::string character;
  std::size_t start = 0, stop = 0;  // at most so many of it, at both ends of each token
};
struct MetaspaceDecoder {
  std::string replacement = "\xE2\x96\x81";  // U+2581
  bool drops_first = true;                   // those at the beginning of the text
};
using DecoderStep = std::variant<WordPieceDecoder, ByteLevelDecoder, ByteFallbackDecoder, FuseDecoder,
                                 StripDecoder, MetaspaceDecoder, Replace>;

// Steps one after the other, as in `tokenizers`. Immutable.
class TokenDecoder {
 public:
  TokenDecoder() = default;  // puts spaces between tokens
  explicit TokenDecoder(std::vector<DecoderStep> steps) : steps_(std::move(steps)) {}
  std::string decode(std::vector<std::string> tokens) const;

 private:
  std::optional<std::vector<DecoderStep>> steps_;
};

}  // namespace tune::trainer::text
