// `tune import-model FILE|DIR --name NAME`: a model that somebody brings becomes a version.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/gate_options.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/model_import.h"

namespace tune::cli {

int import_model_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "import-model")
          .positional("FILE|DIR",
                      "a tar archive, plain or by gzip, or a folder: what `tune export` wrote, or\n"
                      "                        any other model")
          .add({"name", "NAME", "the model that it is to be a version of", true})
          .value("note", "TEXT", "kept with the version")
          .parse(arguments, console);
  if (!options) return 0;
  const SignalsCaught signals;
  engine::ImportRequest request;
  request.store_folder = std::filesystem::absolute(store_folder(*options)).lexically_normal();
  request.source = options->text("FILE|DIR");
  request.model = options->text("name");
  request.note = options->text("note");
  request.hooks = model_hooks(console);
  const engine::Imported imported = engine::import_model(request);
  for (const std::string& notice : imported.notices) console.err << visible_text(notice) << '\n';
  const std::string name = request.model + "@" + std::to_string(imported.version);
  if (options->has("json")) {
    print_json({{"schema", 1},
                {"model", request.model},
                {"version", imported.version},
                {"folder", imported.folder.string()},
                {"files", imported.files},
                {"notices", imported.notices}},
               console);
  } else {
    console.out << request.model << " version " << imported.version << ", " << imported.files
                << " files: " << visible_text(imported.folder.string()) << '\n';
    console.err << "No alias names it yet: `tune models promote " << name << " --to ALIAS`\n";
  }
  return 0;
}

}  // namespace tune::cli
