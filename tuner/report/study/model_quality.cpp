#include "tuner/report/study/model_quality.h"

#include <set>

#include "tuner/core/number_text.h"
#include "tuner/os/regular_file.h"
#include "tuner/report/text/format.h"

namespace tune::report {
namespace {

std::string number_cell(const Json& json) {
  if (json.is_number_float()) return number_text(json.get<double>());
  return json.is_number() ? json.dump() : std::string();
}

std::optional<Block> numbers_block(const std::string& part, const Json& quality) {
  Table table{{{"measure", Align::kLeft}, {"value", Align::kRight}}, {}};
  for (const auto& [name, value] : quality.items())
    if (value.is_number()) table.rows.push_back({name, number_cell(value)});
  if (table.rows.empty()) return std::nullopt;
  return TableBlock{"The best trial's model on the " + part + " data", table};
}

std::optional<Block> classes_block(const std::string& part, const Json& quality) {
  if (!quality.contains("classes") || !quality.at("classes").is_array()) return std::nullopt;
  std::set<std::string> measures;
  for (const Json& one : quality.at("classes")) {
    if (!one.is_object() || !one.contains("name") || !one.at("name").is_string()) return std::nullopt;
    for (const auto& [name, value] : one.items())
      if (value.is_number()) measures.insert(name);
  }
  if (measures.empty()) return std::nullopt;
  Table table{{{"class", Align::kLeft}}, {}};
  for (const std::string& measure : measures) table.columns.push_back({measure, Align::kRight});
  for (const Json& one : quality.at("classes")) {
    auto& row = table.rows.emplace_back();
    row.push_back(one.at("name").get<std::string>());
    for (const std::string& measure : measures) row.push_back(number_cell(one.value(measure, Json())));
  }
  return TableBlock{"By class, on the " + part + " data", table};
}

std::optional<Block> confusion_block(const std::string& part, const Json& quality) {
  if (!quality.contains("confusion") || !quality.at("confusion").is_object()) return std::nullopt;
  const Json names = quality.at("confusion").value("classes", Json()),
             counts = quality.at("confusion").value("counts", Json());
  if (!names.is_array() || !counts.is_array() || names.size() != counts.size()) return std::nullopt;
  Table table{{{"true class", Align::kLeft}}, {}};
  for (const Json& name : names) table.columns.push_back({argument_text(name), Align::kRight});
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (!counts[i].is_array() || counts[i].size() != names.size()) return std::nullopt;
    auto& row = table.rows.emplace_back();
    row.push_back(argument_text(names[i]));
    for (const Json& count : counts[i]) row.push_back(number_cell(count));
  }
  if (table.rows.empty()) return std::nullopt;
  return TableBlock{"Confusion on the " + part + " data: rows are true classes, columns predicted ones",
                    table};
}

Json known_members(const Json& whole) {
  if (!whole.is_object()) return nullptr;
  Json kept;
  for (const char* name : {"task", "model", "recipe", "epoch", "metrics", "data", "test", "validation"})
    if (whole.contains(name)) kept[name] = whole[name];
  return kept;
}

}  // namespace

Json read_model_file(const std::filesystem::path& file) {
  constexpr std::uint64_t kMostBytes = 16'000'000;  // it describes a model; weights are elsewhere
  try {
    // The folder is the trainer's too: a link in its place would lead to another file of that name.
    if (std::filesystem::is_symlink(file.parent_path()))
      return {{"unread", file.parent_path().string() + " is a link"}};
    const JsonFile content = read_json_file(file, kMostBytes);
    if (!content.spoilt.empty()) return {{"unread", content.spoilt}};
    return known_members(content.value);
  } catch (const std::exception& error) {
    return {{"unread", error.what()}};
  }
}

std::vector<Block> quality_blocks(const Json& model) {
  std::vector<Block> blocks;
  if (!model.is_object()) return blocks;
  if (model.contains("unread"))
    blocks.push_back(Paragraph{"What the trainer says of the best trial's model is not shown: " +
                               argument_text(model["unread"])});
  for (const std::string part : {"test", "validation"}) {
    if (!model.contains(part) || !model.at(part).is_object()) continue;
    for (const auto make : {numbers_block, classes_block, confusion_block})
      if (auto block = make(part, model.at(part))) blocks.push_back(std::move(*block));
  }
  return blocks;
}

}  // namespace tune::report
