#include "support/readme_commands.h"

#include "support/catch.h"

TEST_CASE("the commands of README.md that use the built-in trainer run as shown") {
  std::vector<std::string> commands;
  for (const std::string& command : tune::tests::readme_commands())
    if (command.find("tune-train") != std::string::npos || command.find("steel") != std::string::npos)
      commands.push_back(command);
  REQUIRE(commands.size() >= 5);
  tune::tests::run_readme_commands(commands);
}
