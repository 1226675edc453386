#include "trainer/tasks/classification/data/predictions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "trainer/data/csv.h"
#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::classification {
namespace {

namespace fs = std::filesystem;

constexpr double kSumTolerance = 0.01;  // of probabilities that somebody has rounded
constexpr std::array<std::string_view, 9> kLabelColumns{
    "label", "labels", "class", "classes", "category", "tag", "tags", "prediction", "predicted"};
// Beside labels, and of no meaning here.
constexpr std::array<std::string_view, 5> kOtherColumns{"split", "set", "part", "subset", "ml_use"};

std::string form_of(const Items& items) {
  return R"(Predictions look like {"schema": 1, "classes": ["a", ...], "predictions": [{")" + items.key +
         R"(": ..., "label": "a", "probabilities": [0.9, ...]}, ...]}, or are a CSV with the columns )" +
         items.columns.front() + " and label, or " + items.columns.front() + " and one for each class.";
}

// Collects what a file says, and refuses what cannot be. Lives for one reading.
class Collector {
 public:
  Collector(fs::path file, const Items& items) : file_(std::move(file)), items_(items) {}

  const Items& items() const { return items_; }
  std::string form() const { return form_of(items_); }

  // Of what the file says from here on.
  void go_to(std::string place) { place_ = std::move(place); }
  [[noreturn]] void refuse(const std::string& cause, const std::string& cure) const {
    throw Error(ExitCode::kBadData, file_.string() + (place_.empty() ? "" : ", " + place_) + ": " + cause,
                cure);
  }

  void add_class(const std::string& name) {
    if (name.empty()) refuse("the name of a class is empty", "Name every class.");
    if (!data::is_utf8(name)) refuse("the name of a class is not UTF-8", "Save the file as UTF-8.");
    if (!index_of_.emplace(name, static_cast<int>(predictions_.classes.size())).second)
      refuse("the class " + in_quotes(name) + " is there twice", "Name each class once.");
    predictions_.classes.push_back(name);
  }
  bool knows(const std::string& name) const { return index_of_.contains(name); }

  void add_item(const std::string& name) {
    if (name.empty())
      refuse("the name of the " + items_.item + " is empty", "Write it as the data set does.");
    if (const auto [first, added] = lines_.emplace(name, place_); !added)
      refuse("the " + items_.item + " " + in_quotes(name) + " is there twice, first at " + first->second,
             "Keep one prediction of it.");
    predictions_.names.push_back(name);
  }

  void add_labels(const std::vector<std::string>& names) {
    metrics::Labels labels;
    for (const std::string& name : names) {
      const auto found = index_of_.find(name);
      if (found == index_of_.end())
        refuse("the label " + in_quotes(name) + " is none of the classes", name_hint_of(name));
      labels.push_back(found->second);
    }
    std::sort(labels.begin(), labels.end());
    labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    if (!multi_label() && labels.size() != 1)
      refuse("the " + items_.item + " has " + std::to_string(labels.size()) +
                 " labels, where each has one class",
             "Write one label, or \"multi_label\": true where there may be several, or none.");
    predictions_.labels.push_back(std::move(labels));
  }

  void add_probabilities(const std::vector<double>& row) {
    double sum = 0;
    for (const double probability : row) {
      if (!(probability >= 0 && probability <= 1))
        refuse("the probability " + shortest(probability) + " is not between 0 and 1",
               "Write what a softmax or a sigmoid gives, not its logits.");
      sum += probability;
    }
    if (!multi_label() && std::abs(sum - 1) > kSumTolerance)
      refuse("the probabilities add up to " + shortest(sum) + ", not to 1",
             "There is one class for each: write what a softmax gives.");
    predictions_.probabilities.insert(predictions_.probabilities.end(), row.begin(), row.end());
  }

  bool multi_label() const { return predictions_.multi_label; }
  void set_multi_label(bool value) { predictions_.multi_label = value; }

  // `has_labels`: every example came with some; else they follow from the probabilities.
  Predictions take(bool has_labels) {
    place_.clear();
    if (predictions_.names.empty()) refuse("there is no prediction", form());
    if (!has_labels)
      predictions_.labels = metrics::labels_at(
          metrics::ClassScores(predictions_.classes.size(), predictions_.probabilities), multi_label());
    return std::move(predictions_);
  }

 private:
  std::string name_hint_of(const std::string& name) const {
    return "The file names " + std::to_string(predictions_.classes.size()) + " classes, and " +
           in_quotes(name) + " has to be one of them.";
  }

  fs::path file_;
  const Items& items_;
  std::string place_;
  Predictions predictions_;
  std::map<std::string, int> index_of_;
  std::map<std::string, std::string> lines_;  // where each item was met
};

// Reads the JSON form; lives for one call.
class JsonReader {
 public:
  JsonReader(const fs::path& file, const Items& items, std::optional<bool> multi_label)
      : collect_(file, items), asked_(multi_label), json_(data::read_json(file)) {}

  Predictions read() {
    if (!json_.is_object() || !json_.contains("predictions") || !json_["predictions"].is_array())
      collect_.refuse("it holds no list \"predictions\"", collect_.form());
    if (json_.value("schema", Json()) != 1)
      collect_.refuse("\"schema\" is " + json_.value("schema", Json()).dump() + ", not 1", collect_.form());
    const std::string& own = collect_.items().task;
    if (const Json task = json_.value("task", Json(own)); task != own)
      collect_.refuse("it is of the task " + task.dump(), "Name predictions of the task " + own + ".");
    read_form();
    const Json& list = json_["predictions"];
    std::size_t with_labels = 0, with_probabilities = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      collect_.go_to("predictions[" + std::to_string(i) + "]");
      read_one(list[i], with_labels, with_probabilities);
    }
    collect_.go_to("");
    require_all(with_labels, list.size(), "a label");
    require_all(with_probabilities, list.size(), "probabilities");
    return collect_.take(with_labels > 0);
  }

 private:
  void read_form() {
    const Json classes = json_.value("classes", Json());
    if (!classes.is_array() || classes.empty())
      collect_.refuse("it holds no list \"classes\"", collect_.form());
    for (const Json& name : classes) {
      if (!name.is_string()) collect_.refuse("the class " + name.dump() + " is no text", "Write its name.");
      collect_.add_class(name);
    }
    const Json multi_label = json_.value("multi_label", Json(false));
    if (!multi_label.is_boolean())
      collect_.refuse("\"multi_label\" is " + multi_label.dump(), "Write true or false.");
    if (asked_ && *asked_ != multi_label.get<bool>())
      collect_.refuse(
          *asked_ ? "it gives each " + collect_.items().item + " one class, where the data has " +
                        collect_.items().plural() + " of several classes or none"
                  : "it is of " + collect_.items().plural() + " with several classes, where each has one",
          "Predict with a model for such data.");
    collect_.set_multi_label(multi_label);
  }

  void read_one(const Json& one, std::size_t& with_labels, std::size_t& with_probabilities) {
    const Items& items = collect_.items();
    const Json name = one.is_object() ? one.value(items.key, Json()) : Json();
    if (!name.is_string() && !(items.are_numbers && name.is_number_integer()))
      collect_.refuse("it names no \"" + items.key + "\"", collect_.form());
    collect_.add_item(argument_text(name));
    const char* const key = one.contains("labels") ? "labels" : "label";
    if (one.contains(key)) {
      collect_.add_labels(texts_of(one[key], key));
      ++with_labels;
    }
    if (one.contains("probabilities")) {
      collect_.add_probabilities(numbers_of(one["probabilities"]));
      ++with_probabilities;
    }
    if (!one.contains(key) && !one.contains("probabilities"))
      collect_.refuse("it has neither a \"label\" nor \"probabilities\"", collect_.form());
  }

  std::vector<std::string> texts_of(const Json& value, const std::string& key) const {
    if (value.is_string()) return {value.get<std::string>()};
    std::vector<std::string> texts;
    const bool is_list = value.is_array() && key == "labels";
    for (const Json& text : is_list ? value : Json::array({value})) {
      if (!text.is_string())
        collect_.refuse("the label " + text.dump() + " is no text", "Write the name of a class.");
      texts.push_back(text);
    }
    return texts;
  }

  std::vector<double> numbers_of(const Json& list) const {
    const std::size_t classes = json_["classes"].size();
    if (!list.is_array() || list.size() != classes)
      collect_.refuse(
          "\"probabilities\" " +
              (list.is_array() ? "has " + std::to_string(list.size()) + " numbers" : "is no list"),
          "Write one number for each of the " + std::to_string(classes) + " classes, in their order.");
    std::vector<double> numbers;
    for (const Json& number : list) {
      if (!number.is_number())
        collect_.refuse("the probability " + number.dump() + " is no number", "Write a number.");
      numbers.push_back(number);
    }
    return numbers;
  }

  void require_all(std::size_t count, std::size_t all, const char* what) const {
    if (count != 0 && count != all)
      collect_.refuse(
          std::to_string(all - count) + " of " + std::to_string(all) + " predictions have not " + what,
          std::string("Give all of them ") + what + ", or none.");
  }

  Collector collect_;
  std::optional<bool> asked_;
  Json json_;
};

template <typename Names>
bool is_named_in(const std::string& cell, const Names& names) {
  return std::find(names.begin(), names.end(), lower_case(cell)) != names.end();
}

// `|` goes before `;`, as in data sets.
std::vector<std::string> labels_in_cell(const std::string& cell) {
  std::vector<std::string> texts;
  const char between = cell.find('|') != std::string::npos ? '|' : ';';
  for (std::size_t from = 0; from <= cell.size();) {
    const std::size_t to = std::min(cell.find(between, from), cell.size());
    if (std::string text = data::trimmed(cell.substr(from, to - from)); !text.empty())
      texts.push_back(std::move(text));
    from = to + 1;
  }
  return texts;
}

// Reads the CSV form; lives for one call.
class CsvReader {
 public:
  CsvReader(const fs::path& file, const Items& items, std::optional<bool> multi_label)
      : collect_(file, items), asked_(multi_label), records_(data::read_csv(file)) {}

  Predictions read() {
    if (records_.empty()) collect_.refuse("it is empty", collect_.form());
    find_columns();
    collect_.set_multi_label(asked_.value_or(has_several()));
    add_classes();
    for (std::size_t i = first_; i < records_.size(); ++i) {
      collect_.go_to("line " + std::to_string(records_[i].line));
      read_row(records_[i].cells);
    }
    return collect_.take(label_.has_value());
  }

 private:
  void find_columns() {
    const std::vector<std::string>& header = records_.front().cells;
    collect_.go_to("line " + std::to_string(records_.front().line));
    for (std::size_t i = 0; i < header.size(); ++i) {
      if (!item_ && is_named_in(header[i], collect_.items().columns))
        item_ = i;
      else if (!label_ && is_named_in(header[i], kLabelColumns))
        label_ = i;
      else
        columns_.push_back(i);
    }
    constexpr std::size_t kNameAndLabel = 2;
    if (!item_ && header.size() == kNameAndLabel) {  // without a header
      item_ = 0;
      label_ = 1;
      first_ = 0;
      columns_.clear();
    }
    if (label_) std::erase_if(columns_, [&](std::size_t i) { return is_named_in(header[i], kOtherColumns); });
    if (!item_ || (!label_ && columns_.empty()))
      collect_.refuse("the first row does not name the columns",
                      "Begin with a row such as `" + collect_.items().columns.front() + ",label`, or `" +
                          collect_.items().columns.front() + ",` and the names of the classes.");
  }

  bool has_several() const {
    return label_ && std::any_of(records_.begin() + static_cast<std::ptrdiff_t>(first_), records_.end(),
                                 [&](const data::CsvRecord& record) {
                                   return *label_ < record.cells.size() &&
                                          labels_in_cell(record.cells[*label_]).size() > 1;
                                 });
  }

  // Named by the columns, else by the labels that are met.
  void add_classes() {
    for (const std::size_t column : columns_) collect_.add_class(records_.front().cells[column]);
    if (!columns_.empty()) return;
    std::vector<std::string> met;
    for (std::size_t i = first_; i < records_.size(); ++i)
      if (*label_ < records_[i].cells.size())
        for (std::string& label : labels_of(records_[i].cells[*label_])) met.push_back(std::move(label));
    std::sort(met.begin(), met.end());
    met.erase(std::unique(met.begin(), met.end()), met.end());
    for (const std::string& name : met) collect_.add_class(name);
  }

  std::vector<std::string> labels_of(const std::string& cell) const {
    if (collect_.multi_label()) return labels_in_cell(cell);
    return cell.empty() ? std::vector<std::string>{} : std::vector<std::string>{cell};
  }

  void read_row(const std::vector<std::string>& cells) {
    const std::size_t wanted = records_.front().cells.size();
    if (cells.size() != wanted)
      collect_.refuse("it has " + std::to_string(cells.size()) + " cells, and the first row has " +
                          std::to_string(wanted),
                      "Quote cells that hold commas.");
    collect_.add_item(collect_.items().are_paths ? data::with_slashes(cells[*item_]) : cells[*item_]);
    if (label_) collect_.add_labels(labels_of(cells[*label_]));
    if (columns_.empty()) return;
    std::vector<double> row;
    for (const std::size_t column : columns_) {
      const std::optional<double> number = data::number_of(std::string_view(cells[column]));
      if (!number)
        collect_.refuse(in_quotes(cells[column]) + " is no number",
                        "The column " + in_quotes(records_.front().cells[column]) + " holds probabilities.");
      row.push_back(*number);
    }
    collect_.add_probabilities(row);
  }

  Collector collect_;
  std::optional<bool> asked_;
  std::vector<data::CsvRecord> records_;
  std::optional<std::size_t> item_, label_;
  std::vector<std::size_t> columns_;  // of probabilities
  std::size_t first_ = 1;             // row behind the header
};

std::string shortest_float(double number) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(number)).ptr;
  return {text.data(), end};
}

}  // namespace

Predictions read_predictions(const fs::path& file, const Items& items, std::optional<bool> multi_label) {
  return data::has_extension(file, {".csv"}) ? CsvReader(file, items, multi_label).read()
                                             : JsonReader(file, items, multi_label).read();
}

void write_predictions(const fs::path& file, const Items& items, const Predictions& predictions) {
  const std::size_t classes = predictions.classes.size();
  AtomicFile out(file);
  out.add(
      "{\"schema\": 1, \"task\": \"" + items.task + "\",\n \"classes\": " + Json(predictions.classes).dump() +
      ",\n \"multi_label\": " + (predictions.multi_label ? "true" : "false") + ",\n \"predictions\": [\n");
  for (std::size_t i = 0; i < predictions.names.size(); ++i) {
    Json names = Json::array();
    for (const int label : predictions.labels[i])
      names.push_back(predictions.classes[static_cast<std::size_t>(label)]);
    if (!data::is_utf8(predictions.names[i]))
      throw Error(ExitCode::kBadData,
                  "the name of the " + items.item + " " + in_quotes(predictions.names[i]) + " is not UTF-8",
                  "Rename it: JSON holds no other texts.");
    const std::string& name = predictions.names[i];
    std::string line = "  {\"" + items.key + "\": " + (items.are_numbers ? name : Json(name).dump());
    line += predictions.multi_label ? ", \"labels\": " + names.dump() : ", \"label\": " + names.at(0).dump();
    if (!predictions.probabilities.empty()) {
      line += ", \"probabilities\": [";
      for (std::size_t c = 0; c < classes; ++c)
        line += (c > 0 ? ", " : "") + shortest_float(predictions.probabilities[i * classes + c]);
      line += "]";
    }
    out.add(line + (i + 1 < predictions.names.size() ? "},\n" : "}\n"));
  }
  out.add(" ]}\n");
  out.commit();
}

}  // namespace tune::trainer::classification
