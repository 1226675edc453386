// Searches on real photographs of steel (NEU-DET), found through TUNE_NEU_DET; they are never part of the
// project.
#include <cstdlib>
#include <fstream>
#include <iostream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "support/skip.h"
#include "tuner/core/json.h"

using tune::Json;
using namespace tune::tests;

namespace {

struct Search {
  const char* recipe;
  int trials, epochs;
  const char* metric = "validation:mAP";
  const char* goal = "maximize";
};

Json spec_of(const Search& search, const std::string& data) {
  const bool latest = std::string(search.recipe) == "latest";
  Json parameters =
      latest
          ? Json{{"adam_learning_rate", {{"type", "float"}, {"min", 3e-4}, {"max", 1e-2}, {"scale", "log"}}}}
          : Json{{"learning_rate", {{"type", "float"}, {"min", 0.002}, {"max", 0.05}, {"scale", "log"}}},
                 {"momentum", {{"type", "float"}, {"min", 0.85}, {"max", 0.97}, {"scale", "reverse_log"}}},
                 {"weight_decay", {{"type", "float"}, {"min", 1e-5}, {"max", 1e-3}, {"scale", "log"}}}};
  return {
      {"study", std::string("neu-") + search.recipe},
      {"objective", {{"metric", search.metric}, {"goal", search.goal}}},
      {"parameters", parameters},
      {"fixed", {{"epochs", search.epochs}, {"batch_size", 8}}},
      {"trainer",
       {{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"recipe", search.recipe}, {"data", data}}},
      {"strategy", {{"name", "auto"}, {"seed", 3}}},
      {"limits", {{"trials", search.trials}}},
      {"promote", {{"model", "steel"}}}};
}

// Runs the search and returns the promoted model's description, with its metrics on the validation images.
Json run_search(const Search& search, const char* data) {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "search.json") << spec_of(search, data);
  const ShellResult run = run_shell("tune --spec search.json --store store", folder.path());
  INFO(run.out << run.err);
  REQUIRE(run.exit_code == 0);
  std::cerr << run.out;
  const ShellResult model = run_shell("cat store/models/steel/current/model.json", folder.path());
  REQUIRE(model.exit_code == 0);
  return Json::parse(model.out);
}

}  // namespace

TEST_CASE("a search on real photographs runs from the spec to a promoted model") {
  const char* data = std::getenv("TUNE_NEU_DET");
  if (!data) {
    skip("TUNE_NEU_DET names no data");
    return;
  }
  const Json model = run_search({"legacy", 2, 1}, data);
  CHECK(model.at("metrics").contains("validation:mAP"));
}

TEST_CASE("four trials of five epochs reach an AP50 of .20 on real photographs with both recipes",
          "[.][long]") {
  const char* data = std::getenv("TUNE_NEU_DET");
  if (!data) {
    skip("TUNE_NEU_DET names no data");
    return;
  }
  for (const char* recipe : {"legacy", "latest"}) {
    const Json model = run_search({recipe, 4, 5}, data);
    std::cerr << recipe << ": " << model.at("metrics") << "\n";
    CHECK(model.at("metrics").at("validation:mAP50").get<double>() >= 0.20);
  }
}
