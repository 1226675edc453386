#include "support/readme_commands.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"

namespace tune::tests {

namespace fs = std::filesystem;

std::vector<std::string> readme_commands() {
  std::ifstream readme(fs::path(TUNE_SOURCE_DIR) / "README.md");
  std::vector<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(readme, line);) {
    if (line.starts_with("```"))
      inside = line == "```console";
    else if (inside && line.starts_with("$ ") && line != "$ ./dev demo" && line != "$ ./dev test")
      commands.push_back(line.substr(2));
  }
  return commands;
}

void run_readme_commands(const std::vector<std::string>& commands) {
  const TemporaryFolder folder;
  for (const char* example : {"own-script", "steel-defects", "ask-tell"}) {
    fs::create_directories(folder.path() / "examples" / example);
    for (const auto& entry : fs::directory_iterator(fs::path(TUNE_SOURCE_DIR) / "examples" / example))
      if (entry.is_regular_file()) fs::copy(entry.path(), folder.path() / "examples" / example);
  }
  for (const std::string& command : commands) {
    const ShellResult result = run_shell(command, folder.path());
    INFO("$ " << command << "\n" << result.out << result.err);
    REQUIRE(result.exit_code == 0);
  }
}

}  // namespace tune::tests
