// Bodies that nobody meant: whatever comes in is read or refused, and nothing else happens.
#include "protocol_facts.h"
#include "support/catch.h"
#include "trainer/serve/protocols/answer_json.h"
#include "trainer/serve/protocols/completions.h"
#include "trainer/serve/protocols/inference_v2.h"
#include "trainer/serve/protocols/invocations.h"
#include "tuner/core/rng.h"

using namespace tune::trainer;
using tune::Rng;

namespace {

std::string mutated(std::string text, Rng& rng) {
  const std::uint64_t changes = 1 + rng.below(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    const auto at = static_cast<std::size_t>(rng.below(text.size() + 1));
    const char byte = static_cast<char>(rng.below(256));
    const std::string_view words[] = {
        "null", "-1", "1e999", "[", "{", "\"", "\\u0000", "18446744073709551616", ",", "]"};
    switch (rng.below(5)) {
      case 0:
        if (at < text.size()) text[at] = byte;
        break;
      case 1:
        text.insert(at, 1, byte);
        break;
      case 2:
        text.insert(at, words[rng.below(std::size(words))]);
        break;
      case 3:
        text.erase(at, static_cast<std::size_t>(rng.below(8)));
        break;
      default:
        text.insert(at, text.substr(static_cast<std::size_t>(rng.below(text.size() + 1)), 12));
    }
  }
  return text;
}

template <typename Read>
void read_mutations(const std::vector<std::string>& seeds, Read&& read) {
  constexpr std::uint64_t kRounds = 3000;
  std::size_t refused = 0;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    Rng rng(17, round);
    const std::string body = mutated(seeds[rng.below(seeds.size())], rng);
    try {
      read(body, rng);
    } catch (const serve::Refusal& refusal) {
      ++refused;
      CHECK(refusal.status() >= 400);
      CHECK(refusal.status() < 500);
    }
  }
  CHECK(refused > 0);
}

}  // namespace

TEST_CASE("Damaged bodies of OpenAI's endpoints are read or refused") {
  read_mutations(
      {R"({"model":"a","messages":[{"role":"user","content":[{"type":"text","text":"x"}]}],"stop":["a","b"],"seed":3,"top_p":0.5,"stream":true,"stream_options":{"include_usage":true}})"},
      [](const std::string& body, Rng&) { serve::read_completion(body, true); });
  read_mutations({R"({"model":"a","prompt":[[1,2],[3]],"logprobs":2,"max_tokens":5,"echo":false,"n":1})"},
                 [](const std::string& body, Rng&) { serve::read_completion(body, false); });
}

TEST_CASE("Damaged invocations are read or refused") {
  const char* types[] = {"application/json",    "image/jpeg", "text/plain",
                         "application/x-image", "",           "text/csv"};
  const auto read = [&](const served::Facts& facts) {
    return [&types, facts](const std::string& body, Rng& rng) {
      serve::read_invocation(facts, types[rng.below(std::size(types))], body);
    };
  };
  read_mutations({R"({"instances":[{"b64":"YWJj"},"YQ=="]})", R"({"b64":"YWJjZGVm"})"},
                 read(tune::tests::detector_facts()));
  read_mutations({R"({"instances":["a",["b","c"],{"text":"d","second":"e"}]})"},
                 read(tune::tests::text_facts(true)));
  read_mutations({R"({"inputs":["a","b"],"parameters":{"max_new_tokens":3,"stop":"x","do_sample":true}})"},
                 read(tune::tests::prompt_facts()));
}

TEST_CASE("Damaged tensors are read or refused") {
  const std::string json =
      R"({"id":"1","inputs":[{"name":"image","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":11}}],"outputs":[{"name":"label","parameters":{"binary_data":true}}]})";
  const std::string with_bytes = json + std::string("\2\0\0\0ab\1\0\0\0c", 11);
  read_mutations(
      {with_bytes,
       R"({"inputs":[{"name":"pixels","datatype":"UINT8","shape":[1,1,2,3],"data":[[1,2,3],[4,5,6]]}]})",
       R"({"inputs":[{"name":"input","datatype":"FP32","shape":[1,3,1,1],"data":[0.5,1,-2]}]})"},
      [&](const std::string& body, Rng& rng) {
        served::Facts facts = tune::tests::classifier_facts();
        facts.image_size = 1;
        std::optional<std::size_t> size;
        if (rng.below(2) == 0) size = static_cast<std::size_t>(rng.below(body.size() + 2));
        serve::read_infer(facts, body, rng.below(4) == 0 ? std::optional(json.size()) : size);
      });
}
