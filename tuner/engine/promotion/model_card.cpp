#include "tuner/engine/promotion/model_card.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/regular_file.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostModelJson = 16'000'000;

Json at_or_null(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object.at(name) : Json();
}

std::string text_of(const Json& object, const char* name) {
  const Json value = at_or_null(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// A text as YAML takes it in double quotes, which is as JSON writes it.
std::string yaml_text(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A number as YAML takes it.
std::string yaml_number(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  return shortest(value);
}

// A cell of a Markdown table that shows what it says.
std::string cell(const std::string& text) {
  std::string shown;
  for (const char c : one_line(text)) {
    if (c == '|' || c == '`' || c == '*' || c == '_' || c == '[' || c == ']') shown += '\\';
    if (c == '<')
      shown += "&lt;";
    else if (c == '&')
      shown += "&amp;";
    else
      shown += c;
  }
  return shown;
}

std::string value_cell(const Json& value) {
  return cell(value.is_string() ? value.get<std::string>()
                                : value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// The names of model hubs for what a task does.
std::string hub_task(const std::string& task) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kTasks{
      {{"detection", "object-detection"},
       {"image_classification", "image-classification"},
       {"text_classification", "text-classification"},
       {"language_model", "text-generation"}}};
  for (const auto& [ours, theirs] : kTasks)
    if (task == ours) return theirs;
  std::string name = task;
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

// By name: the value that it was promoted on first, then what else its lineage tells.
std::vector<std::pair<std::string, double>> numbers_of(const store::ModelVersion& version) {
  std::vector<std::pair<std::string, double>> numbers;
  if (!version.objective.metric.empty()) numbers.emplace_back(version.objective.metric, version.value);
  Json metrics = at_or_null(version.lineage, "metrics");
  if (!metrics.is_object()) metrics = Json::object();
  for (const auto& [name, entry] : metrics.items()) {
    const Json value = entry.is_object() ? at_or_null(entry, "value") : entry;
    if (value.is_number() && name != version.objective.metric)
      numbers.emplace_back(name, value.get<double>());
  }
  return numbers;
}

// What it was trained on, as people would call it.
std::string data_of(const store::ModelVersion& version) {
  const std::string path = text_of(at_or_null(version.lineage, "trainer"), "data");
  const std::string name = fs::path(path).filename().string();
  if (!name.empty()) return name;
  return version.study.empty() ? "unknown" : version.study;
}

// What a low-rank adapter was trained on, as PEFT's configuration beside it says; "" for what is none.
std::string base_of(const fs::path& folder) {
  return text_of(read_json_file(folder / "adapter_config.json", kMostModelJson).value,
                 "base_model_name_or_path");
}

// A base as hubs name models, OWNER/NAME or NAME: of a path its last part.
std::string hub_model(const std::string& base) {
  const fs::path path = fs::path(base).lexically_normal();
  const bool is_name = path.is_relative() && base.front() != '.' && path.has_filename() &&
                       std::distance(path.begin(), path.end()) <= 2;
  return is_name ? base : (path.has_filename() ? path : path.parent_path()).filename().string();
}

std::string front_matter(const store::ModelVersion& version, const std::string& task,
                         const std::string& architecture, const std::string& base) {
  std::string text = "---\nlibrary_name: tune\n";
  if (!task.empty()) text += "pipeline_tag: " + yaml_text(task) + "\n";
  if (!base.empty()) text += "base_model: " + yaml_text(hub_model(base)) + "\nbase_model_relation: adapter\n";
  text += "tags:\n- tune\n";
  if (!architecture.empty()) text += "- " + yaml_text(architecture) + "\n";
  const auto numbers = numbers_of(version);
  if (!numbers.empty()) {
    const std::string data = yaml_text(data_of(version));
    text += "model-index:\n- name: " + yaml_text(version.model) +
            "\n  results:\n  - task:\n      type: " + yaml_text(task.empty() ? "other" : task) +
            "\n    dataset:\n      name: " + data + "\n      type: " + data + "\n    metrics:\n";
    for (const auto& [name, value] : numbers)
      text += "    - type: " + yaml_text(name) + "\n      value: " + yaml_number(value) +
              "\n      name: " + yaml_text(name) + "\n";
  }
  return text + "---\n";
}

std::string table(const std::string& title, const char* columns,
                  const std::vector<std::pair<std::string, std::string>>& rows) {
  if (rows.empty()) return {};
  std::string text = "\n## " + title + "\n\n" + columns + "\n|---|---|\n";
  for (const auto& [name, value] : rows) text += "| " + cell(name) + " | " + value + " |\n";
  return text;
}

// Where it comes from, a row each of what is known.
std::vector<std::pair<std::string, std::string>> origin_of(const store::ModelVersion& version,
                                                           const Json& model) {
  const Json& lineage = version.lineage;
  std::vector<std::pair<std::string, std::string>> rows;
  const auto add = [&](const char* name, const Json& value) {
    if (!value.is_null() && !(value.is_structured() && value.empty()))
      rows.emplace_back(name, value_cell(value));
  };
  if (!version.study.empty()) {
    add("study", version.study);
    add("trial", version.trial);
  }
  add("created", format_time(version.created));
  add("task", at_or_null(model, "task"));
  add("model", at_or_null(model, "model"));
  add("recipe", at_or_null(model, "recipe"));
  add("data", at_or_null(at_or_null(lineage, "trainer"), "data"));
  add("SHA-256 of the data", at_or_null(lineage, "data_fingerprint"));
  const Json weights = at_or_null(lineage, "parent_weights");
  add("began with", weights.is_object() ? at_or_null(weights, "path") : weights);
  add("SHA-256 of what it began with", at_or_null(weights, "sha256"));
  add("command", at_or_null(lineage, "argv"));
  add("code", at_or_null(lineage, "code"));
  add("seed of the trial", at_or_null(lineage, "trial_seed"));
  add("libraries", at_or_null(lineage, "libraries"));
  return rows;
}

}  // namespace

std::string model_card(const store::ModelVersion& version, const fs::path& folder) {
  const Json model = read_json_file(folder / "model.json", kMostModelJson).value;
  const std::string task = text_of(model, "task"), number = std::to_string(version.version);
  const std::string base = base_of(folder);
  std::string text = front_matter(version, task.empty() ? "" : hub_task(task), text_of(model, "model"), base);
  text += "\n# " + cell(version.model) + ", version " + number + "\n\n";
  text += version.study.empty() ? "Brought into a registry of `tune`.\n"
                                : "Found by `tune` as trial " + std::to_string(version.trial) +
                                      " of the study " + cell(version.study) + ".\n";
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [name, value] : numbers_of(version)) rows.emplace_back(name, number_text(value));
  text += table("Numbers", "| metric | value |", rows);
  rows.clear();
  for (const char* kind : {"parameters", "fixed", "overrides"}) {
    const Json values = at_or_null(version.lineage, kind);
    if (values.is_object())
      for (const auto& [name, value] : values.items()) rows.emplace_back(name, value_cell(value));
  }
  text += table("Hyperparameters", "| name | value |", rows);
  text += table("Where it comes from", "| what | value |", origin_of(version, model));
  text += "\n## Files\n\n| file | bytes | SHA-256 |\n|---|---|---|\n";
  for (const store::ModelFile& file : version.files)
    text += "| " + cell(file.path) + " | " + std::to_string(file.bytes) + " | " + file.sha256 + " |\n";
  text += "\n## Use\n\n";
  if (!task.empty()) text += "- `tune-train predict --model FOLDER --data DATA --output FILE`\n";
  if (!base.empty())
    text += "- In Python, BASE being " + cell(hub_model(base)) +
            ": `model = transformers.AutoModelForCausalLM.from_pretrained(BASE)`, then "
            "`model = peft.PeftModel.from_pretrained(model, FOLDER)`; "
            "`transformers.AutoTokenizer.from_pretrained(FOLDER)` is its tokenizer.\n";
  text +=
      "- `tune import-model FOLDER --name NAME` brings it into another registry, and verifies every file.\n";
  return text;
}

Json manifest_json(const store::ModelVersion& version) {
  Json files = Json::array();
  for (const store::ModelFile& file : version.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return {{"schema", 1},
          {"model", version.model},
          {"version", version.version},
          {"created", format_time(version.created)},
          {"study", version.study},
          {"trial", version.trial},
          {"metric", version.objective.metric},
          {"goal", goal_text(version.objective.goal)},
          {"reduce", reduce_text(version.objective.reduce)},
          {"value", number_to_json(version.value)},
          {"lineage", version.lineage},
          {"files", files}};
}

store::ModelVersion version_from_manifest(const Json& manifest, const fs::path& file) try {
  if (manifest.at("schema") != 1) throw std::invalid_argument("its schema is not 1: use a newer tune for it");
  store::ModelVersion version;
  version.model = manifest.at("model");
  version.version = manifest.at("version");
  version.study = manifest.at("study");
  version.trial = manifest.at("trial");
  version.objective.metric = manifest.at("metric");
  version.objective.goal = goal_from(manifest.at("goal"));
  version.objective.reduce = reduce_from(manifest.at("reduce"));
  version.value = number_from_json(manifest.at("value"));
  version.lineage = manifest.at("lineage");
  if (!is_model_name(version.model)) throw std::invalid_argument("its model has no name");
  if (version.version < 1 || version.trial < 0) throw std::invalid_argument("its numbers are negative");
  if (!version.objective.metric.empty() && !kMetricName.accepts(version.objective.metric))
    throw std::invalid_argument("its metric has no name");
  if (!version.lineage.is_object()) throw std::invalid_argument("its lineage is no object");
  for (const Json& entry : manifest.at("files"))
    version.files.push_back({entry.at("path"), entry.at("bytes"), entry.at("sha256")});
  return version;
} catch (const Error&) {
  throw;
} catch (const std::exception& problem) {
  throw Error(ExitCode::kBadData, file.string() + " is damaged: " + problem.what(), "export the model again");
}

}  // namespace tune::engine
