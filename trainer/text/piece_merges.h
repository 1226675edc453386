#pragma once
// Byte-pair encoding out of scores: sentencepiece's.
#include <array>
#include <atomic>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "trainer/text/prefix_tree.h"
#include "trainer/text/sentence_piece_file.h"
#include "trainer/text/token_model.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// The byte-pair encoding of sentencepiece (bpe_model.cc): of a text's characters, the adjacent pair whose
// joint piece has the highest score is joined, the leftmost one first, until no pair is a piece. It has no
// list of merges. Without scores it is its model of single characters.
class PieceMerges : public TokenModel {
 public:
  struct Settings {
    std::uint32_t unknown = 0;
    bool falls_back =
        false;          // a character that is no piece is the pieces <0x..> of its bytes, which are all there
    bool joins = true;  // false: each character is a piece
  };
  // `pieces` and `vocabulary` are the same, by id; `whole` are the user-defined ones, which are found first
  // and join with nothing. The vocabulary and `whole` outlive it.
  PieceMerges(const std::vector<SentencePieceFile::Piece>& pieces, const Vocabulary& vocabulary,
              const PrefixTree& whole, Settings settings);
  // Of a normalised text. Unknown characters side by side are one unknown piece.
  void append_ids(std::string_view text, std::vector<std::int64_t>& ids) const override;

 private:
  static constexpr std::uint32_t kNoId = 0xFFFFFFFFU;
  struct Symbol {
    std::uint32_t rank = 0;    // of the pair with the next one
    std::uint32_t merged = 0;  // its id
    std::uint32_t id = kNoId;  // what was joined here
    std::size_t begin = 0, end = 0;
    bool is_whole = false;
    void join(const Symbol& next) {
      id = merged;
      end = next.end;
    }
  };
  enum class WholeWord : std::uint8_t { kUnasked, kYes, kNo };
  // How unused pieces were joined: the length of the left part.
  using Joints = std::unordered_map<std::string_view, std::size_t>;

  void append_word(std::string_view word, std::vector<std::int64_t>& ids, bool& is_after_unknown) const;
  void append_piece(std::string_view piece, std::optional<std::uint32_t> id, std::vector<std::int64_t>& ids,
                    bool& is_after_unknown) const;
  void append_parts(std::string_view piece, const Joints& joints, std::vector<std::int64_t>& ids,
                    bool& is_after_unknown) const;
  void split(std::string_view word, std::vector<Symbol>& symbols) const;

  Settings settings_;
  const Vocabulary& vocabulary_;
  const PrefixTree& whole_;
  std::vector<std::uint32_t> ranks_;  // by id: 0 for the highest score
  std::vector<bool> is_unused_;       // by id; empty where none is
  std::array<std::uint32_t, 256> byte_ids_{};
  bool cuts_at_spaces_ = true;  // no piece goes beyond the space before a word
  // Whether a word that is a piece comes out as that piece, asked once of each.
  std::unique_ptr<std::atomic<WholeWord>[]> whole_words_;
};

}  // namespace tune::trainer::text
