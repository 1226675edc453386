#include "tuner/report/text/model_report.h"

#include <algorithm>
#include <cstdio>

#include "tuner/core/number_text.h"
#include "tuner/core/objective_text.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/table.h"

namespace tune::report {
namespace {

const store::ModelVersion* current_of(const ModelRows& model) {
  const auto found = std::find_if(model.versions.begin(), model.versions.end(),
                                  [&](const auto& version) { return version.version == model.current; });
  return found == model.versions.end() ? nullptr : &*found;
}

std::string day_and_time(WallTime time) {
  std::string text = format_time(time).substr(0, 16);  // to the minute
  text[10] = ' ';
  return text;
}

std::string size_text(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", bytes / 1e6);
  return text;
}

std::string size_text(const store::ModelVersion& version) {
  double bytes = 0;
  for (const auto& file : version.files) bytes += static_cast<double>(file.bytes);
  return size_text(bytes);
}

// What was brought along without a value has none to show.
std::string value_of(const store::ModelVersion& version) {
  return version.objective.metric.empty() ? "" : number_text(version.value);
}

// "champion, current"
std::string aliases_of(const ModelRows& model, int version) {
  std::string text;
  for (const auto& alias : model.aliases)
    if (alias.version == version) text += (text.empty() ? "" : ", ") + alias.alias;
  return text;
}

Table version_table(const ModelRows& model) {
  Table table;
  table.columns = {{"version", Align::kRight}, {"aliases"}, {"approval"},      {"metric"},
                   {"value", Align::kRight},   {"trial"},   {"created (UTC)"}, {"size", Align::kRight}};
  for (const auto& version : model.versions)
    table.rows.push_back({std::to_string(version.version), aliases_of(model, version.version),
                          to_string(version.approval), version.objective.metric, value_of(version),
                          origin_text(version), day_and_time(version.created), size_text(version)});
  return table;
}

// Those of one version; 0: of all.
Json remarks_json(const ModelRows& model, int version) {
  Json list = Json::array();
  for (const auto& remark : model.remarks)
    if (version == 0 || remark.version == version)
      list.push_back({{"version", remark.version},
                      {"kind", to_string(remark.kind)},
                      {"text", remark.text},
                      {"who", remark.who},
                      {"time", format_time(remark.time)}});
  return list;
}

Json or_null(int version) { return version == 0 ? Json() : Json(version); }

// The part of the log that is about one version; 0: all of it.
Json promotions_json(const ModelRows& model, int version) {
  Json list = Json::array();
  for (const auto& promotion : model.promotions)
    if (version == 0 || promotion.to == version || promotion.from == version)
      list.push_back({{"alias", promotion.alias},
                      {"from", or_null(promotion.from)},
                      {"to", or_null(promotion.to)},
                      {"outcome", to_string(promotion.outcome)},
                      {"who", promotion.who},
                      {"reason", promotion.reason},
                      {"evidence", promotion.evidence},
                      {"time", format_time(promotion.time)}});
  return list;
}

std::string who_text(const std::string& who) { return who.empty() ? "" : "  (" + one_line(who) + ")"; }

// As of promotions_json(). The alias `current` is not named.
std::string promotion_lines(const ModelRows& model, int version) {
  std::string text;
  for (const auto& promotion : model.promotions) {
    if (version != 0 && promotion.to != version && promotion.from != version) continue;
    const auto name = [](int number) { return number == 0 ? std::string("none") : std::to_string(number); };
    const std::string alias = promotion.alias == kCurrentAlias ? "" : promotion.alias + " ";
    const bool is_refused = promotion.outcome == store::PromotionOutcome::kRefused;
    text += "  " + day_and_time(promotion.time) + "  " + alias + name(promotion.from) +
            (is_refused ? " -/-> " : " -> ") + name(promotion.to) + "  " + one_line(promotion.reason) +
            who_text(promotion.who) + '\n';
  }
  return text;
}

std::string remark_lines(const ModelRows& model, int version) {
  std::string text;
  for (const auto& remark : model.remarks)
    if (remark.version == version)
      text += "  " + day_and_time(remark.time) + "  " + to_string(remark.kind) +
              (remark.text.empty() ? "" : ": " + one_line(remark.text)) + who_text(remark.who) + '\n';
  return text;
}

Json aliases_json(const ModelRows& model) {
  Json aliases = Json::object();
  for (const auto& alias : model.aliases) aliases[alias.alias] = alias.version;
  return aliases;
}

Json row_json(const ModelRows& model, const store::ModelVersion& version) {
  Json files = Json::array(), aliases = Json::array();
  for (const auto& file : version.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  for (const auto& alias : model.aliases)
    if (alias.version == version.version) aliases.push_back(alias.alias);
  return {{"version", version.version},
          {"aliases", aliases},
          {"approval", to_string(version.approval)},
          {"created", format_time(version.created)},
          {"study", version.study.empty() ? Json() : Json(version.study)},
          {"trial", version.trial == 0 ? Json() : Json(version.trial)},
          {"metric", version.objective.metric.empty() ? Json() : Json(version.objective.metric)},
          {"goal", goal_text(version.objective.goal)},
          {"value", version.objective.metric.empty() ? Json() : number_to_json(version.value)},
          {"lineage", version.lineage},
          {"files", files}};
}

// "a=1 b.c=x" of an object; what says nothing is left out.
std::string flat_members(const Json& object, const std::string& path = {}) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    const std::string name = path + key;
    const std::string shown = value.is_object() ? flat_members(value, name + '.')
                              : value.is_null() ? std::string()
                                                : name + '=' + parameter_text(value);
    if (!shown.empty()) text += (text.empty() ? "" : " ") + shown;
  }
  return text;
}

}  // namespace

std::string lineage_text(const Json& lineage) {
  std::string text;
  for (const auto& [key, value] : lineage.items()) {
    if (key == "run" || value.is_null()) continue;
    const std::string shown = value.is_object() ? flat_members(value) : parameter_text(value);
    if (!shown.empty()) text += "  " + key + ": " + one_line(shown) + '\n';
  }
  return text;
}

ModelRows read_model(const store::ModelRegistry& registry, const std::string& model) {
  ModelRows rows;
  rows.model = model;
  const auto current = registry.current(model);
  rows.current = current ? current->version : 0;
  rows.versions = registry.versions(model);
  rows.aliases = registry.aliases(model);
  rows.promotions = registry.promotions(model);
  rows.remarks = registry.remarks(model);
  return rows;
}

std::string models_text(const std::vector<ModelRows>& models, int width) {
  Table table;
  table.columns = {{"model"},        {"versions", Align::kRight}, {"current", Align::kRight},
                   {"metric"},       {"value", Align::kRight},    {"trial"},
                   {"created (UTC)"}};
  for (const auto& model : models) {
    const store::ModelVersion* current = current_of(model);
    auto& row = table.rows.emplace_back();
    row = {model.model, std::to_string(model.versions.size())};
    if (current == nullptr)
      row.insert(row.end(), {"none", "", "", "", ""});
    else
      row.insert(row.end(), {std::to_string(current->version), current->objective.metric, value_of(*current),
                             origin_text(*current), day_and_time(current->created)});
  }
  return text_table(table, width);
}

Json models_json(const std::vector<ModelRows>& models) {
  Json list = Json::array();
  for (const auto& model : models) {
    Json entry = model_json(model);
    entry.erase("schema");
    list.push_back(std::move(entry));
  }
  return {{"schema", 1}, {"models", list}};
}

std::string model_text(const ModelRows& model, const std::string& folder, int width) {
  std::string text = model.model + '\n';
  if (model.current > 0) text += "  current: version " + std::to_string(model.current) + ", " + folder + '\n';
  text += "\nVersions:\n" + text_table(version_table(model), width);
  if (const store::ModelVersion* current = current_of(model)) {
    const std::string lines = lineage_text(current->lineage);
    if (!lines.empty()) text += "\nWhere version " + std::to_string(model.current) + " comes from:\n" + lines;
  }
  if (!model.promotions.empty()) text += "\nPromotions (UTC):\n" + promotion_lines(model, 0);
  return text;
}

Json model_json(const ModelRows& model) {
  Json versions = Json::array();
  for (const auto& version : model.versions) versions.push_back(row_json(model, version));
  return {{"schema", 1},
          {"model", model.model},
          {"current", or_null(model.current)},
          {"aliases", aliases_json(model)},
          {"versions", versions},
          {"promotions", promotions_json(model, 0)},
          {"remarks", remarks_json(model, 0)}};
}

std::string version_text(const ModelRows& model, const store::ModelVersion& version,
                         const std::string& folder, int width) {
  const std::string aliases = aliases_of(model, version.version);
  std::string text = model.model + " version " + std::to_string(version.version) + '\n';
  text += "  aliases: " + (aliases.empty() ? "none" : aliases) +
          "\n  approval: " + to_string(version.approval) + "\n  made of: " + origin_text(version) + ", " +
          day_and_time(version.created) + " (UTC)\n";
  if (!version.objective.metric.empty())
    text += "  " + one_line(version.objective.metric) + ": " + number_text(version.value) + '\n';
  text += "  folder: " + one_line(folder) + '\n';
  const std::string remarks = remark_lines(model, version.version),
                    promotions = promotion_lines(model, version.version),
                    lineage = lineage_text(version.lineage);
  if (!remarks.empty()) text += "\nWhat was said of it (UTC):\n" + remarks;
  if (!promotions.empty()) text += "\nPromotions (UTC):\n" + promotions;
  if (!lineage.empty()) text += "\nWhere it comes from:\n" + lineage;
  Table files;
  files.columns = {{"file", Align::kLeft, true}, {"size", Align::kRight}, {"SHA-256"}};
  for (const auto& file : version.files)
    files.rows.push_back({file.path, size_text(static_cast<double>(file.bytes)), file.sha256});
  return text + "\nFiles:\n" + text_table(files, width);
}

Json version_json(const ModelRows& model, const store::ModelVersion& version, const std::string& folder) {
  Json json = row_json(model, version);
  json["schema"] = 1;
  json["model"] = model.model;
  json["folder"] = folder;
  json["remarks"] = remarks_json(model, version.version);
  json["promotions"] = promotions_json(model, version.version);
  return json;
}

std::string origin_text(const store::ModelVersion& version) {
  return version.study.empty() ? "brought along" : version.study + '/' + std::to_string(version.trial);
}

}  // namespace tune::report
