// `tune-train describe`: what can be trained, and what can be searched over.
#include <iomanip>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/cli/libtorch_facts.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/json.h"
#include "tuner/core/plural_text.h"

namespace tune::trainer::cli {
namespace {

std::string range_of(const OrderedJson& row) {
  if (row.contains("values")) return row["values"].dump();
  if (!row.contains("min")) return row["type"];
  return row["min"].dump() + " to " + row["max"].dump() + " (" + row["type"].get<std::string>() + ", " +
         row["scale"].get<std::string>() + ")";
}

// "24.4 M"
std::string in_units(double number, double unit, const char* name) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f %s", number < 10 * unit ? 2 : 1, number / unit, name);
  return text;
}

// Each task tells of its models what it knows.
void print_model(const OrderedJson& model, std::ostream& out) {
  out << "    " << std::left << std::setw(22) << model.at("name").get<std::string>()
      << model.at("description").get<std::string>() << "\n";
  std::string facts;
  const auto add = [&](const std::string& fact) { facts += (facts.empty() ? "" : ", ") + fact; };
  if (model.contains("parameters"))
    add(in_units(model["parameters"].get<double>(), 1e6, "M") + " parameters");
  if (model.contains("multiply_adds"))
    add(in_units(model["multiply_adds"].get<double>(), 1e9, "G") + " multiply-adds an image");
  if (model.contains("classes")) facts += " (with " + model["classes"].dump() + " classes)";
  if (model.contains("default_boxes")) add(model["default_boxes"].dump() + " default boxes");
  if (!facts.empty()) out << "      " << facts << "\n";
}

void print_task(const OrderedJson& task, std::ostream& out) {
  std::string commands;
  for (const auto& command : task["commands"])
    commands += (commands.empty() ? "" : ", ") + command.get<std::string>();
  out << "task " << task["name"].get<std::string>()
      << "\n\n  commands: " << (commands.empty() ? "none, it trains alone" : commands) << "\n\n  models\n";
  for (const auto& model : task["models"]) print_model(model, out);
  out << "\n  keys of `trainer`\n";
  for (const auto& key : task["trainer_keys"])
    out << "    " << std::left << std::setw(22) << key["name"].get<std::string>()
        << key["description"].get<std::string>() << "\n";
  for (const auto& recipe : task["recipes"]) {
    out << "\n  recipe " << recipe["name"].get<std::string>() << ": "
        << recipe["description"].get<std::string>() << "\n";
    for (const auto& row : recipe["hyperparameters"])
      out << "    " << std::left << std::setw(26) << row["name"].get<std::string>() << std::setw(9)
          << row["default"].dump() << " " << range_of(row) << "\n      "
          << row["description"].get<std::string>() << "\n";
    out << "    metrics\n";
    for (const auto& metric : recipe["metrics"])
      out << "      " << std::left << std::setw(26) << metric["name"].get<std::string>() << std::setw(9)
          << metric["goal"].get<std::string>() << " " << metric["regex"].get<std::string>() << "\n";
  }
}

void print_libtorch(const LibTorchFacts& facts, bool as_json, Console& console) {
  if (as_json) return print_json(to_json(facts), console);
  console.out << "LibTorch " << facts.version << " in " << facts.folder << ", "
              << (facts.cuda.empty()
                      ? "without CUDA"
                      : "with CUDA " + facts.cuda + ", which can use " + plural_text(facts.gpus, "GPU"))
              << '\n';
  if (!facts.problem.empty()) console.out << facts.problem << '\n';
}

}  // namespace

int run_describe(const Arguments& arguments, Console& console) {
  Options declared(command_line(), "describe");
  declared.flag("libtorch", "instead, which LibTorch this is, and how many GPUs it can use");
  const auto options = declared.parse(arguments, console);
  if (!options) return 0;
  if (options->has("libtorch")) {
    print_libtorch(libtorch_facts(), options->has("json"), console);
    return 0;
  }
  const OrderedJson description = describe_program();
  if (options->has("json")) {
    print_ordered(description, console);
    return 0;
  }
  for (const auto& task : description["tasks"]) {
    if (task != description["tasks"].front()) console.out << '\n';
    print_task(task, console.out);
  }
  return 0;
}

}  // namespace tune::trainer::cli
