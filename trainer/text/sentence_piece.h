#pragma once
// A model of sentencepiece, whole: its normalizer, its pieces, its decoder.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/text/piece_normalizer.h"
#include "trainer/text/prefix_tree.h"
#include "trainer/text/sentence_piece_file.h"
#include "trainer/text/token_model.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// A model of sentencepiece (BPE, unigram or characters): it normalises, cuts and decodes texts as the library
// of that name does.
class SentencePiece : public TokenModel {
 public:
  // Fills the vocabulary, which outlives it. `file` is the name in errors. Throws Error(kBadData) for pieces
  // that are there twice, for none or more than one unknown piece and for bytes that are missing or too many.
  SentencePiece(const SentencePieceFile& source, const std::string& file, Vocabulary& vocabulary);
  // Adds the ids of a text that is not normalised yet. Throws Error(kBadData) where a rule of the normalizer
  // is damaged.
  void append_ids(std::string_view text, std::vector<std::int64_t>& ids) const override;
  // The text of ids below size().
  std::string decode(const std::vector<std::uint32_t>& ids) const;
  std::size_t size() const { return kinds_.size(); }

 private:
  const Vocabulary& vocabulary_;
  std::vector<SentencePieceFile::Kind> kinds_;  // by id
  std::uint32_t unknown_ = 0;
  std::string unknown_text_;
  bool drops_first_space_, drops_first_spaces_;  // of a decoded text
  PrefixTree whole_;                             // the user-defined pieces
  PieceNormalizer normalizer_;
  std::optional<PieceNormalizer> denormalizer_;
  std::unique_ptr<const TokenModel> model_;  // of normalised texts
};

}  // namespace tune::trainer::text
