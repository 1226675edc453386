// `tune compare` with the real tune-train, on a few synthetic images.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <vector>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

// A probe decides between two precisions by a hair on some machines, and two comparisons must take the same
// one.
constexpr const char* kTrainer = R"sh(#!/bin/bash
real="$REAL_TRAINER"
[ "$1" = predict ] && echo "$@" >> "$ACTS"
[ "$1" = probe ] || exec "$real" "$@"
"$real" "$@" --seconds 0.1 | sed 's/"precision":"bf16","training_images"/"precision":"fp32","training_images"/'
exit ${PIPESTATUS[0]}
)sh";

constexpr const char* kComparison = R"json({
  "comparison": "tiny",
  "objective": {"metric": "Val_CrossEntropy", "goal": "minimize"},
  "trainer": {"task": "detection", "model": "ssd128-resnet18-half", "recipe": "latest", "data": "train",
              "test": "test", "split": {"fractions": [0.8, 0.2], "grouping": "content"}},
  "fixed": {"epochs": 1, "batch_size": 4, "adam_learning_rate": 0.002},
  "seeds": 2, "seed": 3, "resamples": 100,
  "controls": {"random_search": false},
  "limits": {"parallel": 2},
  "resources": {"gpus_per_trial": 0},
  "cost": {"usd_per_hour": 3.6, "date": "2026-11-21"},
  "approaches": [
    {"name": "plain", "table": "published", "deviations": ["fewer epochs"]},
    {"name": "searched",
     "search": {"parameters": {"adam_learning_rate": {"type": "float", "min": 1e-4, "max": 1e-2, "scale": "log"}},
                "strategy": {"name": "sobol"},
                "limits": {"trials": 2}}}]
})json";

class TinyComparison {
 public:
  TinyComparison() {
    std::ofstream(folder_.path() / "study.json") << kComparison;
    fs::create_directory(folder_.path() / "bin");
    std::ofstream(folder_.path() / "bin/tune-train") << kTrainer;
    const ShellResult made = shell(
        "chmod +x bin/tune-train; cp $(command -v tune) $(command -v tune-supervisor) bin &&"
        " \"$REAL_TRAINER\" synthesize --output train --images 24 --size 128 --seed 1 &&"
        " \"$REAL_TRAINER\" synthesize --output test --images 12 --size 128 --seed 2");
    CAPTURE(made.err);
    REQUIRE(made.exit_code == 0);
  }
  ShellResult shell(const std::string& line) const {
    return run_shell("export REAL_TRAINER=$(command -v tune-train) ACTS=$PWD/acts\n" + line, folder_.path());
  }
  // The comparison, once it is over.
  Json result() const {
    const ShellResult run = shell(kCompare);
    CAPTURE(run.err, run.out);
    REQUIRE(run.exit_code == 0);
    Json last;
    std::istringstream lines(run.out);
    for (std::string line; std::getline(lines, line);) last = Json::parse(line);
    return last;
  }
  std::ptrdiff_t predictions() const {
    const std::string acts = shell("cat acts").out;
    return std::count(acts.begin(), acts.end(), '\n');
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  static constexpr const char* kCompare = "bin/tune compare study.json --store store --json";

 private:
  TemporaryFolder folder_;
};

Json table_of(const Json& result) {
  Json rows = Json::array();
  for (const Json& row : result.at("rows"))
    rows.push_back({row.at("name"), row.at("AP"), row.at("AP50"), row.at("selection"),
                    row.at("fresh_validation"), row.at("runs")});
  return {rows, result.at("answers")};
}

}  // namespace

TEST_CASE(
    "A comparison with real models scores the test images once, and kill -9 changes nothing of its table",
    "[.][compare]") {
  const TinyComparison calm;
  const Json expected = calm.result();
  CAPTURE(expected.dump(1));
  std::vector<std::string> names;
  for (const Json& row : expected.at("rows")) names.push_back(row.at("name"));
  CHECK(names ==
        std::vector<std::string>{"plain", "searched", "searched, best of 2 seeds", "searched tuned"});
  for (const Json& row : expected.at("rows")) {
    CHECK(row.at("runs").size() == 2);
    CHECK(row.at("AP").is_number());
    CHECK(row.at("parameters") == expected.at("rows")[0].at("parameters"));
    CHECK(row.at("parameters").get<double>() > 1e6);
    CHECK(row.at("multiply_adds").get<double>() > 1e8);
    CHECK(row.at("latency_ms").get<double>() > 0);
    CHECK(row.at("training_memory_bytes").get<double>() > 1e6);
  }
  // What training takes of a bill is more than what its validations take, and both are known.
  const Json cost = expected.at("cost");
  CHECK(cost.at("validating").at("device_hours").get<double>() > 0);
  CHECK(cost.at("validating").at("device_hours") < cost.at("total").at("device_hours"));
  CHECK(cost.at("probing").at("device_hours").get<double>() > 0);
  CHECK(cost.at("predicted_device_hours").get<double>() > 0);
  CHECK(expected.at("test").at("images") == 12);
  CHECK(expected.at("test").at("scorings") == 1);
  const std::ptrdiff_t models = calm.predictions();
  CHECK(models == 2 + 2 + 1 + 2);
  CHECK(std::distance(fs::directory_iterator(calm.path("store/comparisons/tiny/scorings/1/images")), {}) ==
        8);

  const TinyComparison killed;
  // The second trial of the search is under way.
  const ShellResult death = killed.shell(std::string(TinyComparison::kCompare) +
                                         " >out 2>err & tune=$!\n"
                                         "until [ -s store/tiny.searched.search/trials/2/attempts/1/log ]; "
                                         "do kill -0 $tune || exit 3; sleep 0.02; "
                                         "done; kill -9 $tune; wait $tune");
  CHECK(death.exit_code == 137);
  CHECK(table_of(killed.result()) == table_of(expected));
  CHECK(killed.predictions() == models);
  // Nothing is left to do.
  CHECK(table_of(killed.result()) == table_of(expected));
  CHECK(killed.predictions() == models);
}

}  // namespace tune::tests
