// `cmake --install`: what a packager gets.
#include "support/catch.h"
#include "support/run_shell.h"

namespace tune::tests {
namespace {

std::string in_quotes(const std::filesystem::path& path) { return "'" + path.string() + "'"; }

TEST_CASE("the installed programs find each other and run a study without the build folder") {
  const TemporaryFolder folder;
  const auto at = folder.path();
  const std::string build = std::filesystem::path(TUNE_BIN_DIR).parent_path();
  const ShellResult installed =
      run_shell("cmake --install " + in_quotes(build) + " --prefix " + in_quotes(at / "usr"), at);
  CAPTURE(installed.err);
  REQUIRE(installed.exit_code == 0);
  for (const char* program : {"tune", "tune-supervisor"})
    CHECK(std::filesystem::exists(at / "usr/bin" / program));
  CHECK(std::filesystem::exists(at / "usr/bin/tune-train") ==
        std::filesystem::exists(std::filesystem::path(TUNE_BIN_DIR) / "tune-train"));

  const std::filesystem::path example = std::filesystem::path(TUNE_SOURCE_DIR) / "examples/own-script";
  REQUIRE(run_shell("cp -r " + in_quotes(example) + " own", at).exit_code == 0);
  // Nothing of the build is on the path: `tune` has to find the supervisor beside itself.
  const std::string tune = "PATH=/usr/bin:/bin " + in_quotes(at / "usr/bin/tune");
  const ShellResult run = run_shell(tune + " --spec own/search.json --trials 2 --store store --json", at);
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
  CHECK(run_shell(tune + " doctor --json", at).out.find((at / "usr/bin/tune-supervisor").string()) !=
        std::string::npos);
}

}  // namespace
}  // namespace tune::tests
