#pragma once
// A file `tokenizer.model` of sentencepiece: what it holds, as it stands there.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/error.h"

namespace tune::trainer::text {

// The fields of the protobuf message ModelProto (sentencepiece_model.proto) that say how texts become pieces,
// with the message's defaults. What only the training of a model needs is passed over.
struct SentencePieceFile {
  enum class Kind : std::uint8_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };
  struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::kNormal;
  };
  enum class Algorithm : std::uint8_t { kUnigram = 1, kBytePair, kWord, kCharacter };
  struct Normalizer {
    std::string rules;  // compiled (precompiled_charsmap); empty: none
    bool adds_prefix = true, removes_extra_spaces = true, escapes_spaces = true;
  };

  std::vector<Piece> pieces;  // by id
  Algorithm algorithm = Algorithm::kUnigram;
  bool falls_back = false;       // to the pieces <0x..> of bytes
  bool space_is_suffix = false;  // spaces stand at the end of a piece, not at its beginning
  std::string begin = "<s>", end = "</s>", pad = "<pad>";
  std::string unknown_text = " \xE2\x81\x87 ";  // U+2047, what an unknown piece is decoded to
  Normalizer normalizer, denormalizer;
};

// `file` is its name in errors. Throws Error(kBadData) for what is no such message, has no pieces, more than
// kMostIds of them or one that is empty, no UTF-8 or without a finite score, and for a kind of piece or an
// algorithm that is not known, by its name.
SentencePieceFile read_sentence_piece_file(std::string_view bytes, const std::string& file);

// The error about a damaged file.
Error bad_sentence_piece(const std::string& file, const std::string& what);

}  // namespace tune::trainer::text
