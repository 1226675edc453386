// A language model that answers several prompts at once: each as alone, whatever comes in and leaves
// meanwhile.
#include "trainer/tasks/language_model/served_language_model.h"

#include <cmath>
#include <map>
#include <sstream>

#include "test_folder.h"
#include "tiny_language_model.h"
#include "trainer/tasks/language_model/adapter.h"
#include "trainer/tasks/language_model/answer_writer.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/tasks/language_model/model_folder.h"

using namespace tune;
using namespace tune::trainer;
using namespace tune::trainer::language_model;
using trainer::tests::message_of, trainer::tests::TestFolder;
namespace fs = std::filesystem;

namespace {

class ServedPlace {
 public:
  ServedPlace() {
    OrderedJson config = tune::tests::tiny_config();
    config["max_position_embeddings"] = 1024;
    tune::tests::write_tiny_language_model(base(), config);
  }
  fs::path base() const { return folder_.path() / "base"; }
  // Of random weights, which change much.
  fs::path adapter(const std::string& name, std::uint64_t seed, const LoraSettings& settings = {}) const {
    std::ostringstream notes;
    OpenedModel model = open_model(base(), "", notes);
    torch::manual_seed(seed);
    add_adapter(model.decoder, name, settings);
    const torch::NoGradGuard no_grad;
    for (auto& parameter : model.decoder->named_parameters())
      if (parameter.key().find(".lora_B.") != std::string::npos) parameter.value().normal_(0, 1);
    const fs::path place = folder_.path() / name;
    write_adapter(place, weights::state_dict(*model.decoder), name, settings, base());
    return place;
  }
  std::shared_ptr<served::Generator> serve(const std::map<std::string, fs::path>& adapters = {}) const {
    std::ostringstream notes;
    return serve_language_model({base(), {}, adapters, 1, notes}).generator;
  }
  // What `predict` says.
  std::string alone(const fs::path& folder, const std::vector<std::int64_t>& prompt,
                    const GenerationSettings& settings) const {
    std::ostringstream notes;
    OpenedModel model = open_model(folder, "", notes);
    return generate(model.decoder, model.base->tokenizer, model.base->ends, {prompt}, settings, 1,
                    torch::kCPU, [] { return false; })
        .front()
        .text;
  }

 private:
  TestFolder folder_;
};

std::vector<std::int64_t> ids_from(std::int64_t length, std::int64_t first) {
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < length; ++i) ids.push_back((first + 7 * i) % 200);
  return ids;
}

// Steps until all are done; what each has said.
std::map<std::uint64_t, std::string> finished(served::Generator& model) {
  std::map<std::uint64_t, std::string> texts;
  while (model.under_way() > 0)
    for (const served::Written& piece : model.step()) texts[piece.id] += piece.text;
  return texts;
}

}  // namespace

TEST_CASE("Answers that are written together, and come in one after the other, are those of each alone") {
  const ServedPlace place;
  const auto model = place.serve();
  std::map<std::uint64_t, std::string> wanted, texts;
  for (std::uint64_t id = 0; id < 12; ++id) {  // more than are decoded at once
    served::GenerationRequest request{
        ids_from(3 + 11 * static_cast<std::int64_t>(id), static_cast<std::int64_t>(id))};
    request.settings.max_new_tokens = 4 + static_cast<std::int64_t>(id) % 5;
    request.settings.temperature = id % 2 == 0 ? 0 : 0.8;
    request.settings.seed = 5;
    wanted[id] = place.alone(place.base(), request.prompt, request.settings);
    model->begin(id, request);
    if (id % 3 == 2)
      for (const served::Written& piece : model->step()) texts[piece.id] += piece.text;
  }
  for (const auto& [id, text] : finished(*model)) texts[id] += text;
  CHECK(texts == wanted);
}

TEST_CASE("A long prompt comes in by parts, and others are answered meanwhile") {
  const ServedPlace place;
  const auto model = place.serve();
  served::GenerationRequest brief{ids_from(4, 1)}, lengthy{ids_from(700, 2)}, late{ids_from(5, 3)};
  brief.settings.max_new_tokens = lengthy.settings.max_new_tokens = late.settings.max_new_tokens = 6;
  model->begin(0, brief);
  model->step();
  model->begin(1, lengthy);
  model->begin(2, late);
  bool has_waited = false, goes_on = false;
  std::map<std::uint64_t, std::string> texts;
  for (int steps = 0; steps < 2; ++steps)
    for (const served::Written& piece : model->step()) {
      has_waited = has_waited || piece.id != 1;
      goes_on = goes_on || piece.id == 0;
      texts[piece.id] += piece.text;
    }
  CHECK(has_waited);
  CHECK(goes_on);
  for (const auto& [id, text] : finished(*model)) texts[id] += text;
  CHECK(texts[1] == place.alone(place.base(), lengthy.prompt, lengthy.settings));
  CHECK(texts[2] == place.alone(place.base(), late.prompt, late.settings));
}

TEST_CASE("Adapters take turns on one base, and what is dropped leaves the others as they are") {
  const ServedPlace place;
  const fs::path first = place.adapter("first", 3), second = place.adapter("second", 4);
  const auto model = place.serve({{"one.point", first}, {"two", second}});
  CHECK(model->facts().adapters == std::vector<std::string>{"one.point", "two"});
  const std::string adapters[] = {"", "one.point", "two"};
  const fs::path folders[] = {place.base(), first, second};
  std::map<std::uint64_t, std::string> wanted;
  for (std::uint64_t id = 0; id < 6; ++id) {
    served::GenerationRequest request{ids_from(5, static_cast<std::int64_t>(id)), adapters[id % 3]};
    request.settings.max_new_tokens = 8;
    wanted[id] = place.alone(folders[id % 3], request.prompt, request.settings);
    model->begin(id, request);
  }
  served::GenerationRequest dropped{ids_from(9, 50), "two"};
  dropped.settings.max_new_tokens = 500;
  model->begin(6, dropped);
  std::map<std::uint64_t, std::string> texts;
  for (int steps = 0; steps < 4; ++steps)
    for (const served::Written& piece : model->step()) texts[piece.id] += piece.text;
  model->drop({6});
  for (const auto& [id, text] : finished(*model)) texts[id] += text;
  texts.erase(6);
  CHECK(texts == wanted);
  CHECK(std::set<std::string>{texts[0], texts[1], texts[2]}.size() == 3);
}

TEST_CASE("Adapters that change their base are refused where others share it") {
  const ServedPlace place;
  LoraSettings saves;
  saves.saved_modules = {"lm_head"};
  const fs::path plain = place.adapter("plain", 3), changing = place.adapter("changing", 4, saves);
  CHECK(message_of(ExitCode::kBadData, [&] {
          place.serve({{"plain", plain}, {"changing", changing}});
        }).find("modules_to_save") != std::string::npos);
  CHECK(message_of(ExitCode::kNotFound, [&] {
          place.serve({{"plain", place.base()}});
        }).find("no adapter") != std::string::npos);
}

TEST_CASE("A text that ends an answer is never shown, also where it is cut into pieces") {
  const ServedPlace place;
  std::ostringstream notes;
  const OpenedModel model = open_model(place.base(), "", notes);
  const text::Tokenizer& tokenizer = model.base->tokenizer;
  // Logits that make the tokens of a text come one after the other.
  const auto say = [&](const std::string& said, const std::vector<std::string>& stops, served::End& end) {
    GenerationSettings settings{.max_new_tokens = static_cast<std::int64_t>(said.size()), .stops = stops};
    AnswerWriter writer(tokenizer, {1}, settings, {tune::tests::kTinyEnd}, 1024, 0);
    std::string text;
    for (const char c : said) {
      std::vector<float> logits(tune::tests::kTinyWords, 0.0F);
      logits[static_cast<unsigned char>(c)] = 1;
      const std::string piece = writer.advance(logits).text;
      for (const std::string& stop : stops) CHECK((text + piece).find(stop) == std::string::npos);
      text += piece;
      if (writer.is_done()) break;
    }
    end = writer.end();
    return text;
  };
  served::End end = served::End::kNone;
  CHECK(say("one END two", {"END"}, end) == "one ");
  CHECK(end == served::End::kStop);
  CHECK(say("one ENx two", {"END"}, end) == "one ENx two");
  CHECK(end == served::End::kLength);
  CHECK(say("one EN", {"END"}, end) == "one EN");
  CHECK(say("ababac", {"abac", "xyz"}, end) == "ab");
  CHECK(say("a\xC3\xA9o", {"\xC3\xA9"}, end) == "a");
  CHECK(say("a\xC3\xA9o", {}, end) == "a\xC3\xA9o");
}

TEST_CASE("Scores are log-probabilities, of which the chosen one is the largest without a temperature") {
  const ServedPlace place;
  const auto model = place.serve();
  served::GenerationRequest request{ids_from(5, 1)};
  request.settings.max_new_tokens = 3;
  request.alternatives = tune::tests::kTinyWords;
  model->begin(0, request);
  std::size_t tokens = 0;
  while (model->under_way() > 0)
    for (const served::Written& piece : model->step())
      for (const served::WrittenToken& token : piece.scores) {
        ++tokens;
        double total = 0;
        for (const served::TokenScore& other : token.alternatives) total += std::exp(other.logprob);
        CHECK(total == Approx(1).epsilon(1e-4));
        CHECK(token.alternatives.front().logprob == Approx(token.chosen.logprob));
      }
  CHECK(tokens == 3);
}

TEST_CASE("The tokens of one character have scores with the bytes of each") {
  const ServedPlace place;
  std::ostringstream notes;
  const OpenedModel model = open_model(place.base(), "", notes);
  AnswerWriter writer(model.base->tokenizer, {1}, {.max_new_tokens = 3}, {tune::tests::kTinyEnd}, 1024, 0, 0);
  std::string text;
  for (const int byte : {0xC3, 0xA9, 0x20}) {
    std::vector<float> logits(tune::tests::kTinyWords, 0.0F);
    logits[static_cast<std::size_t>(byte)] = 1;
    const served::Written written = writer.advance(logits);
    CHECK(written.scores.at(0).chosen.token == std::string(1, static_cast<char>(byte)));
    text += written.text;
  }
  CHECK(text == "\xC3\xA9 ");
}

TEST_CASE("Presence and frequency are taken from what was written, and from nothing else") {
  const std::map<std::int64_t, int> written{{1, 2}};
  const std::vector<std::int64_t> prompt{0};
  Rng rng(1);
  std::vector<float> logits{5, 4.9F, 4, 0};
  const auto choose = [&](const GenerationSettings& settings) {
    std::vector<float> own = logits;
    return next_token(own, settings, {prompt, written}, rng);
  };
  CHECK(choose({}) == 0);
  CHECK(choose({.presence_penalty = 2}) == 0);
  logits = {4.5F, 5, 4, 0};
  CHECK(choose({}) == 1);
  CHECK(choose({.presence_penalty = 0.4}) == 1);
  CHECK(choose({.presence_penalty = 0.6}) == 0);
  CHECK(choose({.frequency_penalty = 0.2}) == 1);
  CHECK(choose({.frequency_penalty = 0.3}) == 0);
}

TEST_CASE("Draws follow the distribution that temperature, top-k and top-p leave") {
  std::vector<float> logits(3000, -20.0F);
  for (std::size_t i = 0; i < 4; ++i)
    logits[700 * i] = static_cast<float>(std::log(4.0 - static_cast<double>(i)));  // 4 : 3 : 2 : 1
  const auto shares = [&](GenerationSettings settings) {
    settings.temperature = 1;
    constexpr int kDraws = 4000;
    std::map<std::int64_t, double> found;
    Rng rng(7);
    for (int i = 0; i < kDraws; ++i) {
      std::vector<float> own = logits;
      found[next_token(own, settings, {{}, {}}, rng)] += 1.0 / kDraws;
    }
    return found;
  };
  const auto all = shares({});
  CHECK(all.at(0) == Approx(0.4).margin(0.03));
  CHECK(all.at(2100) == Approx(0.1).margin(0.03));
  CHECK(shares({.top_k = 2}).size() == 2);
  CHECK(shares({.top_k = 2}).at(0) == Approx(4.0 / 7).margin(0.03));
  CHECK(shares({.top_p = 0.65}).size() == 2);
  // As many as there are, too: what is left over of sorting has its share.
  std::fill(logits.begin(), logits.end(), 0.0F);
  CHECK(shares({}).size() > 2000);
  CHECK(shares({.top_p = 0.5}).size() > 1000);
  CHECK(shares({.top_p = 0.5}).size() <= 1500);
  logits[5] = std::nanf("");
  CHECK(message_of(ExitCode::kInternal, [&] { shares({}); }).find("not finite") != std::string::npos);
}
