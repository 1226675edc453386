// `tune-train inspect-weights`: what is in a weights file, and how much of it a model would take.
#include <algorithm>
#include <iomanip>
#include <map>
#include <ostream>
#include <string>

#include "trainer/cli/commands.h"
#include "trainer/tasks/task_table.h"
#include "trainer/weights/dtype_name.h"
#include "trainer/weights/model_tensors.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::cli {
namespace {

using weights::FitReport;
using weights::shape_text;
using weights::WeightFile;

std::int64_t count_numbers(const weights::TensorMap& tensors) {
  std::int64_t numbers = 0;
  for (const auto& [name, tensor] : tensors) numbers += tensor.numel();
  return numbers;
}

using PackedTypes = std::map<std::string, std::string>;

std::string dtype_of(const WeightFile& file, const PackedTypes& packed, const std::string& name) {
  const auto type = packed.find(name);
  return type != packed.end() ? type->second : weights::dtype_name(file.tensors.at(name).scalar_type());
}

OrderedJson to_json(const std::string& path, const WeightFile& file, const PackedTypes& packed) {
  OrderedJson tensors = OrderedJson::array();
  for (const auto& [name, tensor] : file.tensors)
    tensors.push_back(
        {{"name", name}, {"dtype", dtype_of(file, packed, name)}, {"shape", tensor.sizes().vec()}});
  return {{"schema", 1},
          {"file", path},
          {"format", file.format},
          {"section", file.section},
          {"other_sections", file.others},
          {"metadata", file.metadata},
          {"numbers", count_numbers(file.tensors)},
          {"tensors", tensors}};
}

OrderedJson to_json(const std::string& model, const FitReport& report) {
  OrderedJson mismatched = OrderedJson::array();
  for (const weights::Mismatch& mismatch : report.mismatched)
    mismatched.push_back(
        {{"name", mismatch.name}, {"in_file", mismatch.in_file}, {"in_model", mismatch.in_model}});
  return {{"name", model},
          {"loaded", report.loaded},
          {"missing", report.missing},
          {"unexpected", report.unexpected},
          {"mismatched", mismatched},
          {"prefix", report.prefix},
          {"backbone_share", report.share},
          {"remarks", report.remarks},
          {"refused", report.refusal.empty() ? OrderedJson() : OrderedJson(report.refusal)}};
}

void print(const std::string& path, const WeightFile& file, const PackedTypes& packed, std::ostream& out) {
  std::size_t width = 0;
  for (const auto& [name, tensor] : file.tensors) width = std::max(width, visible_text(name).size());
  for (const auto& [name, tensor] : file.tensors)
    out << std::left << std::setw(static_cast<int>(width)) << visible_text(name) << "  " << std::setw(8)
        << dtype_of(file, packed, name) << "  " << shape_text(tensor.sizes()) << "\n";
  out << "\n" << visible_text(path) << ": " << file.format;
  if (!file.section.empty()) out << ", under \"" << visible_text(file.section) << '"';
  out << ", " << file.tensors.size() << " tensors, " << count_numbers(file.tensors) << " numbers\n";
  if (!file.others.empty())
    out << "not taken: the tensors " << visible_text(weights::places_of(file.others)) << "\n";
  for (const auto& [key, value] : file.metadata)
    out << "  " << visible_text(key) << ": " << visible_text(value) << "\n";
}

void print_names(const char* what, const std::vector<std::string>& names, std::ostream& out) {
  if (names.empty()) return;
  out << what << ", " << names.size() << ":\n";
  for (const std::string& name : names) out << "  " << visible_text(name) << "\n";
}

void print(const std::string& model, const FitReport& report, std::ostream& out) {
  out << "\nfor " << model << ": " << report.loaded.size() << " tensors fit, " << report.missing.size()
      << " are missing, " << report.unexpected.size() << " unexpected, " << report.mismatched.size()
      << " of another shape\n";
  if (!report.prefix.empty()) out << "names are read without \"" << visible_text(report.prefix) << "\"\n";
  for (const std::string& remark : report.remarks) out << visible_text(remark) << "\n";
  if (!report.refusal.empty())
    out << "a training would refuse the file: " << visible_text(report.refusal) << "\n";
  print_names("missing (initialised anew)", report.missing, out);
  print_names("unexpected (ignored)", report.unexpected, out);
  if (!report.mismatched.empty())
    out << "of another shape (initialised anew), " << report.mismatched.size() << ":\n";
  for (const weights::Mismatch& mismatch : report.mismatched)
    out << "  " << visible_text(mismatch.name) << ": " << shape_text(mismatch.in_file) << " in the file, "
        << shape_text(mismatch.in_model) << " in the model\n";
}

// By the task that has a model of that name.
loop::FittedWeights fit(const std::filesystem::path& path, const std::string& model) {
  std::string known;
  for (const loop::Task* task : task_table()) {
    if (task->fit_weights == nullptr) continue;
    for (const auto& row : task->models()) {
      if (row.at("name") == model) return task->fit_weights(path, model);
      known += (known.empty() ? "there are " : ", ") + row.at("name").get<std::string>();
    }
  }
  throw Error(ExitCode::kBadSpec, "no task has a model \"" + model + "\"", known);
}

}  // namespace

int run_inspect_weights(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "inspect-weights")
          .positional("FILE", "the weights: .pth, .safetensors, .gguf, or a folder of a model")
          .value("model", "NAME", "say how the file fits a model of `tune-train describe`")
          .parse(arguments, console);
  if (!options) return 0;
  const std::string model = options->text("model");
  const std::filesystem::path path = weights::weights_file(options->text("FILE"));
  WeightFile file;
  std::optional<FitReport> report;
  if (model.empty()) {
    file = weights::list_weights(path);
  } else {
    loop::FittedWeights fitted = fit(path, model);
    file = std::move(fitted.file);
    report = std::move(fitted.report);
  }
  const PackedTypes packed = weights::packed_types(path);
  if (options->has("json")) {
    OrderedJson json = to_json(path, file, packed);
    if (report) json["model"] = to_json(model, *report);
    print_ordered(json, console);
    return 0;
  }
  print(path, file, packed, console.out);
  if (report) print(model, *report, console.out);
  return 0;
}

}  // namespace tune::trainer::cli
