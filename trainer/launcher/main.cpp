// `tune-train` as it is packaged: finds LibTorch on this machine, and becomes the trainer with it.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string_view>

#include "trainer/launcher/libtorch_search.h"
#include "tuner/cli/command_line/command_line.h"
#include "tuner/os/environment.h"

namespace {

namespace fs = std::filesystem;

// Only returns where it throws.
int become_trainer(char** argv) {
  const fs::path program = fs::read_symlink("/proc/self/exe");
  const fs::path trainer = program.parent_path().parent_path() / "lib" / "tune" / "tune-train";
  const auto libtorch = tune::trainer::launcher::find_libtorch(program, TUNE_LIBTORCH_VERSION);
  // CUDA's libraries are found by the LibTorch that was built with them.
  std::string search = libtorch.libraries.string();
  if (const char* given = std::getenv("LD_LIBRARY_PATH"); given != nullptr && *given != '\0')
    search += std::string(":") + given;
  const tune::Environment environment({{"LD_LIBRARY_PATH", search}});
  ::execve(trainer.c_str(), argv, environment.pointers());
  throw tune::Error(tune::ExitCode::kEnvironment,
                    "cannot start " + trainer.string() + ": " + std::strerror(errno),
                    "the folders bin/ and lib/ of the package belong together: unpack it again");
}

}  // namespace

int main(int argc, char** argv) {
  const bool as_json = std::any_of(argv, argv + argc, [](std::string_view word) { return word == "--json"; });
  tune::cli::Console console{std::cout, std::cerr};
  tune::cli::CommandLine line;
  line.program = "tune-train";
  return tune::cli::run_reporting_errors(line, as_json, console, [argv] { return become_trainer(argv); });
}
