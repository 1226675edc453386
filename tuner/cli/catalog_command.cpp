// `tune catalog`: what the built-in trainer can train, as tune-train tells it.
#include <ostream>

#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/indented_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/report/text/table.h"

namespace tune::cli {
namespace {

std::string text_in(const OrderedJson& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const OrderedJson& list_in(const OrderedJson& json, const char* key) {
  static const OrderedJson none = OrderedJson::array();
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : none;
}

// "12.2 M"; "-" where it is not told.
std::string in_units(const OrderedJson& json, const char* key, double unit, const char* name) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number()) return "-";
  const double number = found->get<double>() / unit;
  char text[40];
  std::snprintf(text, sizeof text, number < 10 ? "%.2f %s" : "%.1f %s", number, name);
  return text;
}

std::string input_of(const OrderedJson& model) {
  const auto size = model.find("image_size");
  if (size == model.end() || !size->is_number_integer()) return "-";
  return size->dump() + " x " + size->dump() + " pixels";
}

// Those of one task, or of all. Throws Error(kUsage) for a task that is none.
std::vector<OrderedJson> tasks_of(const OrderedJson& catalog, const std::string& asked) {
  std::vector<OrderedJson> tasks;
  std::vector<std::string> names;
  for (const OrderedJson& task : list_in(catalog, "tasks")) {
    names.push_back(text_in(task, "name"));
    if (asked.empty() || names.back() == asked) tasks.push_back(task);
  }
  if (tasks.empty() && !asked.empty())
    throw Error(ExitCode::kUsage, "--task is " + in_quotes(asked), name_hint(asked, names, "tasks"));
  return tasks;
}

void print_models(const std::vector<OrderedJson>& tasks, Console& console) {
  report::Table table{{{"task"},
                       {"model"},
                       {"fine-tuned"},
                       {"parameters", report::Align::kRight},
                       {"multiply-adds", report::Align::kRight},
                       {"input"},
                       {"weights here", report::Align::kLeft, true}},
                      {}};
  for (const OrderedJson& task : tasks)
    for (const OrderedJson& model : list_in(task, "models")) {
      std::string weights;
      for (const OrderedJson& found : list_in(model, "weights"))
        weights += (weights.empty() ? "" : ", ") + text_in(found, "path") + " (" +
                   in_units(found, "bytes", 1e6, "MB") + ")";
      table.rows.push_back(
          {text_in(task, "name"), text_in(model, "name"), task.value("fine_tunes", false) ? "yes" : "no",
           in_units(model, "parameters", 1e6, "M"), in_units(model, "multiply_adds", 1e9, "G"),
           input_of(model), weights.empty() ? "-" : weights});
    }
  console.out << report::text_table(table, console.width);
}

void print_data(const std::vector<OrderedJson>& tasks, std::ostream& out) {
  for (const OrderedJson& task : tasks) {
    const auto data = task.find("data");
    if (data == task.end() || !data->is_object()) continue;
    out << "\ndata for " << text_in(task, "name") << ": " << text_in(*data, "description") << '\n';
    out << indented_text(text_in(*data, "example"), "  ");
  }
}

void print_sources(const OrderedJson& task, std::ostream& out) {
  for (const OrderedJson& model : list_in(task, "models"))
    for (const OrderedJson& source : list_in(model, "weights_from"))
      if (source.is_string())
        out << "weights for " << text_in(model, "name") << ", from " << source.get<std::string>() << '\n';
}

std::string range_of(const OrderedJson& row) {
  if (row.contains("values")) {
    std::string values;
    for (const OrderedJson& value : row["values"])
      values += (values.empty() ? "" : ", ") + argument_text(Json(value));
    return values;
  }
  if (!row.contains("min") || !row.contains("max")) return text_in(row, "type");
  const std::string scale = text_in(row, "scale");
  return row["min"].dump() + " to " + row["max"].dump() +
         (scale.empty() || scale == "linear" ? "" : ", " + scale);
}

void print_recipe(const OrderedJson& recipe, Console& console) {
  console.out << "\nrecipe " << text_in(recipe, "name") << ": " << text_in(recipe, "description") << '\n';
  report::Table table{{{"hyperparameter"},
                       {"default", report::Align::kRight},
                       {"range", report::Align::kLeft, true},
                       {"what it does", report::Align::kLeft, true}},
                      {}};
  for (const OrderedJson& row : list_in(recipe, "hyperparameters"))
    table.rows.push_back({text_in(row, "name"), argument_text(Json(row.value("default", OrderedJson()))),
                          range_of(row), text_in(row, "description")});
  console.out << report::text_table(table, console.width);
}

void print_folders(const OrderedJson& catalog, std::ostream& out) {
  std::string folders;
  for (const OrderedJson& folder : list_in(catalog, "folders"))
    if (folder.is_string())
      folders += (folders.empty() ? "" : ", ") + visible_text(folder.get<std::string>());
  out << "\nWeights were looked for in " << folders
      << "; TUNE_WEIGHTS names other folders, with colons between them.\n";
}

}  // namespace

int catalog_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "catalog")
          .value("task", "TASK", "one task, with its recipes' hyperparameters, and where weights come from")
          .json(
              "all of it: the models with their costs and the weights that were found here; of each task the "
              "form of its data, and its recipes with hyperparameters, defaults and ranges")
          .variable("TUNE_WEIGHTS",
                    "folders of weights, with colons between them; ./weights is looked into as well")
          .parse(arguments, console);
  if (!options) return 0;
  OrderedJson catalog = engine::trainer_catalog();
  const std::vector<OrderedJson> tasks = tasks_of(catalog, options->text("task"));
  if (options->has("json")) {
    catalog["tasks"] = tasks;
    print_ordered(catalog, console);
    return 0;
  }
  print_models(tasks, console);
  print_data(tasks, console.out);
  print_folders(catalog, console.out);
  if (!options->has("task")) return 0;
  for (const OrderedJson& task : tasks) {
    print_sources(task, console.out);
    for (const OrderedJson& recipe : list_in(task, "recipes")) print_recipe(recipe, console);
  }
  return 0;
}

}  // namespace tune::cli
