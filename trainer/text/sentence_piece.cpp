#include "trainer/text/sentence_piece.h"

#include <sentencepiece_processor.h>

#include "tuner/core/error.h"

namespace tune::trainer::text {

SentencePiece::SentencePiece(std::string_view bytes, const std::string& file)
    : processor_(std::make_unique<sentencepiece::SentencePieceProcessor>()) {
  const auto status = processor_->LoadFromSerializedProto({bytes.data(), bytes.size()});
  if (!status.ok())
    throw Error(ExitCode::kBadData,
                file + ": no model of sentencepiece, or a damaged one (" + status.ToString() + ")",
                "take it anew from where the model is from");
}

SentencePiece::~SentencePiece() = default;

void SentencePiece::append_ids(std::string_view word, std::vector<std::int64_t>& ids) const {
  std::vector<int> found;
  const auto status = processor_->Encode({word.data(), word.size()}, &found);
  TUNE_CHECK(status.ok(), status.ToString());
  ids.insert(ids.end(), found.begin(), found.end());
}

std::string SentencePiece::decode(const std::vector<int>& ids) const {
  std::string text;
  const auto status = processor_->Decode(ids, &text);
  TUNE_CHECK(status.ok(), status.ToString());
  return text;
}

std::size_t SentencePiece::size() const { return static_cast<std::size_t>(processor_->GetPieceSize()); }
const std::string& SentencePiece::piece_of(std::size_t id) const {
  return processor_->IdToPiece(static_cast<int>(id));
}

SentencePiece::Kind SentencePiece::kind_of(std::size_t id) const {
  const auto piece = static_cast<int>(id);
  return processor_->IsUnknown(piece)   ? Kind::kUnknown
         : processor_->IsControl(piece) ? Kind::kControl
         : processor_->IsByte(piece)    ? Kind::kByte
                                        : Kind::kNormal;
}

}  // namespace tune::trainer::text
