// The example's study files: their first commands with less data, and all that follows of them.
#include <fstream>
#include <set>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::run_shell;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// A copy of the example with a few images and a backbone that has learned next to nothing.
class Example {
 public:
  Example() {
    for (const auto& entry : fs::directory_iterator(fs::path(TUNE_SOURCE_DIR) / "examples/steel-study"))
      if (entry.path().extension() == ".json") fs::copy(entry.path(), folder_.path());
    run("tune-train synthesize --output data/train --images 24 --size 128 --seed 1");
    run("tune-train synthesize --output data/test --images 18 --size 128 --seed 2");
    run("tune-train pretrain --model ssd128-resnet18-half --output data/starter.safetensors --epochs 1 "
        "--images "
        "32 --batch 8 --classes 5 --size 32 --precision fp32");
  }
  ShellResult run(const std::string& line) const {
    ShellResult result = run_shell(line, folder_.path());
    // A busy machine may need longer than a shell is given here; what is interrupted goes on.
    constexpr int kTimedOut = 124;
    for (int again = 0; again < 4 && result.exit_code == kTimedOut; ++again)
      result = run_shell(line, folder_.path());
    INFO("$ " << line << "\n" << result.out << result.err);
    REQUIRE(result.exit_code == 0);
    return result;
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

 private:
  TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("The steel study ends with its five rows") {
  const Example example;
  OrderedJson study = OrderedJson::parse(tune::read_file(example.path("study.json")));
  study["fixed"]["epochs"] = 1;
  study["fixed"]["batch_size"] = 4;
  study["seeds"] = 1;
  study["controls"] = {{"best_of_seeds", false}, {"random_search", false}};
  for (OrderedJson& approach : study["approaches"])
    if (approach.contains("search")) approach["search"]["limits"]["trials"] = 1;
  std::ofstream(example.path("study.json")) << study.dump(2);
  const ShellResult compared = example.run("tune compare study.json --store store --json");
  const std::size_t last = compared.out.rfind('\n', compared.out.size() - 2);
  const Json comparison = Json::parse(compared.out.substr(last == std::string::npos ? 0 : last));
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

TEST_CASE("The studies on photographs are ones that tune would run") {
  const Example example;
  example.run("tune-train synthesize --output data/neu-det --images 24 --size 128 --seed 3");
  // On the smallest network, which a dry run measures in seconds.
  OrderedJson study = OrderedJson::parse(tune::read_file(example.path("study-neu-det.json")));
  for (OrderedJson& approach : study["approaches"]) {
    approach["trainer"]["model"] = "ssd128-resnet18-half";
    if (approach["trainer"].contains("weights")) approach["trainer"]["weights"] = "data/starter.safetensors";
  }
  std::ofstream(example.path("study-neu-det.json")) << study.dump(2);
  const ShellResult starter = example.run("tune compare study-starter.json --dry-run");
  CHECK(starter.out.find("steel-starter.starter.defaults  ") != std::string::npos);
  CHECK(starter.out.find("3 runs") != std::string::npos);
  const ShellResult large = example.run("tune compare study-neu-det.json --dry-run");
  CHECK(large.out.find("steel-study-neu-det.latest.search  ") != std::string::npos);
  CHECK(large.out.find("8 runs") != std::string::npos);
}
