// Tokenizers that nobody's program would write: each is read or refused, and none ends the program. Under
// sanitizers in the preset `readers`.
#include "support/sanitized.h"
#include "trainer/text/gguf_vocabulary.h"
#include "trainer/text/tokenizer.h"
#include "tuner/core/rng.h"
#include "unit/trainer/test_folder.h"
#include "unit/trainer/text/golden_texts.h"

using tune::Json;
using tune::trainer::tests::golden_folder;
using tune::trainer::tests::golden_json;
using tune::trainer::tests::golden_texts;
using tune::trainer::tests::TestFolder;
using tune::trainer::text::Tokenizer;

namespace {

constexpr int kRounds = tune::tests::kSanitized ? 150 : 400;

// Whether it was read; then it is used too.
bool use(const std::filesystem::path& folder) {
  try {
    const Tokenizer tokenizer = Tokenizer::open(folder);
    for (const char* text : {"", "a", "the steel  <s>[MASK]\xff\n\n1234 Über", "鋼板 \u0301x"}) {
      const auto pair = tokenizer.encode_pair(text, "b", std::nullopt);
      tokenizer.decode(pair.ids, true);
      tune::trainer::text::StreamDecoder stream(tokenizer, false);
      for (const std::int64_t id : pair.ids) stream.push(id);
      stream.finish();
    }
    tokenizer.decode(std::vector<std::int64_t>{-1, 0, 1'000'000'000'000, 5}, false);
    return true;
  } catch (const tune::Error& error) {
    CHECK_FALSE(error.hint().empty());
    return false;
  }
}

// Every value of a document, as pointers.
void each_value(const Json& json, const std::string& pointer, std::vector<std::string>& pointers) {
  pointers.push_back(pointer);
  if (!json.is_structured()) return;
  if (json.is_object())
    for (const auto& [key, value] : json.items())
      each_value(value, (Json::json_pointer(pointer) / key).to_string(), pointers);
  else
    for (std::size_t i = 0; i < json.size(); ++i)
      each_value(json[i], (Json::json_pointer(pointer) / i).to_string(), pointers);
}

Json strange_value(tune::Rng& rng) {
  static const std::vector<Json> values = {nullptr,
                                           true,
                                           -1,
                                           0,
                                           1,
                                           4'194'303,
                                           1e300,
                                           18446744073709551615ULL,
                                           "",
                                           "a",
                                           " ",
                                           "\xE2\x96\x81",
                                           "Sequence",
                                           "ByteLevel",
                                           "[^",
                                           "\\s*\\s*\\s*x",
                                           Json::array(),
                                           Json::object(),
                                           Json::array({"a", "b"}),
                                           {{"type", "Sequence"}}};
  return values[rng.below(values.size())];
}

}  // namespace

TEST_CASE("tokenizer.json with any value in any place is read or refused") {
  tune::Rng rng(11);
  int read = 0;
  for (const char* name : {"bert", "llama2", "deepseek", "unigram_bytes", "roberta"}) {
    const Json whole = golden_json(std::string(name) + "/tokenizer.json");
    std::vector<std::string> places;
    Json thin = whole;  // the places but those of single tokens and merges
    thin["model"]["vocab"] = nullptr;
    thin["model"].erase("merges");
    each_value(thin, "", places);
    const TestFolder folder;
    for (int round = 0; round < kRounds / 2; ++round) {
      Json json = whole;
      for (std::uint64_t i = 0; i <= rng.below(2); ++i) {
        const Json::json_pointer place(places[rng.below(places.size())]);
        if (json.contains(place)) json[place] = strange_value(rng);
      }
      folder.write("tokenizer.json", json.dump());
      read += use(folder.path()) ? 1 : 0;
    }
  }
  CHECK(read > 0);
}

TEST_CASE("files that are cut short or have other bytes are read or refused") {
  tune::Rng rng(12);
  for (const auto& [folder_name, file] :
       {std::pair("gemma", "tokenizer.json"), std::pair("bert", "tokenizer.json"),
        std::pair("sentencepiece_bpe", "tokenizer.model"),
        std::pair("sentencepiece_bpe_unused", "tokenizer.model"),
        std::pair("sentencepiece_char", "tokenizer.model"),
        std::pair("sentencepiece_unigram_denormalized", "tokenizer.model"),
        std::pair("sentencepiece_unigram_nfkc_suffix", "tokenizer.model")}) {
    const std::string whole = tune::read_file(golden_folder() / folder_name / file);
    const TestFolder folder;
    for (int round = 0; round < kRounds; ++round) {
      std::string bytes = whole;
      if (round % 2 == 0) bytes.resize(rng.below(bytes.size()));
      for (std::uint64_t i = 0; i < 1 + rng.below(4) && !bytes.empty(); ++i)
        bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
      folder.write(file, bytes);
      use(folder.path());
    }
  }
}

TEST_CASE("a tokenizer.model that is larger than anybody's is refused before it is read") {
  const TestFolder folder;
  folder.write("tokenizer.model", "");
  std::filesystem::resize_file(folder.path() / "tokenizer.model", std::uintmax_t{1} << 34U);  // a hole
  CHECK_FALSE(use(folder.path()));
}

TEST_CASE("a vocab.txt of any bytes is read or refused") {
  tune::Rng rng(13);
  const TestFolder folder;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = "[UNK]\n[CLS]\n[SEP]\na\n##b\n";
    for (std::uint64_t i = 0; i < rng.below(40); ++i) bytes.push_back(static_cast<char>(rng.below(256)));
    folder.write("vocab.txt", bytes);
    use(folder.path());
  }
}

TEST_CASE("a chain of steps without end is refused") {
  const TestFolder folder;
  Json json = golden_json("gpt2/tokenizer.json"), steps = Json::array();
  for (int i = 0; i < 200; ++i) steps.push_back({{"type", "Lowercase"}});
  json["normalizer"] = {{"type", "Sequence"}, {"normalizers", steps}};
  folder.write("tokenizer.json", json.dump());
  CHECK_FALSE(use(folder.path()));
}
