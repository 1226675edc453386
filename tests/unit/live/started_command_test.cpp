#include "tuner/live/started_command.h"

#include <fstream>

#include "support/catch.h"
#include "tuner/os/scratch_folder.h"

namespace tune::live {
namespace {

TEST_CASE("the command of an attempt is what its launch file says, as a shell takes it", "[live]") {
  const ScratchFolder folder("tune-started");
  const auto write = [&](const char* text) { std::ofstream(folder.path() / "launch.json") << text; };
  CHECK(started_command(folder.path()).argv.empty());
  CHECK(shell_text(started_command(folder.path())).empty());
  write(R"({"argv": ["python3", "my train.py", "--lr=0.1"], "working_directory": "/data/it's"})");
  CHECK(started_command(folder.path()).argv ==
        std::vector<std::string>{"python3", "my train.py", "--lr=0.1"});
  CHECK(shell_text(started_command(folder.path())) ==
        "cd '/data/it'\\''s' && python3 'my train.py' --lr=0.1");
  for (const char* text :
       {"[]", "{", R"({"argv": "sh"})", R"({"argv": ["sh", 1]})", R"({"argv": {"a": 1}})"}) {
    CAPTURE(text);
    write(text);
    CHECK(shell_text(started_command(folder.path())).empty());
  }
}

}  // namespace
}  // namespace tune::live
