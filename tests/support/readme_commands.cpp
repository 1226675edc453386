#include "support/readme_commands.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/catch.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

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
  std::string pattern = (fs::temp_directory_path() / "tune-readme.XXXXXX").string();
  REQUIRE(mkdtemp(pattern.data()) != nullptr);
  const fs::path folder = pattern;
  fs::copy(fs::path(TUNE_SOURCE_DIR) / "examples", folder / "examples", fs::copy_options::recursive);
  {
    std::ofstream script(folder / "commands.sh");
    script << "export PATH='" << TUNE_BIN_DIR << "':$PATH NO_COLOR=1\nunset TUNE_STORE\ncd '"
           << folder.string() << "'\n";
    for (const std::string& command : commands)
      script << "cat <<'COMMAND'\n$ " << command << "\nCOMMAND\n" << command << " </dev/null || exit 1\n";
  }
  const std::string run =
      "bash '" + (folder / "commands.sh").string() + "' >'" + (folder / "output").string() + "' 2>&1";
  const int status = std::system(run.c_str());
  INFO(contents(folder / "output"));
  CHECK(status == 0);
  fs::remove_all(folder);
}

}  // namespace tune::tests
