#pragma once
// Byte-pair encoding out of a list of merges: the BPE of tokenizer.json.
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/text/token_model.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// Byte-pair encoding (Sennrich et al. 2016): a word's characters, or its bytes, of which the adjacent pair
// that comes first in the list of merges is joined, the leftmost one first, until no pair is in the list.
class BytePair : public TokenModel {
 public:
  struct Settings {
    bool of_bytes = false;                 // words are bytes, and tokens GPT-2's letters for them
    bool ignores_merges = false;           // a word that is a token is that token
    bool falls_back = false;               // a character without a token is the tokens <0x..> of its bytes
    bool fuses_unknown = false;            // unknown characters side by side are one unknown token
    std::optional<std::uint32_t> unknown;  // without one, what has no token is dropped
  };
  // What is wrong with merge `index`; empty where all are well.
  struct BadMerge {
    std::size_t index = 0;
    std::string what;
  };
  // The vocabulary outlives it. `merges` are pairs of tokens in their order.
  BytePair(const Vocabulary& vocabulary, const std::vector<std::pair<std::string, std::string>>& merges,
           Settings settings, std::optional<BadMerge>& bad);
  void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  // The table of merges by a pair of ids: open addressing, a power of two slots.
  struct Merge {
    std::uint64_t pair = kNoPair;
    std::uint32_t rank = 0, id = 0;
  };
  static constexpr std::uint64_t kNoPair = ~std::uint64_t{0};
  struct Symbol {
    std::uint32_t id = 0;
    std::uint32_t rank = 0;  // of the merge with the next one
    std::uint32_t merged = 0;
    void join(const Symbol&) { id = merged; }
  };
  enum class WholeWord : std::uint8_t { kUnasked, kYes, kNo };

  void add_merge(std::uint64_t pair, std::uint32_t rank, std::uint32_t id);
  const Merge* merge_of(std::uint32_t left, std::uint32_t right) const;
  void split(std::string_view word, std::vector<Symbol>& symbols) const;

  Settings settings_;
  const Vocabulary& vocabulary_;
  TokenTable by_bytes_;                                     // of bytes: tokens as the bytes that they are
  std::array<std::optional<std::uint32_t>, 256> byte_ids_;  // of bytes: of each; else of the tokens <0x..>
  std::vector<Merge> merges_;
  // Whether a word that is a token comes out as that token, asked once of each.
  std::unique_ptr<std::atomic<WholeWord>[]> whole_words_;
};

}  // namespace tune::trainer::text
