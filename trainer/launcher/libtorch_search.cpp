#include "trainer/launcher/libtorch_search.h"

#include <cstdlib>
#include <optional>
#include <regex>

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/run_program.h"

namespace tune::trainer::launcher {
namespace {

namespace fs = std::filesystem;

constexpr const char* kVariable = "TUNE_LIBTORCH";
constexpr const char* kAskPython =
    "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else "
    "'')";

bool is_file(const fs::path& path) {
  std::error_code unknown;
  return fs::is_regular_file(path, unknown);
}

// Of `root`, a standalone LibTorch or the Python package `torch`; empty where it does not say.
std::string version_of(const fs::path& root) {
  if (is_file(root / "build-version")) {
    std::string version = read_file(root / "build-version");
    version.erase(version.find_last_not_of(" \r\n") + 1);
    return version;
  }
  if (!is_file(root / "version.py")) return {};
  const std::string text = read_file(root / "version.py");
  std::smatch found;
  static const std::regex assignment(R"(__version__ = '([^']+)')");
  return std::regex_search(text, found, assignment) ? found[1].str() : std::string();
}

// The LibTorch that `folder` is, or holds, or whose lib/ it is.
std::optional<LibTorch> libtorch_in(const fs::path& folder) {
  for (const fs::path& root :
       {folder, folder / "torch", folder.filename() == "lib" ? folder.parent_path() : folder})
    if (is_file(root / "lib" / "libtorch_cpu.so")) return LibTorch{root / "lib", version_of(root)};
  return std::nullopt;
}

std::optional<LibTorch> libtorch_of_python() {
  for (const char* python : {"python3", "python"}) {
    try {
      // Python also looks for modules where it is started.
      const ProgramOutput answer = run_program({{python, "-c", kAskPython}, "/"});
      std::string folder = answer.out;
      folder.erase(folder.find_last_not_of(" \r\n") + 1);
      if (answer.exit_code == 0 && !folder.empty()) return libtorch_in(folder);
    } catch (const Error&) {
      continue;  // no such program
    }
  }
  return std::nullopt;
}

bool is_version(const std::string& found, const std::string& wanted) {
  return found == wanted || found.starts_with(wanted + '.');
}

std::string how_to_get(const std::string& wanted) {
  return "install it into the Python on the path (pip install \"torch==" + wanted +
         ".*\"), or name a LibTorch " + wanted + " in " + kVariable;
}

std::string described(const LibTorch& libtorch) {
  return (libtorch.version.empty() ? "a LibTorch of unknown version" : "LibTorch " + libtorch.version) +
         " in " + libtorch.libraries.string();
}

}  // namespace

LibTorch find_libtorch(const fs::path& program, const std::string& wanted) {
  const std::string purpose = "tune-train needs LibTorch " + wanted;
  if (const char* named = std::getenv(kVariable); named != nullptr && *named != '\0') {
    const fs::path folder = fs::absolute(named).lexically_normal();
    const auto found = libtorch_in(folder.has_filename() ? folder : folder.parent_path());  // "lib/" is "lib"
    if (!found)
      throw Error(ExitCode::kEnvironment,
                  purpose + ", and " + kVariable + " names " + named + ", which has no lib/libtorch_cpu.so",
                  "name the folder of a LibTorch, or unset " + std::string(kVariable) +
                      " for the `torch` of the Python on the path");
    if (is_version(found->version, wanted)) return *found;
    throw Error(ExitCode::kEnvironment, purpose + ", and " + kVariable + " names " + described(*found),
                how_to_get(wanted));
  }
  std::string others;
  for (const auto& found :
       {libtorch_in(program.parent_path().parent_path() / "libtorch"), libtorch_of_python()}) {
    if (!found) continue;
    if (is_version(found->version, wanted)) return *found;
    others += (others.empty() ? "; there is " : ", and ") + described(*found);
  }
  throw Error(ExitCode::kEnvironment, purpose + ", which was not found" + others, how_to_get(wanted));
}

}  // namespace tune::trainer::launcher
