// The example's study files: their first commands with less data, and all that follows of them.
#include <fstream>
#include <map>
#include <set>

#include "support/shell_place.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::last_line_of;
using tune::tests::run_shell;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// A copy of the example with a few images and a backbone that has learned next to nothing.
class Example : public ShellPlace {
 public:
  Example() {
    for (const auto& entry : fs::directory_iterator(fs::path(TUNE_SOURCE_DIR) / "examples/steel-study"))
      if (entry.path().extension() == ".json") fs::copy(entry.path(), path());
    run("tune-train synthesize --output data/train --images 24 --size 128 --seed 1");
    run("tune-train synthesize --output data/test --images 18 --size 128 --seed 2");
    run("tune-train pretrain --model ssd128-resnet18-half --output data/starter.safetensors --epochs 1 "
        "--images "
        "32 --batch 8 --classes 5 --size 32 --precision fp32");
  }
};

}  // namespace

TEST_CASE("The steel study ends with its five rows", "[.][compare]") {
  const Example example;
  OrderedJson study = example.read("study.json");
  study["fixed"]["epochs"] = 1;
  study["fixed"]["batch_size"] = 4;
  study["seeds"] = 1;
  study["controls"] = {{"best_of_seeds", false}, {"random_search", false}};
  for (OrderedJson& approach : study["approaches"])
    if (approach.contains("search")) approach["search"]["limits"]["trials"] = 1;
  example.write("study.json", study);
  const Json comparison = last_line_of(example.run("tune compare study.json --store store --json"));
  std::set<std::string> rows;
  for (const Json& row : comparison["rows"]) rows.insert(row["name"].get<std::string>());
  CHECK(rows == std::set<std::string>{"scratch", "legacy", "legacy tuned", "latest", "latest tuned"});
  for (const char* approach : {"legacy", "latest"})
    CHECK(tune::read_file(example.path(std::string("store/steel-study.") + approach +
                                       ".defaults/trials/1/attempts/1/log"))
              .find("weights: 120 tensors loaded") != std::string::npos);
  CHECK(tune::read_file(example.path("store/steel-study.scratch.defaults/trials/1/attempts/1/log"))
            .find("weights:") == std::string::npos);
}

// Its networks are measured in minutes here, so that measuring is answered for; whether the trainer knows
// what the file asks for, and all else of the dry run, is real.
TEST_CASE("The study on photographs for a GPU plans with the networks that it names", "[.][compare]") {
  const TemporaryFolder folder;
  fs::copy(fs::path(TUNE_SOURCE_DIR) / "examples/steel-study/study-neu-det.json", folder.path());
  const fs::path programs = fs::path(TUNE_BIN_DIR), beside = folder.path() / "bin",
                 weights = folder.path() / "data/weights";
  fs::create_directories(beside);
  fs::create_directories(weights);
  for (const char* name : {"resnet34.safetensors", "resnet50.safetensors", "vgg16.safetensors"})
    std::ofstream(weights / name) << "there";
  for (const char* program : {"tune", "tune-supervisor"}) fs::copy_file(programs / program, beside / program);
  std::ofstream(beside / "tune-train") << R"(#!/bin/sh
[ "$1" = probe ] || exec ")" << (programs / "tune-train").string()
                                       << R"(" "$@"
echo '{"schema": 1, "device": "cpu", "precision": "fp32", "unit": "images", "training_images": 15,
  "training_examples": 15, "validation_seconds": 2.0, "measured_seconds": 1.0, "candidates": [{"precision": "fp32",
  "images_per_second": 10.0, "units_per_second": 10.0, "examples_per_second": 10.0, "peak_memory_bytes": 1000000}]}'
)";
  fs::permissions(beside / "tune-train", fs::perms::owner_all);
  const ShellResult planned = run_shell(
      "tune-train synthesize --output data/neu-det --images 24 --size 128 --seed 3 >&2 && "
      "bin/tune compare study-neu-det.json --dry-run --json",
      folder.path());
  INFO(planned.err);
  REQUIRE(planned.exit_code == 0);
  const Json plan = last_line_of(planned);
  std::map<std::string, int> trials;
  for (const Json& study : plan.at("studies")) trials[study.at("study")] = study.at("trials");
  CHECK(trials.at("steel-study-neu-det.legacy-published.search") == 20);
  CHECK(trials.at("steel-study-neu-det.latest-published.search") == 20);
  CHECK(trials.at("steel-study-neu-det.latest.search") == 8);
  CHECK(plan.at("total").at("device_hours").get<double>() > 0);
}

TEST_CASE("The studies on photographs are ones that tune would run", "[.][compare]") {
  const Example example;
  example.run("tune-train synthesize --output data/neu-det --images 24 --size 128 --seed 3");
  // On the smallest network, which a dry run measures in seconds.
  OrderedJson study = example.read("study-neu-det.json");
  for (OrderedJson& approach : study["approaches"]) {
    approach["trainer"]["model"] = "ssd128-resnet18-half";
    approach["trainer"].erase("labels");  // which the names of these images do not say
    if (approach["trainer"].contains("weights")) approach["trainer"]["weights"] = "data/starter.safetensors";
  }
  example.write("study-neu-det.json", study);
  const ShellResult starter = example.run("tune compare study-starter.json --dry-run");
  CHECK(starter.out.find("steel-starter.starter.defaults  ") != std::string::npos);
  CHECK(starter.out.find("3 runs") != std::string::npos);
  const ShellResult small = example.run("tune compare study-small.json --dry-run");
  CHECK(small.out.find("steel-study-small.scratch.defaults  ") != std::string::npos);
  CHECK(small.out.find("steel-study-small.latest.search  ") != std::string::npos);
  const ShellResult large = example.run("tune compare study-neu-det.json --dry-run");
  CHECK(large.out.find("steel-study-neu-det.latest.search  ") != std::string::npos);
  CHECK(large.out.find("8 runs") != std::string::npos);
}
