// `tune delete STUDY[/N]`: takes a study or a trial out of the store, rows and files.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <iostream>
#include <ostream>
#include <string>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/delete_study.h"
#include "tuner/os/user.h"

namespace tune::cli {
namespace {

std::string bytes_text(std::uintmax_t bytes) {
  constexpr std::array kUnits{"kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < kUnits.size(); ++unit) size /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", size, kUnits[unit]);
  return text.data();
}

// Whether the person agrees. Throws Error(kUsage) where nobody is there to ask.
bool is_agreed(const std::string& what, Console& console) {
  if (::isatty(STDIN_FILENO) == 0)
    throw Error(ExitCode::kUsage, "nobody is there to ask whether " + what + " is to be deleted",
                "--yes deletes it without asking");
  console.err << "Delete " << visible_text(what) << "? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace

int delete_command(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "delete")
                           .positional("STUDY[/N]", "the study, or one of its trials")
                           .flag("yes", "do not ask")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::string what = options->text("STUDY[/N]");
  const TrialReference reference = parse_reference(what);
  const engine::DeletionRequest request{std::filesystem::absolute(store_folder(*options)).lexically_normal(),
                                        reference.study, reference.trial, asking_user()};
  study_folder(request.store, request.study);  // refuses what is no name
  const engine::DeletionPreview preview = engine::preview_deletion(request);
  for (const std::string& note : preview.notes)
    console.err << visible_text(what) << ": " << visible_text(note) << '\n';
  for (const std::string& version : preview.kept)
    console.err << visible_text(version) << ", stays in the registry with its files\n";
  if (!options->has("yes") && !is_agreed(what + " (" + bytes_text(preview.bytes) + ")", console)) {
    console.err << "Nothing was deleted.\n";
    return static_cast<int>(ExitCode::kInterrupted);
  }
  const std::uintmax_t freed = engine::delete_from_store(request, SystemClock());
  if (options->has("json"))
    print_json({{"schema", 1},
                {"study", reference.study},
                {"trial", reference.trial > 0 ? Json(reference.trial) : Json()},
                {"freed_bytes", freed},
                {"kept_versions", preview.kept}},
               console);
  else
    console.out << visible_text(what) << " is deleted; " << bytes_text(freed) << " are free again\n";
  return 0;
}

}  // namespace tune::cli
