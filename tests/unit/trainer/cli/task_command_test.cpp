// Which task a command of tasks goes to, and what it says where there is none.
#include <sstream>

#include "trainer/cli/commands.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;

namespace {

std::string refusal(ExitCode code, const std::vector<std::string>& arguments) {
  return message_of(code, [&] {
    std::ostringstream out, err;
    cli::Console console{out, err};
    cli::run_evaluate(arguments, console);
  });
}

std::string cure(const std::vector<std::string>& arguments) {
  try {
    std::ostringstream out, err;
    cli::Console console{out, err};
    cli::run_evaluate(arguments, console);
  } catch (const tune::Error& error) {
    return error.hint();
  }
  return "";
}

}  // namespace

TEST_CASE("A task that is not known is refused, whether an option or a model's folder names it") {
  CHECK(contains(refusal(ExitCode::kUsage, {"--task", "translation"}), "--task is \"translation\""));
  CHECK(contains(refusal(ExitCode::kUsage, {"--task=translation"}), "--task is \"translation\""));
  CHECK(cure({"--task", "translation"}) ==
        "valid tasks: detection, image_classification, language_model, pretraining, text_classification");
  CHECK(cure({"--task=detecton"}) == "did you mean \"detection\"?");
  const TestFolder folder;
  folder.write("model.json", R"({"task": "translation"})");
  CHECK(contains(refusal(ExitCode::kBadData, {"--model", folder.path().string(), "--data", "x"}),
                 "model.json: its task \"translation\" is not known here"));
}

TEST_CASE("Numbers of a command's options are checked as the command needs them") {
  const TestFolder folder;
  const std::string model = folder.path().string();
  for (const char* threads : {"-1", "two", "1.5", "5000"})
    CHECK(contains(refusal(ExitCode::kUsage, {"--model", model, "--data", "x", "--threads", threads}),
                   std::string("--threads ") + threads + " is not between 0 and 4096"));
}
