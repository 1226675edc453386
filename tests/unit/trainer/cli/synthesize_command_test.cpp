// Data sets to try things on.
#include <filesystem>
#include <sstream>

#include "trainer/cli/commands.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;

TEST_CASE("synthesize draws a folder for each class, and no set into another") {
  const TestFolder folder;
  std::ostringstream out, err;
  cli::Console console{out, err};
  const std::string place = (folder.path() / "steel").string();
  const std::vector<std::string> arguments{"--output", place, "--task", "image_classification",
                                           "--images", "14",  "--size", "64"};
  CHECK(cli::run_synthesize(arguments, console) == 0);
  CHECK(std::filesystem::exists(folder.path() / "steel/crazing/crazing_3.jpg"));
  CHECK(std::filesystem::exists(folder.path() / "steel/inclusion/inclusion_3.jpg"));
  CHECK_FALSE(std::filesystem::exists(folder.path() / "steel/patches/patches_3.jpg"));
  CHECK(contains(message_of(ExitCode::kConflict, [&] { cli::run_synthesize(arguments, console); }),
                 "holds a data set already"));
  CHECK(contains(message_of(ExitCode::kConflict,
                            [&] {
                              cli::run_synthesize({"--output", place}, console);
                            }),
                 "holds a data set already"));
  CHECK(contains(message_of(ExitCode::kUsage,
                            [&] {
                              cli::run_synthesize({"--output", place + "2", "--task", "words"}, console);
                            }),
                 "--task is \"words\""));
}
