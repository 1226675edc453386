#include "trainer/tasks/catalog.h"

#include <algorithm>

#include "trainer/tasks/task_table.h"
#include "trainer/weights/found_weights.h"

namespace tune::trainer {
namespace {

using weights::FoundWeights;

// How weights of the model may be called.
std::vector<std::string> names_of(const OrderedJson& model) {
  std::vector<std::string> names = model.value("weight_names", std::vector<std::string>{});
  names.push_back(model.at("name"));
  return names;
}

// The length of the model's longest name that the weights are called by; 0 where they are not its.
std::size_t fit_of(const FoundWeights& found, const OrderedJson& model) {
  std::size_t longest = 0;
  for (const std::string& name : names_of(model))
    if (weights::are_called(found, name)) longest = std::max(longest, name.size());
  return longest;
}

void add_weights(const std::vector<FoundWeights>& all, OrderedJson& models) {
  for (OrderedJson& model : models) model["weights"] = OrderedJson::array();
  for (const FoundWeights& found : all) {
    std::size_t best = 0;
    for (const OrderedJson& model : models) best = std::max(best, fit_of(found, model));
    for (OrderedJson& model : models)
      if (best > 0 && fit_of(found, model) == best)
        model["weights"].push_back({{"path", found.path.string()}, {"bytes", found.bytes}});
  }
}

}  // namespace

OrderedJson catalog(const std::vector<std::filesystem::path>& folders) {
  const std::vector<FoundWeights> found = weights::find_weights(folders);
  OrderedJson json{{"schema", 1}, {"folders", OrderedJson::array()}, {"tasks", OrderedJson::array()}};
  for (const auto& folder : folders) json["folders"].push_back(folder.string());
  for (const loop::Task* task : task_table()) {
    const OrderedJson description = loop::describe(*task);
    OrderedJson row;
    for (const char* key : {"name", "unit", "fine_tunes", "data", "recipes", "models"})
      row[key] = description.at(key);
    add_weights(task->fit_weights != nullptr ? found : std::vector<FoundWeights>{}, row["models"]);
    json["tasks"].push_back(std::move(row));
  }
  return json;
}

}  // namespace tune::trainer
