#include "tuner/cli/export_model.h"

#include <ostream>

#include "tuner/cli/agreement.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/interruption.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/model_export.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char *kFolder = "dir", *kTarGz = "tar.gz";

}  // namespace

bool is_model_format(const std::string& format) { return format == kFolder || format == kTarGz; }

int export_model(const Parsed& options, const std::string& model, const std::string& format,
                 Console& console) {
  engine::ExportRequest request;
  request.store_folder = fs::absolute(store_folder(options)).lexically_normal();
  request.model = parse_model_reference(model);
  request.form = format == kFolder ? engine::ExportForm::kFolder : engine::ExportForm::kTarGz;
  if (!options.has("output"))
    throw Error(ExitCode::kUsage, "--output is missing",
                "for example: tune export " + model + " --format " + format + " --output " +
                    request.model.model + (format == kFolder ? "" : ".tar.gz"));
  request.output = options.text("output");
  std::error_code ignored;
  if (!fs::exists(registry_file(models_folder(request.store_folder)), ignored))
    throw Error(ExitCode::kNotFound, "there is no model \"" + request.model.model + "\"",
                "there are none in " + models_folder(request.store_folder).string());
  const SignalsCaught signals;
  request.is_interrupted = [] { return interruption().count.load() > 0; };
  const engine::Exported exported = engine::export_model(request);
  if (options.has("json"))
    print_json({{"schema", 1},
                {"model", exported.version.model},
                {"version", exported.version.version},
                {"format", format},
                {"output", request.output.string()},
                {"files", exported.files},
                {"bytes", exported.bytes},
                {"sha256", exported.sha256.empty() ? Json() : Json(exported.sha256)}},
               console);
  else
    console.out << exported.version.model << " version " << exported.version.version << " is in "
                << visible_text(request.output.string()) << ": " << exported.files << " files, "
                << bytes_text(exported.bytes)
                << (exported.sha256.empty() ? "" : ", SHA-256 " + exported.sha256) << '\n';
  return 0;
}

}  // namespace tune::cli
