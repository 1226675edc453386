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

std::string origin(const store::ModelVersion& version) {
  return version.study + '/' + std::to_string(version.trial);
}

std::string day_and_time(WallTime time) {
  std::string text = format_time(time).substr(0, 16);  // to the minute
  text[10] = ' ';
  return text;
}

std::string size_text(const store::ModelVersion& version) {
  double bytes = 0;
  for (const auto& file : version.files) bytes += static_cast<double>(file.bytes);
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", bytes / 1e6);
  return text;
}

Table version_table(const ModelRows& model) {
  Table table;
  table.columns = {{"version", Align::kRight}, {""},      {"metric"},
                   {"value", Align::kRight},   {"trial"}, {"created (UTC)"},
                   {"size", Align::kRight}};
  for (const auto& version : model.versions)
    table.rows.push_back({std::to_string(version.version), version.version == model.current ? "current" : "",
                          version.objective.metric, number_text(version.value), origin(version),
                          day_and_time(version.created), size_text(version)});
  return table;
}

Json version_json(const store::ModelVersion& version) {
  Json files = Json::array();
  for (const auto& file : version.files)
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  return {{"version", version.version},
          {"created", format_time(version.created)},
          {"study", version.study},
          {"trial", version.trial},
          {"metric", version.objective.metric},
          {"goal", goal_text(version.objective.goal)},
          {"value", number_to_json(version.value)},
          {"lineage", version.lineage},
          {"files", files}};
}

std::string lineage_lines(const Json& lineage) {
  std::string text;
  for (const auto& [key, value] : lineage.items()) {
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    text += "  " + key + ": " + one_line(shown) + '\n';
  }
  return text;
}

}  // namespace

ModelRows read_model(const store::ModelRegistry& registry, const std::string& model) {
  ModelRows rows;
  rows.model = model;
  const auto current = registry.current(model);
  rows.current = current ? current->version : 0;
  rows.versions = registry.versions(model);
  rows.promotions = registry.promotions(model);
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
      row.insert(row.end(), {std::to_string(current->version), current->objective.metric,
                             number_text(current->value), origin(*current), day_and_time(current->created)});
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
    const std::string lines = lineage_lines(current->lineage);
    if (!lines.empty()) text += "\nWhere version " + std::to_string(model.current) + " comes from:\n" + lines;
  }
  if (!model.promotions.empty()) text += "\nPromotions (UTC):\n";
  for (const auto& promotion : model.promotions)
    text += "  " + day_and_time(promotion.time) + "  " +
            (promotion.from == 0 ? std::string("none") : std::to_string(promotion.from)) + " -> " +
            std::to_string(promotion.to) + "  " + one_line(promotion.reason) + '\n';
  return text;
}

Json model_json(const ModelRows& model) {
  Json versions = Json::array(), promotions = Json::array();
  for (const auto& version : model.versions) versions.push_back(version_json(version));
  for (const auto& promotion : model.promotions)
    promotions.push_back({{"from", promotion.from == 0 ? Json() : Json(promotion.from)},
                          {"to", promotion.to},
                          {"reason", promotion.reason},
                          {"evidence", promotion.evidence},
                          {"time", format_time(promotion.time)}});
  return {{"schema", 1},
          {"model", model.model},
          {"current", model.current == 0 ? Json() : Json(model.current)},
          {"versions", versions},
          {"promotions", promotions}};
}

}  // namespace tune::report
