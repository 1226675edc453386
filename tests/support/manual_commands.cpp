#include "support/manual_commands.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> pages() {
  std::vector<fs::path> result = {fs::path(TUNE_SOURCE_DIR) / "README.md"};
  for (const auto& entry : fs::directory_iterator(fs::path(TUNE_SOURCE_DIR) / "docs"))
    if (entry.path().extension() == ".md") result.push_back(entry.path());
  std::sort(result.begin() + 1, result.end());
  return result;
}

std::vector<std::string> commands_of(const fs::path& page, CommandsOf which) {
  std::ifstream file(page);
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```console";
    } else if (inside && line.starts_with("$ ") && line != "$ ./dev demo" && line != "$ ./dev test") {
      const auto names = [&](const char* word) { return line.find(word) != std::string::npos; };
      const bool trains =
          names("tune-train") || names("steel") || names("text-classes") || names("language-model");
      if (trains == (which == CommandsOf::kBuiltinTrainer)) commands.push_back(line.substr(2));
    }
  }
  return commands;
}

void copy_examples(const fs::path& folder) {
  for (const auto& example : fs::directory_iterator(fs::path(TUNE_SOURCE_DIR) / "examples")) {
    const fs::path copy = folder / "examples" / example.path().filename();
    fs::create_directories(copy);
    for (const auto& entry : fs::directory_iterator(example.path()))
      if (entry.is_regular_file()) fs::copy(entry.path(), copy);
  }
}

}  // namespace

int run_manual_commands(CommandsOf which) {
  int count = 0;
  for (const fs::path& page : pages()) {
    const std::vector<std::string> commands = commands_of(page, which);
    if (commands.empty()) continue;
    const TemporaryFolder folder;
    copy_examples(folder.path());
    for (const std::string& command : commands) {
      const ShellResult result = run_shell(command, folder.path());
      INFO(page.filename() << ": $ " << command << "\n" << result.out << result.err);
      REQUIRE(result.exit_code == 0);
      ++count;
    }
  }
  return count;
}

}  // namespace tune::tests
