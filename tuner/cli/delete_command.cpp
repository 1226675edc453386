// `tune delete STUDY[/N]`: takes a study or a trial out of the store, rows and files.
#include <ostream>
#include <string>

#include "tuner/cli/agreement.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/delete_study.h"
#include "tuner/os/user.h"

namespace tune::cli {

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
