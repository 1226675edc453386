#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/text/model.h"
#include "trainer/text/vocabulary.h"

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace tune::trainer::text {

// A model of the library sentencepiece (BPE or unigram), which normalises, cuts and decodes by itself.
class SentencePiece : public Model {
 public:
  // `bytes` are those of a file `tokenizer.model`, `file` its name in errors. Throws Error(kBadData).
  SentencePiece(std::string_view bytes, const std::string& file);
  ~SentencePiece() override;
  void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const override;
  std::string decode(const std::vector<int>& ids) const;

  enum class Kind : std::uint8_t { kNormal, kUnknown, kControl, kByte };
  std::size_t size() const;
  const std::string& piece_of(std::size_t id) const;
  Kind kind_of(std::size_t id) const;

 private:
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

}  // namespace tune::trainer::text
