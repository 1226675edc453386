// Against Python's `sentencepiece`: small models of tests/golden/text/make_sentencepiece.py.
#include "trainer/text/sentence_piece.h"

#include <protozero/pbf_writer.hpp>

#include "unit/trainer/test_folder.h"
#include "unit/trainer/text/golden_texts.h"

using tune::ExitCode;
using tune::Json;
using tune::trainer::tests::contains;
using tune::trainer::tests::golden_folder;
using tune::trainer::tests::golden_json;
using tune::trainer::tests::golden_texts;
using tune::trainer::tests::message_of;
using tune::trainer::tests::replaced;
using tune::trainer::text::read_sentence_piece_file;
using tune::trainer::text::SentencePiece;
using tune::trainer::text::SentencePieceFile;
using tune::trainer::text::Vocabulary;

namespace {

using Ids = std::vector<std::int64_t>;
using protozero::pbf_writer;

struct Loaded {
  explicit Loaded(const std::string& bytes)
      : model(read_sentence_piece_file(bytes, "tokenizer.model"), "tokenizer.model", vocabulary) {}
  Ids encode(const std::string& text) const {
    Ids ids;
    model.append_ids(text, ids);
    return ids;
  }
  Vocabulary vocabulary;
  SentencePiece model;
};

std::string golden_model(const std::string& kind) {
  return tune::read_file(golden_folder() / ("sentencepiece_" + kind) / "tokenizer.model");
}

std::string refusal(const std::string& bytes) {
  return message_of(ExitCode::kBadData, [&] { Loaded(bytes).encode("the \xEF\xAC\x81"); });
}

// A message of what `write` writes; behind it, it takes the place of what was there before.
template <typename Write>
std::string message(const Write& write) {
  std::string bytes;
  pbf_writer writer(bytes);
  write(writer);
  return bytes;
}

std::string piece(const std::string& text, int kind, float score = 0) {
  return message([&](pbf_writer& model) {
    model.add_message(1, message([&](pbf_writer& fields) {
                        fields.add_string(1, text);
                        fields.add_float(2, score);
                        fields.add_int32(3, kind);
                      }));
  });
}

std::string in_field(std::uint32_t field, const std::string& content) {
  return message([&](pbf_writer& model) { model.add_message(field, content); });
}

std::string rules(const std::string& compiled) {
  return in_field(3, message([&](pbf_writer& fields) { fields.add_bytes(2, compiled); }));
}

std::string little_endian(std::uint32_t number) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(number >> 8 * i & 0xFFU));
  return bytes;
}

// The rule `a` -> what begins at `value` of the replacements.
std::string rule_of_a(std::uint32_t value, const std::string& replacements) {
  std::vector<std::uint32_t> units(256);
  units[0] = 1U << 10U;                                  // children lie at 1 ^ their byte
  units[1U ^ 'a'] = 'a' | 1U << 8U | (4U ^ 96U) << 10U;  // it has a leaf
  units[1U ^ 'a' ^ 4U ^ 96U] = value | 1U << 31U;
  std::string bytes = little_endian(4 * 256);
  for (const std::uint32_t unit : units) bytes += little_endian(unit);
  return bytes + replacements;
}

const std::string kUnknown = piece("<unk>", 2);

}  // namespace

TEST_CASE("models of sentencepiece of every kind make the library's ids, and its texts of them") {
  const std::vector<std::string> texts = golden_texts();
  const Json expected = golden_json("sentencepiece.json");
  REQUIRE(expected.size() >= 12);
  for (const auto& [kind, cases] : expected.items()) {
    const Loaded loaded(golden_model(kind));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const std::string text = replaced(texts[i]);
      INFO(kind << ", text " << i << ": " << Json(text).dump(-1, ' ', true));
      const Ids ids = loaded.encode(text);
      CHECK(ids == cases["ids"][i].get<Ids>());
      const std::string decoded = loaded.model.decode({ids.begin(), ids.end()});
      CHECK(decoded == (cases["decoded"][i].is_null() ? text : cases["decoded"][i].get<std::string>()));
    }
  }
}

TEST_CASE("bytes that are no character are decoded to U+FFFD one by one, as sentencepiece has it") {
  const Loaded loaded(golden_model("bpe"));
  const auto byte = [&](const char* token) { return loaded.vocabulary.id_of(token).value(); };
  CHECK(loaded.model.decode({byte("<0xE2>"), byte("<0x82>"), byte("<0x41>")}) == "\uFFFD\uFFFDA");
  CHECK(loaded.model.decode({byte("<0xE2>"), byte("<0x82>"), byte("<0xAC>")}) == "\u20AC");
}

TEST_CASE("fields that say nothing about pieces, or are of another type, are passed over") {
  const std::string bytes = golden_model("bpe_nmt_nfkc");
  const std::string more = message([](pbf_writer& model) {
    model.add_string(4, "self-test");
    model.add_fixed64(200, 7);
    model.add_int32(2, 5);
  });
  CHECK(Loaded(bytes + more).encode("the steel") == Loaded(bytes).encode("the steel"));
}

TEST_CASE("what is wrong with a model of sentencepiece is named") {
  const std::string whole = golden_model("bpe");
  CHECK(contains(refusal(""), "tokenizer.model: no model of sentencepiece, or a damaged one: there are no"));
  CHECK(contains(refusal(whole.substr(0, whole.size() / 2)), "it is no protobuf message"));
  CHECK(contains(refusal(std::string("\x0B\x0C", 2)), "it is no protobuf message"));  // a group
  CHECK(contains(refusal(kUnknown + piece("", 1)), "piece 1 is empty"));
  CHECK(contains(refusal(kUnknown + piece("\xFF", 1)), "piece 1 is not UTF-8"));
  CHECK(contains(refusal(kUnknown + piece("a", 9)), "piece 1 is of the unknown kind 9"));
  CHECK(contains(refusal(kUnknown + piece("a", 1, std::nanf(""))), "the score of \"a\" is no number"));
  CHECK(contains(refusal(kUnknown + piece("a", 1) + piece("a", 4)), "the piece \"a\" is there twice"));
  CHECK(contains(refusal(piece("a", 1)), "there is no unknown piece"));
  CHECK(contains(refusal(kUnknown + piece("<u>", 2)), "\"<u>\" is a second unknown piece"));
  CHECK(contains(refusal(kUnknown + piece("<0x0a>", 6)), "\"<0x0a>\" is no piece of a byte"));
  CHECK(contains(refusal(kUnknown + piece("<0x0A>", 6)), "it has 1 pieces of bytes, and none is asked for"));
  const auto training = [](std::uint32_t field, std::int32_t value) {
    return in_field(2, message([&](pbf_writer& fields) { fields.add_int32(field, value); }));
  };
  CHECK(contains(refusal(kUnknown + piece("<0x0A>", 6) + training(35, 1)), "and 256 are asked for"));
  CHECK(contains(refusal(kUnknown + training(3, 3)), "models of whole words are not known"));
  CHECK(contains(refusal(kUnknown + training(3, 7)), "the model is of the unknown kind 7"));
}

TEST_CASE("damaged rules of a normalizer are refused before a text is, or where a text needs them") {
  const auto with = [](const std::string& compiled) { return kUnknown + piece("a", 1) + rules(compiled); };
  CHECK(Loaded(kUnknown + piece("\u2581xy", 1) + rules(rule_of_a(0, std::string("xy\0", 3)))).encode("a") ==
        Ids{1});
  CHECK(contains(refusal(with("ab")), "the rules of its normalizer are cut short"));
  CHECK(contains(refusal(with(little_endian(4) + "abcd")), "the rules of its normalizer are cut short"));
  CHECK(contains(refusal(with(little_endian(5) + "abcdef")), "the rules of its normalizer are cut short"));
  CHECK(contains(refusal(with(rule_of_a(0, "xy"))), "not UTF-8 that ends with 0"));
  CHECK(contains(refusal(with(rule_of_a(0, std::string("\xC3\0", 2)))), "not UTF-8 that ends with 0"));
  CHECK(contains(refusal(with(rule_of_a(0, std::string(1025, 'x') + '\0'))), "is longer than 1024 bytes"));
  for (const std::uint32_t place : {1U, 3U, 0x7FFFFFFFU}) {
    const Loaded damaged(with(rule_of_a(place, std::string("\u00E9\0", 3))));
    CHECK(damaged.encode("b") == Ids{0});
    CHECK(contains(message_of(ExitCode::kBadData, [&] { damaged.encode("a"); }), "of no whole characters"));
  }
}
