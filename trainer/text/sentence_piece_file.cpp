#include "trainer/text/sentence_piece_file.h"

#include <cmath>
#include <protozero/pbf_reader.hpp>

#include "trainer/data/text_file.h"
#include "trainer/text/vocabulary.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {
namespace {

using protozero::pbf_reader;
using protozero::pbf_wire_type;
using Algorithm = SentencePieceFile::Algorithm;

// Fields are told by their number and wire type: one of another type is not the field, as in protobuf itself.
constexpr std::uint32_t varint_field(std::uint32_t tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::varint);
}
constexpr std::uint32_t bytes_field(std::uint32_t tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::length_delimited);
}
constexpr std::uint32_t float_field(std::uint32_t tag) {
  return protozero::tag_and_type(tag, pbf_wire_type::fixed32);
}

bool read_flag(pbf_reader& message) { return message.get_uint64() != 0; }

class MessageReader {
 public:
  explicit MessageReader(const std::string& file) : file_(file) {}

  SentencePieceFile read(std::string_view content) {
    pbf_reader message(content.data(), content.size());
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes_field(1):
          read_piece(message.get_message());
          break;
        case bytes_field(2):
          read_training(message.get_message());
          break;
        case bytes_field(3):
          read_normalizer(message.get_message(), result_.normalizer);
          break;
        case bytes_field(5):
          read_normalizer(message.get_message(), result_.denormalizer);
          break;
        default:
          message.skip();
      }
    }
    if (result_.pieces.empty()) throw bad_sentence_piece(file_, "there are no pieces");
    return std::move(result_);
  }

 private:
  void read_piece(pbf_reader message) {
    SentencePieceFile::Piece piece;
    const auto wrong = [&](const std::string& what) {
      return bad_sentence_piece(file_, "piece " + std::to_string(result_.pieces.size()) + what);
    };
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes_field(1):
          piece.text = message.get_string();
          break;
        case float_field(2):
          piece.score = message.get_float();
          break;
        case varint_field(3): {
          const std::uint64_t kind = message.get_uint64();
          if (kind < 1 || kind > 6) throw wrong(" is of the unknown kind " + std::to_string(kind));
          piece.kind = static_cast<SentencePieceFile::Kind>(kind);
          break;
        }
        default:
          message.skip();
      }
    }
    if (piece.text.empty()) throw wrong(" is empty");
    if (!data::is_utf8(piece.text)) throw wrong(" is not UTF-8");
    if (!std::isfinite(piece.score))
      throw bad_sentence_piece(file_, "the score of " + in_quotes(piece.text) + " is no number");
    if (result_.pieces.size() == kMostIds)
      throw bad_sentence_piece(file_, "there are more than " + std::to_string(kMostIds) + " pieces");
    result_.pieces.push_back(std::move(piece));
  }

  void read_training(pbf_reader message) {
    const auto read_text = [&](std::string& text) {
      if (std::string found = message.get_string(); !found.empty()) text = std::move(found);
    };
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(3):
          read_algorithm(message.get_uint64());
          break;
        case varint_field(24):
          result_.space_is_suffix = read_flag(message);
          break;
        case varint_field(35):
          result_.falls_back = read_flag(message);
          break;
        case bytes_field(44):
          result_.unknown_text = message.get_string();
          break;
        case bytes_field(46):
          read_text(result_.begin);
          break;
        case bytes_field(47):
          read_text(result_.end);
          break;
        case bytes_field(48):
          read_text(result_.pad);
          break;
        default:
          message.skip();
      }
    }
  }

  void read_algorithm(std::uint64_t algorithm) {
    if (algorithm < 1 || algorithm > 4)
      throw bad_sentence_piece(file_, "the model is of the unknown kind " + std::to_string(algorithm));
    result_.algorithm = static_cast<Algorithm>(algorithm);
    if (result_.algorithm == Algorithm::kWord)
      throw Error(ExitCode::kBadData, file_ + ": models of whole words are not known to this version",
                  "known are those whose model_type was unigram, bpe or char");
  }

  static void read_normalizer(pbf_reader message, SentencePieceFile::Normalizer& normalizer) {
    while (message.next()) {
      switch (message.tag_and_type()) {
        case bytes_field(2):
          normalizer.rules = message.get_string();
          break;
        case varint_field(3):
          normalizer.adds_prefix = read_flag(message);
          break;
        case varint_field(4):
          normalizer.removes_extra_spaces = read_flag(message);
          break;
        case varint_field(5):
          normalizer.escapes_spaces = read_flag(message);
          break;
        default:
          message.skip();
      }
    }
  }

  const std::string& file_;
  SentencePieceFile result_;
};

}  // namespace

Error bad_sentence_piece(const std::string& file, const std::string& what) {
  return {ExitCode::kBadData, file + ": no model of sentencepiece, or a damaged one: " + what,
          "take it anew from where the model is from"};
}

SentencePieceFile read_sentence_piece_file(std::string_view content, const std::string& file) {
  try {
    return MessageReader(file).read(content);
  } catch (const protozero::exception& error) {
    throw bad_sentence_piece(file, std::string("it is no protobuf message (") + error.what() + ")");
  }
}

}  // namespace tune::trainer::text
