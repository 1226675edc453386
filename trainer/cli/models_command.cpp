// `tune-train models`: what can be trained, from which weights, and what data has to look like.
#include <iomanip>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/tasks/catalog.h"
#include "trainer/tasks/task_table.h"
#include "trainer/weights/found_weights.h"
#include "tuner/core/error.h"
#include "tuner/core/indented_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::cli {
namespace {

void print_one(const OrderedJson& model, std::ostream& out) {
  out << "  " << std::left << std::setw(28) << model.at("name").get<std::string>() << "  "
      << model.at("description").get<std::string>() << "\n";
  for (const OrderedJson& found : model.at("weights"))
    out << "    weights here: " << visible_text(found.at("path").get<std::string>()) << ", "
        << found.at("bytes").get<std::uint64_t>() / 1'000'000 << " MB\n";
  for (const OrderedJson& source : model.value("weights_from", OrderedJson::array()))
    out << "    weights from " << source.get<std::string>() << "\n";
}

void print_kind(const OrderedJson& task, std::ostream& out) {
  out << "task " << task.at("name").get<std::string>()
      << (task.at("fine_tunes").get<bool>() ? ", from weights or from scratch" : ", from scratch") << "\n";
  if (const OrderedJson& data = task.at("data"); !data.is_null()) {
    out << "  data: " << data.at("description").get<std::string>() << "\n";
    out << indented_text(data.at("example").get<std::string>(), "    ");
  }
  for (const OrderedJson& model : task.at("models")) print_one(model, out);
}

}  // namespace

int run_models(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "models")
          .value("task", "TASK", "the models of one task")
          .json(
              "the models with their costs and the weights that were found here; of each task the form of "
              "its data, and its recipes with hyperparameters, defaults and ranges")
          .variable("TUNE_WEIGHTS",
                    "folders of weights, with colons between them; ./weights is looked into as well")
          .parse(arguments, console);
  if (!options) return 0;
  const std::string asked = options->text("task");
  if (!asked.empty() && find_task(asked) == nullptr)
    throw Error(ExitCode::kUsage, "--task is " + in_quotes(asked), hint_for_task(asked));
  OrderedJson all = catalog(weights::weight_folders());
  if (!asked.empty()) {
    OrderedJson tasks = OrderedJson::array();
    for (OrderedJson& task : all["tasks"])
      if (task.at("name") == asked) tasks.push_back(std::move(task));
    all["tasks"] = std::move(tasks);
  }
  if (options->has("json")) {
    print_ordered(all, console);
    return 0;
  }
  for (const OrderedJson& task : all["tasks"]) {
    if (task != all["tasks"].front()) console.out << '\n';
    print_kind(task, console.out);
  }
  return 0;
}

}  // namespace tune::trainer::cli
