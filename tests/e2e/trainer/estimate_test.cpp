// `tune-train estimate` beside what the same trial then takes, and `tune estimate` of a spec.
#include <sys/resource.h>

#include "support/shell_place.h"
#include "trial_json.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;

namespace {

OrderedJson trial(const OrderedJson& fixed) {
  return trial_json({{"task", "image_classification"}, {"model", "resnet18"}, {"data", "data"}}, fixed,
                    "validation:accuracy");
}

class EstimatedPlace : public ShellPlace {
 public:
  EstimatedPlace() : ShellPlace("export XDG_CACHE_HOME=$PWD/cache\n") {
    run("tune-train synthesize --task image_classification --output data --images 48 --size 64");
  }
  Json json(const std::string& command) const { return Json::parse(run(command).out); }
};

}  // namespace

TEST_CASE("a trial's peak memory is foreseen from steps of smaller batches") {
  const EstimatedPlace place;
  // Of some epochs: the heap of a process goes on growing beyond the first steps.
  place.write("trial.json", trial({{"epochs", 4}, {"batch_size", 16}, {"image_size", 64}}));
  // Seconds enough for steps of the whole batch on a machine that others use.
  const Json estimate = place.json("tune-train estimate --trial trial.json --seconds 5 --json 2> err");
  CHECK(estimate["batch_size"] == 16);
  CHECK(estimate["examples"] == 38);
  const std::int64_t parameters = estimate["parameters"];
  CHECK(estimate["trained_parameters"] == parameters);
  const Json& memory = estimate["memory"];
  CHECK(memory["counted_at"] == Json::array({4, 8}));
  CHECK(memory["measured_bytes"].is_number());
  // AdamW's two means of each parameter.
  CHECK(memory["parts"]["optimizer"].get<std::int64_t>() >= 8 * parameters);
  CHECK(memory["parts"]["weights"].get<std::int64_t>() >= 4 * parameters);
  std::int64_t sum = 0;
  for (const auto& [name, bytes] : memory["parts"].items()) sum += bytes.get<std::int64_t>();
  CHECK(sum == memory["total_bytes"]);
  CHECK(estimate["simple"]["total_bytes"] == 16 * parameters);
  CHECK(estimate["time"]["steps"] == 8);
  CHECK(estimate["storage"]["checkpoint_bytes"].get<std::int64_t>() >= 12 * parameters);
  CHECK_FALSE(std::filesystem::exists(place.path("checkpoints/at-1-0")));  // nothing of the trial is touched

  const Json peak = place.json(
      "mkdir -p checkpoints output; python3 -c \"import os, subprocess\n"
      "process = subprocess.Popen(['tune-train', '--trial', 'trial.json'], stdout=subprocess.DEVNULL, "
      "stderr=subprocess.DEVNULL)\n"
      "print(os.wait4(process.pid, 0)[2].ru_maxrss * 1024)\"");
  CAPTURE(memory.dump(), peak.dump());
  const double said = memory["total_bytes"].get<double>() / peak.get<double>();
  CHECK(said > 0.95);
  CHECK(said < 1.1);
  // What two smaller batches alone would have said.
  const double ratio = memory["carried_on_bytes"].get<double>() / peak.get<double>();
  CHECK(ratio > 0.9);
  CHECK(ratio < 1.2);
}

TEST_CASE("a search is estimated over its ranges, with its price and its storage", "[.][long]") {
  const EstimatedPlace place;
  place.write("search.json",
              {{"study", "estimated"},
               {"objective", {{"metric", "validation:accuracy"}, {"goal", "maximize"}}},
               {"parameters",
                {{"learning_rate", {{"type", "float"}, {"min", 1e-4}, {"max", 1e-2}, {"scale", "log"}}},
                 {"batch_size", {{"type", "int"}, {"min", 4}, {"max", 16}}}}},
               {"fixed", {{"epochs", 3}, {"image_size", 96}}},
               {"trainer", {{"task", "image_classification"}, {"model", "resnet18"}, {"data", "data"}}},
               {"early_stopping", {{"rule", "median"}}},
               {"limits", {{"trials", 6}, {"parallel", 1}}},
               {"cost", {{"usd_per_hour", 3.6}}}});
  const Json estimate = place.json("tune estimate search.json --seconds 0.1 --json");
  REQUIRE(estimate["points"].size() == 3);
  CHECK(estimate["points"][1]["parameters"]["batch_size"] == 4);
  CHECK(estimate["points"][2]["estimate"]["batch_size"] == 16);
  CHECK(estimate["largest"] == "largest");
  CHECK(estimate["fits"] == true);
  CHECK(estimate["trials"] == 6);
  const Json& hours = estimate["device_hours"];
  CHECK(hours["low"] <= hours["expected"]);
  CHECK(hours["expected"] <= hours["high"]);
  CHECK(estimate["usd"]["expected"].get<double>() == Approx(3.6 * hours["expected"].get<double>()));
  CHECK(estimate["share_after_stopping"]["expected"] < 1);
  CHECK(estimate["storage"]["models_bytes"] ==
        6 * estimate["points"][2]["estimate"]["storage"]["exported_bytes"].get<std::int64_t>());
  const ShellResult text = place.run("tune --spec search.json --dry-run --estimate 2> err");
  CHECK(text.out.find("Trial 1:") != std::string::npos);
  CHECK(text.out.find("Memory of the largest trial") != std::string::npos);
  CHECK(text.out.find("rule of thumb") != std::string::npos);
  CHECK(place.shell("test -e tune-store").exit_code != 0);
}

TEST_CASE("a program of one's own is bounded by its limits alone") {
  const ShellPlace place;
  place.write("search.json", {{"study", "own"},
                              {"objective", {{"metric", "loss"}, {"goal", "minimize"}}},
                              {"parameters", {{"lr", {{"type", "float"}, {"min", 0.1}, {"max", 1}}}}},
                              {"command", {"true", "{{lr}}"}},
                              {"metrics", Json::array({{{"name", "loss"}, {"regex", "loss=(.*)"}}})},
                              {"limits", {{"trials", 6}, {"trial_time", "10m"}}}});
  const ShellResult answer = place.run("tune estimate search.json");
  CHECK(answer.out.find("not measured beforehand") != std::string::npos);
  CHECK(answer.out.find("1.00 h at the most, one by one") != std::string::npos);
  CHECK(place.shell("tune --spec search.json --estimate").exit_code == 2);
}
