// Against Python's `tokenizers`: small tokenizers and texts of tests/golden/text/make_golden.py.
#include <filesystem>

#include "support/catch.h"
#include "trainer/text/tokenizer.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/text/golden_texts.h"

using tune::Json;
using tune::trainer::tests::golden_folder;
using tune::trainer::tests::golden_json;
using tune::trainer::tests::golden_texts;
using tune::trainer::text::Encoding;
using tune::trainer::text::Tokenizer;

namespace {

using Ids = std::vector<std::int64_t>;

Json numbers(const std::vector<bool>& flags) {
  Json list = Json::array();
  for (const bool flag : flags) list.push_back(flag ? 1 : 0);
  return list;
}

}  // namespace

TEST_CASE("every kind of tokenizer makes the ids that Python's library makes, and the texts of them") {
  const std::vector<std::string> texts = golden_texts();
  REQUIRE(texts.size() > 150);
  const Json expected = golden_json("expected.json");
  REQUIRE(expected.size() >= 20);
  for (const auto& [name, cases] : expected.items()) {
    const Tokenizer tokenizer = Tokenizer::open(golden_folder() / name);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      INFO(name << ", text " << i << ": "
                << Json(texts[i]).dump(-1, ' ', true, Json::error_handler_t::replace));
      const Ids ids = tokenizer.encode(texts[i]);
      CHECK(ids == cases["ids"][i].get<Ids>());
      const std::string decoded = tokenizer.decode(ids, false), skipped = tokenizer.decode(ids, true);
      CHECK(decoded == (cases["decoded"][i].is_null() ? tune::trainer::tests::replaced(texts[i])
                                                      : cases["decoded"][i].get<std::string>()));
      CHECK(skipped == (cases["skipped"][i].is_null() ? decoded : cases["skipped"][i].get<std::string>()));
    }
  }
}

TEST_CASE("templates and limits are those of Python's library, for one text and for two") {
  const std::vector<std::string> texts = golden_texts();
  const Json expected = golden_json("expected.json");
  for (const auto& [name, cases] : expected.items()) {
    const Tokenizer tokenizer = Tokenizer::open(golden_folder() / name);
    for (std::size_t i = 0; i < cases["pairs"].size(); ++i) {
      INFO(name << ", pair " << i);
      const Json& pair = cases["pairs"][i];
      const std::string &first = texts[i], &second = texts[i + 60];
      const Encoding one = tokenizer.encode_one(first, 9), two = tokenizer.encode_pair(first, second, 9);
      CHECK(Json(one.ids) == pair[0]);
      CHECK(Json(one.type_ids) == pair[1]);
      CHECK(numbers(one.is_special) == pair[2]);
      CHECK(Json(two.ids) == pair[3]);
      CHECK(Json(two.type_ids) == pair[4]);
      CHECK(numbers(two.is_special) == pair[5]);
      // What was cut is counted.
      const Encoding whole = tokenizer.encode_pair(first, second, std::nullopt);
      CHECK(two.cut == whole.ids.size() - two.ids.size());
    }
  }
}

TEST_CASE("a stream gives back whole characters, and all of its pieces are the text") {
  const std::vector<std::string> texts = golden_texts();
  for (const char* name : {"bert", "gpt2", "llama3", "qwen2", "gemma", "llama2", "unigram",
                           "sentencepiece_bpe", "sentencepiece_unigram_nmt_nfkc_cf",
                           "sentencepiece_bpe_across_spaces", "sentencepiece_bpe_nfkc_cf_suffix"}) {
    const Tokenizer tokenizer = Tokenizer::open(golden_folder() / name);
    tune::trainer::text::StreamDecoder stream(tokenizer, true);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (tune::trainer::tests::replaced(texts[i]) != texts[i]) continue;  // an open character ends as U+FFFD
      const Ids ids = tokenizer.encode(texts[i]);
      std::string text;
      for (const std::int64_t id : ids) {
        const std::string piece = stream.push(id);
        INFO(name << ", text " << i);
        CHECK(tune::trainer::tests::replaced(piece) == piece);
        text += piece;
      }
      text += stream.finish();
      INFO(name << ", text " << i);
      CHECK(text == tokenizer.decode(ids, true));
    }
  }
}

TEST_CASE("a folder with a model of sentencepiece makes its ids and its texts") {
  const std::vector<std::string> texts = golden_texts();
  const Json expected = golden_json("sentencepiece.json");
  for (const std::string kind : {"bpe", "unigram"}) {
    const Tokenizer tokenizer = Tokenizer::open(golden_folder() / ("sentencepiece_" + kind));
    const Json& cases = expected[kind];
    std::size_t seen = 0;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      // Control tokens in a text are found here, as added tokens are, and spelt by sentencepiece alone.
      if (texts[i].find("<s>") != std::string::npos || texts[i].find("</s>") != std::string::npos) continue;
      INFO(kind << ", text " << i);
      const Ids ids = tokenizer.encode(texts[i]);
      CHECK(ids == cases["ids"][i].get<Ids>());
      CHECK(tokenizer.decode(ids, false) == (cases["decoded"][i].is_null()
                                                 ? tune::trainer::tests::replaced(texts[i])
                                                 : cases["decoded"][i].get<std::string>()));
      ++seen;
    }
    CHECK(seen > 100);
    CHECK(tokenizer.encode_one("the steel", std::nullopt).ids.front() == tokenizer.specials().begin);
    CHECK(tokenizer.encode("<s>the</s>").front() == tokenizer.id_of("<s>"));
    CHECK(tokenizer.decode(tokenizer.encode("<s>the</s>"), true) == "the");
  }
  // Where the model says so, other pieces begin and end a text.
  const Tokenizer tokenizer = Tokenizer::open(golden_folder() / "sentencepiece_char");
  CHECK(tokenizer.encode_one("the", std::nullopt).ids.front() == tokenizer.id_of("<begin>"));
  CHECK(tokenizer.specials().end == tokenizer.id_of("<end>"));
  CHECK(tokenizer.specials().pad == 3);
}
