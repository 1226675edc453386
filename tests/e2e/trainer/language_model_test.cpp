// Language models: a search over adapters whose best one answers, and what other programs wrote.
#include "support/shell_place.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;
namespace fs = std::filesystem;

namespace {

class LanguagePlace : public ShellPlace {
 public:
  LanguagePlace() : ShellPlace("export XDG_CACHE_HOME=$PWD/cache OMP_NUM_THREADS=1\n") {
    for (const char* name : {"draw_model.py", "search-tiny.json", "search.json", "terms.csv"})
      fs::copy(fs::path(TUNE_SOURCE_DIR) / "examples/language-model" / name, path(name));
    run("python3 draw_model.py");
  }
  double loss_of(const std::string& model) const {
    return Json::parse(run("tune-train evaluate --model " + model + " --data terms.csv --json").out)
        .at("loss");
  }
};

}  // namespace

TEST_CASE("A search over an adapter's rank, scale, rate and layers promotes one that answers") {
  const LanguagePlace place;
  OrderedJson spec = place.read("search-tiny.json");
  spec["limits"]["trials"] = 3;
  place.write("search.json", spec);
  place.run("tune --spec search.json --store store");
  const Json trials = Json::parse(place.run("tune trials tiny-terms --store store --json").out).at("trials");
  REQUIRE(trials.size() == 3);
  for (const Json& trial : trials) CHECK(trial.at("state") == "completed");
  const Json best = Json::parse(place.run("tune best tiny-terms --store store --json").out);
  // Texts are no crops of one another.
  CHECK(place.run("tune best tiny-terms --store store").out.find("may leak") == std::string::npos);
  const std::string model = "store/models/tiny-terms/current";
  const OrderedJson adapter = place.read(model + "/adapter_config.json");
  CHECK(adapter.at("r") == best.at("parameters").at("lora_config.r"));
  CHECK(adapter.at("lora_alpha") == best.at("parameters").at("lora_config.alpha"));
  CHECK(place.loss_of(model) < place.loss_of("tiny") - 0.5);
  const Json answered = Json::parse(
      place.run("tune-train predict --model " + model + " --prompt 'Define: slag' --max-new-tokens 8 --json")
          .out);
  REQUIRE(answered.at("answers").size() == 1);
  CHECK(answered.at("answers")[0].at("tokens") <= 8);
  // Merged for other programs it says the same.
  place.run("tune-train export --model " + model + " --output merged");
  place.run("tune-train export --model " + model + " --output merged.gguf --type f32");
  for (const char* merged : {"merged", "merged.gguf"})
    CHECK(place.loss_of(merged) == Approx(place.loss_of(model)).epsilon(1e-4));
}

TEST_CASE(
    "Trials compute in the precision that their hyperparameters ask for, and imitated bf16 is said once") {
  const LanguagePlace place;
  OrderedJson spec = place.read("search-tiny.json");
  spec["parameters"] = {{"bf16", {{"type", "categorical"}, {"values", {true, false}}}}};
  spec["fixed"] = {{"max_steps", 2}, {"batch_size", 2}};
  spec["strategy"] = {{"name", "grid"}};
  spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  place.write("search.json", spec);
  place.run("tune --spec search.json --store store");
  std::string cpu = tune::read_file("/proc/cpuinfo");
  const bool has_units =
      cpu.find("avx512_bf16") != std::string::npos || cpu.find("amx_bf16") != std::string::npos;
  const Json trials = Json::parse(place.run("tune trials tiny-terms --store store --json").out).at("trials");
  REQUIRE(trials.size() == 2);
  for (const Json& trial : trials) {
    INFO(trial.dump());
    CHECK(trial.at("state") == "completed");
    const std::string attempt = "store/tiny-terms/trials/" + trial.at("trial").dump() + "/attempts/1/";
    const bool asks = trial.at("parameters").at("bf16");
    CHECK(place.read(attempt + "output/model.json").at("precision") == (asks ? "bf16" : "fp32"));
    const std::string log = tune::read_file(place.path(attempt + "log")), warning = "no units for bf16";
    const std::size_t said = log.find(warning);
    CHECK((said != std::string::npos) == (asks && !has_units));
    CHECK((said == std::string::npos || log.find(warning, said + 1) == std::string::npos));
  }
}

TEST_CASE("Models of other programs are language models without being called so") {
  const LanguagePlace place;
  place.run("tune-train predict --model tiny --prompt 'Define: slag' --max-new-tokens 2");
  const std::string golden = TUNE_SOURCE_DIR "/tests/golden/language_model/";
  for (const std::string file : {"tiny", "tiny/model.safetensors"}) {
    const Json seen =
        Json::parse(place.run("tune-train inspect-weights " + file + " --model llama --json").out)
            .at("model");
    CHECK(seen.at("loaded").size() == 20);
    CHECK(seen.at("missing").empty());
    CHECK(seen.at("refused").is_null());
  }
  const Json packed = Json::parse(
      place.run("tune-train inspect-weights " + golden + "tiny-llama-q4_0.gguf --model auto --json").out);
  CHECK(packed.at("format") == "GGUF");
  CHECK(packed.at("model").at("missing").empty());
  CHECK(packed.at("tensors").dump().find("Q4_0") != std::string::npos);
  const ShellResult other = place.shell("tune-train inspect-weights tiny --model qwen3");
  CHECK(other.exit_code == 65);
  CHECK(other.err.find("a llama, not a qwen3") != std::string::npos);
}

TEST_CASE("The example's search of SmolLM2 is sound but for the base, which is fetched") {
  const LanguagePlace place;
  const ShellResult missing = place.shell("tune check search.json");
  CHECK(missing.exit_code != 0);
  CHECK(missing.err.find("SmolLM2-135M-Instruct.Q4_1.gguf") != std::string::npos);
  place.run("touch SmolLM2-135M-Instruct.Q4_1.gguf && tune check search.json");
}
