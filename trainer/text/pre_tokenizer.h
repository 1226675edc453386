#pragma once
// The pre-tokenizer of a tokenizer: a normalised text into the words that its model takes one by one.
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/text/normalizer.h"
#include "trainer/text/pattern.h"

namespace tune::trainer::text {

// What becomes of the matches of a split.
enum class SplitBehavior : std::uint8_t {
  kRemoved,
  kIsolated,
  kContiguous,
  kMergedWithPrevious,
  kMergedWithNext
};

// Words of one text, as views of it or of texts that they keep.
struct Words {
  struct Word {
    std::string_view text;
    bool begins_input = false;  // whether it stands where the whole input begins
  };
  std::vector<Word> words;
  std::deque<std::string> made;

  std::string_view keep(std::string text) { return made.emplace_back(std::move(text)); }
};

// At which ByteLevel cuts where nothing else does: GPT-2's.
inline constexpr const char* kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

struct BertWords {};  // BertPreTokenizer: at white space, which goes, and round punctuation
struct ByteLevelWords {
  bool adds_prefix_space = true, splits = true;
  bool maps_bytes = true;  // false where the model takes bytes as they are
};
struct Digits {
  bool one_by_one = false;
};
struct Split {
  std::variant<std::string, Pattern> at;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool is_inverted = false;
};
struct WhitespaceWords {};  // Whitespace: \w+|[^\w\s]+
struct WhitespaceSplit {};
struct Metaspace {
  enum class Prepend : std::uint8_t { kAlways, kFirst, kNever };
  std::string replacement = "\xE2\x96\x81";  // U+2581
  Prepend prepend = Prepend::kAlways;
  bool splits = true;
};
struct Punctuation {
  SplitBehavior behavior = SplitBehavior::kIsolated;
};
using PreTokenizerStep = std::variant<BertWords, ByteLevelWords, Digits, Split, WhitespaceWords,
                                      WhitespaceSplit, Metaspace, Punctuation>;

// Steps one after the other, as in `tokenizers`. Immutable.
class PreTokenizer {
 public:
  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<PreTokenizerStep> steps) : steps_(std::move(steps)) {}
  void apply(Words& words) const;

 private:
  std::vector<PreTokenizerStep> steps_;
};

// GPT-2's letters for bytes: a printable character for each of the 256.
std::string byte_letters(std::string_view bytes);
// The bytes of such letters; nothing where a character is none of them.
std::optional<std::string> bytes_of_letters(std::string_view letters);

}  // namespace tune::trainer::text
