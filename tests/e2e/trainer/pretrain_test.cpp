// `tune-train pretrain` from the command line, and a detector that starts from its file.
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using tune::Json;
using tune::tests::run_shell;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const std::string kTiny =
    "tune-train pretrain --model ssd128-resnet18-half --classes 5 --size 32 --images 32 --batch 8 --epochs 3 "
    "--threads 1 --precision fp32 ";

}  // namespace

TEST_CASE("A trial starts from the backbone that pretrain wrote") {
  const TemporaryFolder folder;
  const ShellResult made = run_shell(kTiny + "--output made/starter.safetensors --json", folder.path());
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const Json summary = Json::parse(made.out);
  CHECK(summary["schema"] == 1);
  CHECK(summary["tensors"] == 120);
  CHECK(summary["images"] == 96);
  CHECK(made.err.find("images/s") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "made/starter.safetensors.checkpoints"));

  const Json fits = Json::parse(
      run_shell("tune-train inspect-weights made/starter.safetensors --model ssd128-resnet18-half --json",
                folder.path())
          .out);
  CHECK(fits["model"]["unexpected"].empty());
  CHECK(fits["model"]["mismatched"].empty());
  for (const Json& name : fits["model"]["missing"])
    CHECK_FALSE(name.get<std::string>().starts_with("backbone."));

  REQUIRE(run_shell("tune-train synthesize --output data --images 24 --size 128", folder.path()).exit_code ==
          0);
  std::ofstream(folder.path() / "trial.json") << Json{{"schema", 1},
                                                      {"seed", 3},
                                                      {"parameters", Json::object()},
                                                      {"fixed", {{"epochs", 1}, {"batch_size", 4}}},
                                                      {"trainer",
                                                       {{"task", "detection"},
                                                        {"model", "ssd128-resnet18-half"},
                                                        {"data", "data"},
                                                        {"weights", "made/starter.safetensors"}}},
                                                      {"precision", "fp32"},
                                                      {"checkpoint_dir", "checkpoints"},
                                                      {"output_dir", "output"}};
  const ShellResult trained = run_shell("tune-train --trial trial.json", folder.path());
  INFO(trained.err);
  REQUIRE(trained.exit_code == 0);
  CHECK(trained.err.find("weights: 120 tensors loaded") != std::string::npos);
  CHECK(trained.err.find("initialised anew: backbone") == std::string::npos);
  CHECK(trained.err.find("not in the model") == std::string::npos);
}

TEST_CASE("Pretraining that SIGTERM ends goes on with the same command, to the same file") {
  const TemporaryFolder whole, parts;
  REQUIRE(run_shell(kTiny + "--output s.safetensors", whole.path()).exit_code == 0);
  const ShellResult stopped = run_shell(
      kTiny +
          "--output s.safetensors >out 2>err & pid=$!; until grep -q 'Epoch 1' out; do kill -0 $pid "
          "|| break; sleep 0.02; done; kill -TERM $pid; wait $pid",
      parts.path());
  REQUIRE(stopped.exit_code == 130);
  CHECK(tune::read_file(parts.path() / "err").find("the same command goes on") != std::string::npos);
  CHECK_FALSE(fs::exists(parts.path() / "s.safetensors"));
  // Another training must not go on from there.
  const ShellResult other = run_shell(kTiny + "--output s.safetensors --seed 9", parts.path());
  CHECK(other.exit_code == 6);
  CHECK(other.err.find("s.safetensors.checkpoints") != std::string::npos);
  const ShellResult continued = run_shell(kTiny + "--output s.safetensors", parts.path());
  INFO(continued.err);
  REQUIRE(continued.exit_code == 0);
  CHECK(continued.err.find("continues at epoch") != std::string::npos);
  CHECK(tune::read_file(parts.path() / "s.safetensors") == tune::read_file(whole.path() / "s.safetensors"));
}

TEST_CASE("What cannot be pretrained is refused by name, before anything is computed") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "there.safetensors") << "mine";
  const auto refused = [&](const std::string& arguments, int exit_code, const std::string& says) {
    const ShellResult result = run_shell("tune-train pretrain " + arguments, folder.path());
    CAPTURE(arguments, result.err);
    CHECK(result.exit_code == exit_code);
    CHECK(result.err.find(says) != std::string::npos);
  };
  refused("--model ssd128-resnet18-half --output there.safetensors", 6, "there.safetensors exists already");
  CHECK(tune::read_file(folder.path() / "there.safetensors") == "mine");
  refused("--model ssd999 --output new.safetensors", 3, "ssd128-resnet18-half");
  refused("--model ssd128-resnet18-half --output there.safetensors/new.safetensors", 7,
          "there.safetensors/new.safetensors.checkpoints");
  refused("--model ssd128-resnet18-half --output new.safetensors --classes 1", 2,
          "--classes takes a whole number from 2");
  refused("--model ssd128-resnet18-half", 2, "output");
  CHECK_FALSE(fs::exists(folder.path() / "new.safetensors"));
}

TEST_CASE("Pretraining that runs out of room leaves no file") {
  const TemporaryFolder folder;
  // In kilobytes; the checkpoints of this model are larger.
  const ShellResult result = run_shell("ulimit -f 1000; " + kTiny + "--output s.safetensors", folder.path());
  CAPTURE(result.err);
  CHECK(result.exit_code == 7);
  CHECK(result.err.find("limit on the size of a file") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "s.safetensors"));
}
