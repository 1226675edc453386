#include "trainer/loop/task.h"

#include <algorithm>
#include <charconv>

#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

constexpr std::int64_t kMostThreads = 4096;

template <typename Number>
Number number_in(const std::string& option, const std::string& text, Number least, Number most,
                 const std::string& hint) {
  Number number{};
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || rest != text.data() + text.size() || !(number >= least && number <= most))
    throw Error(ExitCode::kUsage,
                "--" + option + " " + text + " is not between " + argument_text(Json(least)) + " and " +
                    argument_text(Json(most)),
                hint.empty() ? "give a number of that range" : hint);
  return number;
}

}  // namespace

const std::string& Request::text(const std::string& option) const {
  const auto found = values.find(option);
  TUNE_CHECK(found != values.end() && !found->second.empty(), option);
  return found->second.front();
}

std::int64_t Request::integer(const std::string& option, std::int64_t least, std::int64_t most,
                              std::int64_t fallback, const std::string& hint) const {
  return has(option) ? number_in(option, text(option), least, most, hint) : fallback;
}

double Request::number(const std::string& option, double least, double most, double fallback) const {
  return has(option) ? number_in<double>(option, text(option), least, most, "") : fallback;
}

int threads_for(const Request& request) {
  return threads_to_use(static_cast<int>(
      request.integer("threads", 0, kMostThreads, 0, "without --threads all cores are used")));
}

OrderedJson trainer_key(const char* name, const char* kind, const char* description) {
  return {{"name", name}, {"kind", kind}, {"description", description}};
}

OrderedJson recipe_key(const std::vector<Recipe>& recipes) {
  OrderedJson key = trainer_key("recipe", "choice", "how it is trained"), names = OrderedJson::array();
  for (const Recipe& recipe : recipes) names.push_back(recipe.name);
  key["values"] = names;
  key["default"] = names.front();
  return key;
}

bool offers(const Task& task, std::string_view command) {
  return std::any_of(task.offers.begin(), task.offers.end(),
                     [&](const Offer& offer) { return offer.command == command; });
}

const Offer& offer_of(const Task& task, std::string_view command) {
  std::string known;
  for (const Offer& offer : task.offers) {
    if (offer.command == command) return offer;
    known += (known.empty() ? "" : ", ") + std::string(offer.command);
  }
  throw Error(ExitCode::kUsage, "the task " + task.name + " has no " + std::string(command),
              known.empty() ? "it trains, and no more" : "it has " + known);
}

OrderedJson describe(const Task& task) {
  OrderedJson recipes = OrderedJson::array(), commands = OrderedJson::array();
  for (const Recipe& recipe : task.recipes()) recipes.push_back(describe(recipe));
  for (const Offer& offer : task.offers) commands.push_back(std::string(offer.command));
  if (task.serve != nullptr) commands.push_back("serve");
  OrderedJson primary;
  if (!task.primary.name.empty())
    primary = {{"name", task.primary.name},
               {"goal", task.primary.maximize ? "maximize" : "minimize"},
               {"files", task.primary.files},
               {"second", task.primary.second},
               {"of_class", task.primary.of_class},
               {"range", task.primary.is_share ? OrderedJson(1) : OrderedJson()}};
  OrderedJson data;
  if (!task.data.description.empty())
    data = {{"description", task.data.description}, {"example", task.data.example}};
  return {{"name", task.name},
          {"unit", task.unit},
          {"max_gpus", kMostProcesses},
          {"trainer_keys", task.trainer_keys()},
          {"recipes", recipes},
          {"models", task.models()},
          {"commands", commands},
          {"primary", primary},
          {"fine_tunes", task.fit_weights != nullptr},
          {"data", data}};
}

void check_trainer_keys(const Task& task, const Json& trainer) {
  std::vector<std::string> known{"task"};
  for (const auto& key : task.trainer_keys()) known.push_back(key.at("name").get<std::string>());
  for (const auto& [key, value] : trainer.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(ExitCode::kBadSpec, "unknown key \"" + key + "\" in trainer",
                  name_hint(key, known, "keys"));
}

}  // namespace tune::trainer::loop
