#include "trainer/text/sentence_piece.h"

#include <algorithm>
#include <limits>

#include "trainer/text/normalizer.h"
#include "trainer/text/piece_merges.h"
#include "trainer/text/unigram.h"
#include "trainer/text/utf8.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {
namespace {

using Kind = SentencePieceFile::Kind;
using Algorithm = SentencePieceFile::Algorithm;

// Fills the vocabulary; returns the id of the unknown piece.
std::uint32_t read_pieces(const SentencePieceFile& source, const std::string& file, Vocabulary& vocabulary) {
  std::optional<std::uint32_t> unknown;
  std::size_t bytes = 0;
  for (std::uint32_t id = 0; id < source.pieces.size(); ++id) {
    const auto& [text, score, kind] = source.pieces[id];
    if (vocabulary.add(text, id) != Vocabulary::Added::kYes)
      throw bad_sentence_piece(file, "the piece " + in_quotes(text) + " is there twice");
    if (kind == Kind::kUnknown && unknown)
      throw bad_sentence_piece(file, in_quotes(text) + " is a second unknown piece");
    if (kind == Kind::kUnknown) unknown = id;
    if (kind != Kind::kByte) continue;
    const std::optional<char> byte = byte_of_token(text);
    if (!byte || byte_token(static_cast<unsigned char>(*byte)) != text)
      throw bad_sentence_piece(file, in_quotes(text) + " is no piece of a byte");
    ++bytes;
  }
  if (!unknown) throw bad_sentence_piece(file, "there is no unknown piece");
  if (bytes != (source.falls_back ? 256 : 0))
    throw bad_sentence_piece(file, "it has " + std::to_string(bytes) + " pieces of bytes, and " +
                                       (source.falls_back ? "256 are" : "none is") + " asked for");
  return *unknown;
}

PrefixTree user_defined(const std::vector<SentencePieceFile::Piece>& pieces) {
  std::vector<std::pair<std::string, std::uint32_t>> texts;
  for (std::uint32_t id = 0; id < pieces.size(); ++id)
    if (pieces[id].kind == Kind::kUserDefined) texts.emplace_back(pieces[id].text, id);
  return texts.empty() ? PrefixTree() : PrefixTree(std::move(texts));
}

// Scores as sentencepiece takes them (unigram_model.cc), which computes in float.
std::unique_ptr<const TokenModel> make_unigram(const SentencePieceFile& source, const Vocabulary& vocabulary,
                                               std::uint32_t unknown) {
  float lowest = std::numeric_limits<float>::max(), highest = std::numeric_limits<float>::min();
  for (const SentencePieceFile::Piece& piece : source.pieces)
    if (piece.kind == Kind::kNormal) {
      lowest = std::min(lowest, piece.score);
      highest = std::max(highest, piece.score);
    }
  std::vector<Unigram::Token> tokens;
  for (std::uint32_t id = 0; id < source.pieces.size(); ++id) {
    const auto& [text, score, kind] = source.pieces[id];
    if (kind == Kind::kNormal)
      tokens.push_back({text, id, score});
    else if (kind == Kind::kUserDefined)  // by this it is taken before all others
      tokens.push_back({text, id, static_cast<float>(text.size()) * highest - 0.1});
  }
  Unigram::Settings settings;
  settings.unknown = unknown;
  settings.unknown_score = lowest - Unigram::kUnknownPenalty;
  settings.falls_back = source.falls_back;
  settings.rounds_sums = true;
  return std::make_unique<Unigram>(tokens, vocabulary, settings);
}

// Bytes that are no character become U+FFFD one by one.
void append_bytes(std::string& text, std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = bytes_of_character(bytes, at);
    text += length == 0 ? "\xEF\xBF\xBD" : bytes.substr(at, length);
    at += std::max<std::size_t>(length, 1);
  }
  bytes.clear();
}

}  // namespace

SentencePiece::SentencePiece(const SentencePieceFile& source, const std::string& file, Vocabulary& vocabulary)
    : vocabulary_(vocabulary),
      unknown_(read_pieces(source, file, vocabulary)),
      unknown_text_(source.unknown_text),
      drops_first_space_(source.normalizer.adds_prefix || source.normalizer.removes_extra_spaces),
      drops_first_spaces_(source.normalizer.removes_extra_spaces),
      whole_(user_defined(source.pieces)),
      normalizer_(source.normalizer, source.space_is_suffix, whole_, file) {
  for (const SentencePieceFile::Piece& piece : source.pieces) kinds_.push_back(piece.kind);
  static const PrefixTree nothing;
  if (!source.denormalizer.rules.empty()) denormalizer_.emplace(source.denormalizer, false, nothing, file);
  if (source.algorithm == Algorithm::kUnigram)
    model_ = make_unigram(source, vocabulary, unknown_);
  else
    model_ = std::make_unique<PieceMerges>(
        source.pieces, vocabulary, whole_,
        PieceMerges::Settings{unknown_, source.falls_back, source.algorithm == Algorithm::kBytePair});
}

void SentencePiece::append_ids(std::string_view text, std::vector<std::int64_t>& ids) const {
  if (const std::string normalized = normalizer_.apply(text); !normalized.empty())
    model_->append_ids(normalized, ids);
}

std::string SentencePiece::decode(const std::vector<std::uint32_t>& ids) const {
  const Replace spaces{std::string(kSpaceMark), " "};
  std::string text, bytes;
  bool is_first = true,
       has_dropped = false;  // nothing is there yet but spaces that were dropped; the last was
  for (const std::uint32_t id : ids) {
    std::string_view piece = vocabulary_.token_of(id).value();
    if (kinds_[id] == Kind::kByte) {
      bytes.push_back(byte_of_token(piece).value());
      continue;
    }
    append_bytes(text, bytes);
    if (has_dropped || !text.empty()) is_first = false;
    has_dropped = false;
    if (kinds_[id] == Kind::kControl) continue;
    if (id == unknown_) {
      text += unknown_text_;
      continue;
    }
    if (is_first && drops_first_space_ && piece.starts_with(kSpaceMark)) {
      piece.remove_prefix(kSpaceMark.size());
      has_dropped = !drops_first_spaces_;
    }
    text += spaces.apply(piece);
  }
  append_bytes(text, bytes);
  return denormalizer_ ? denormalizer_->apply(text) : text;
}

}  // namespace tune::trainer::text
