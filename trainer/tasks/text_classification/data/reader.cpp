#include "trainer/tasks/text_classification/data/reader.h"

#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/problems.h"
#include "trainer/data/table.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/classification/data/label_columns.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text_classification {
namespace {

namespace fs = std::filesystem;
using data::Row;
using data::Table;

// In the order in which they are looked for.
const std::vector<std::string> kTexts{"text",     "sentence",  "sentence1", "content", "review", "comment",
                                      "document", "question1", "question",  "premise", "tweet",  "message"};
const std::vector<std::string> kSeconds{"text2",     "text_pair",  "second", "sentence2",
                                        "question2", "hypothesis", "passage"};
const std::vector<std::string> kLabels{"label",  "labels",    "class", "category",
                                       "target", "sentiment", "topic"};

std::optional<std::size_t> first_named(const Table& table, const std::vector<std::string>& names) {
  for (const std::string& name : names)
    if (const auto found = table.find(name)) return found;
  return std::nullopt;
}

bool is_table(const fs::path& file) {
  return data::has_extension(file, {".csv", ".jsonl", ".ndjson", ".json"});
}

std::vector<fs::path> tables_in(const fs::path& folder) {
  std::vector<fs::path> tables = data::files_in(folder);
  std::erase_if(tables, [](const fs::path& file) { return !is_table(file); });
  return tables;
}

std::string part_of(const fs::path& file) { return data::part_of_name(file.stem().string()); }

// The tables of a folder by their parts; empty where they are not named so.
std::map<std::string, fs::path> tables_of_parts(const fs::path& folder) {
  std::map<std::string, fs::path> parts;
  for (const fs::path& file : tables_in(folder)) {
    const std::string part = part_of(file);
    if (part.empty()) return {};
    if (!parts.emplace(part, file).second)
      throw Error(ExitCode::kBadData,
                  folder.string() + " has two tables of the part " + part + ": " +
                      parts[part].filename().string() + " and " + file.filename().string(),
                  "Name one of them in `data`, or keep one of them there.");
  }
  return parts.size() > 1 ? parts : std::map<std::string, fs::path>{};
}

fs::path table_of(const fs::path& data, const std::string& part) {
  if (!data::is_folder(data)) return data;
  if (const auto parts = tables_of_parts(data); !parts.empty()) {
    const auto found = parts.find(part.empty() ? "train" : part);
    if (found != parts.end()) return found->second;
    throw Error(ExitCode::kBadData, data.string() + " has no table of the part " + part,
                "Name a table by its own path.");
  }
  const std::vector<fs::path> tables = tables_in(data);
  if (tables.size() == 1) return tables.front();
  std::vector<std::string> names;
  for (const fs::path& table : tables) names.push_back(table.filename().string());
  throw Error(ExitCode::kBadData,
              data.string() + (tables.empty() ? " has no table of texts (.csv, .jsonl)"
                                              : " has several tables: " + data::listed_names(names)),
              tables.empty() ? "Name a CSV or a file of JSON Lines."
                             : "Name one of them, or name them train, validation and test.");
}

// Whole numbers in their order go before names in theirs.
bool comes_before(const std::string& a, const std::string& b) {
  const auto one = data::whole_number(std::string_view(a)), other = data::whole_number(std::string_view(b));
  if (one && other) return *one != *other ? *one < *other : a < b;
  return one.has_value() != other.has_value() ? one.has_value() : a < b;
}

// Reads one table; lives for one call.
class Reader {
 public:
  Reader(const fs::path& file, const ReadOptions& options)
      : options_(options), table_(data::read_table(file, form())) {}

  Dataset read() {
    find_columns();
    dataset_.pairs = second_.has_value();
    dataset_.multi_label = options_.multi_label.value_or(shows_several());
    dataset_.form = std::string("a table of ") + (dataset_.pairs ? "pairs of texts" : "texts") +
                    (table_.has_header ? "" : ", without header");
    for (const Row& row : table_.rows) read_row(row);
    number_classes();
    problems_.throw_if_any("the texts of " + table_.file.string() + " cannot be used",
                           "Mend these lines, or take them out.");
    return std::move(dataset_);
  }

 private:
  data::TableForm form() const {
    data::TableForm form;
    const Columns& asked = options_.columns;
    if (!asked.text.empty() || !asked.second.empty() || !asked.label.empty() || !asked.flags.empty())
      return form;
    form.header = data::Header::kIfNamed;
    for (const auto* names : {&kTexts, &kSeconds, &kLabels})
      form.names.insert(form.names.end(), names->begin(), names->end());
    return form;
  }

  bool wants_labels() const { return options_.labels == Labels::kRequired; }

  [[noreturn]] void refuse(const std::string& cause, const std::string& cure) const {
    throw Error(ExitCode::kBadData, table_.file.string() + ": " + cause, cure);
  }

  void find_columns() {
    if (!table_.has_header) return find_columns_without_header();
    const Columns& asked = options_.columns;
    const auto column = [&](const std::string& name, const char* key, const std::vector<std::string>& usual) {
      return name.empty() ? first_named(table_, usual)
                          : std::optional(table_.column(name, std::string("trainer.") + key));
    };
    const auto text = column(asked.text, "text_column", kTexts);
    if (!text)
      refuse("no column is known to hold the texts; there are " + data::listed_names(table_.columns),
             "Call it \"text\", or name it: \"text_column\" in trainer.");
    text_ = *text;
    second_ = column(asked.second, "second_text_column", kSeconds);
    if (second_ == text_) refuse("the same column is the first text and the second", "Name two.");
    if (options_.pairs && *options_.pairs != second_.has_value())
      refuse(*options_.pairs ? "it has one text in each row, where the model takes two"
                             : "it has two texts in each row, where the model takes one",
             "Name the columns: \"text_column\" and \"second_text_column\".");
    if (!wants_labels()) return;
    for (const std::string& name : asked.flags)
      flags_.push_back(table_.column(name, "trainer.label_columns"));
    if (flags_.empty()) label_ = column(asked.label, "label_column", kLabels);
    if (flags_.empty() && !label_)
      refuse("no column is known to hold the labels; there are " + data::listed_names(table_.columns),
             "Call it \"label\", or name it: \"label_column\" in trainer.");
    warn_of_unused();
  }

  // What the cloud trainers take: a label and a text, and to predict perhaps the text alone.
  void find_columns_without_header() {
    const std::size_t columns = table_.columns.size();
    if (options_.pairs == true) refuse("it has no header, so it holds one text in each row", kHeaderCure);
    if (columns == 1 && !wants_labels()) return;
    if (columns != 2)
      refuse("line " + std::to_string(table_.rows.front().line) + ": it has " + std::to_string(columns) +
                 (columns == 1 ? " column" : " columns") +
                 " and no header that names them, not a label and a text",
             has_other_separators() ? "Put commas between the columns: tabs and semicolons separate none."
                                    : kHeaderCure);
    text_ = 1;
    if (wants_labels()) label_ = 0;
  }

  bool has_other_separators() const {
    const Json& first = table_.rows.front().cells.front();
    return table_.columns.size() == 1 && first.is_string() &&
           first.get<std::string>().find_first_of("\t;") != std::string::npos;
  }

  void warn_of_unused() {
    std::vector<std::string> unused;
    for (std::size_t i = 0; i < table_.columns.size(); ++i)
      if (i != text_ && second_ != i && label_ != i &&
          std::find(flags_.begin(), flags_.end(), i) == flags_.end())
        unused.push_back(in_quotes(table_.columns[i]));
    if (!unused.empty())
      dataset_.warnings.push_back(
          table_.file.string() + ": " + (unused.size() == 1 ? "the column " : "the columns ") +
          data::listed_names(unused) + (unused.size() == 1 ? " is" : " are") + " not used");
  }

  bool shows_several() const {
    if (!flags_.empty()) return true;
    return label_ && std::any_of(table_.rows.begin(), table_.rows.end(),
                                 [&](const Row& row) { return row.cells[*label_].is_array(); });
  }

  void read_row(const Row& row) {
    where_ = table_.place(row);
    Example example{
        take_text(row, text_), second_ ? take_text(row, *second_) : "", {}, std::to_string(row.line)};
    dataset_.examples.push_back(std::move(example));
    if (wants_labels()) labels_.push_back(flags_.empty() ? labels_in(row.cells[*label_]) : flagged(row));
  }

  std::string take_text(const Row& row, std::size_t column) {
    const std::optional<std::string> text = data::text_of(row.cells[column]);
    if (!text)
      problems_.add(where_ + ": " + in_quotes(table_.columns[column]) + " is " +
                    (row.cells[column].is_null() ? "absent" : "no text"));
    else if (data::trimmed(*text).empty())
      problems_.add(where_ + ": the text is empty");
    return text.value_or("");
  }

  std::vector<std::string> labels_in(const Json& cell) {
    std::vector<std::string> labels;
    if (cell.is_array()) {
      if (!dataset_.multi_label)
        problems_.add(where_ + ": there are several labels, where each text has one");
      for (const Json& one : cell)
        if (const auto label = data::text_of(one); label && !data::trimmed(*label).empty())
          labels.push_back(data::trimmed(*label));
        else
          problems_.add(where_ + ": the label " + one.dump() + " is no name");
      return labels;
    }
    const std::string label = data::trimmed(data::text_of(cell).value_or(""));
    if (dataset_.multi_label) return classification::labels_in_cell(label);
    if (label.empty())
      problems_.add(where_ + ": the label is " + (cell.is_structured() ? "no text" : "empty"));
    return {label};
  }

  std::vector<std::string> flagged(const Row& row) {
    std::vector<std::string> labels;
    for (const std::size_t column : flags_) {
      const std::optional<bool> flag = data::flag_of(row.cells[column]);
      if (!flag)
        problems_.add(where_ + ": " + in_quotes(table_.columns[column]) + " is " + row.cells[column].dump() +
                      ", neither 0 nor 1");
      else if (*flag)
        labels.push_back(table_.columns[column]);
    }
    return labels;
  }

  void number_classes() {
    dataset_.classes = options_.classes;
    if (!wants_labels()) return;
    if (dataset_.classes.empty()) dataset_.classes = classes_of_table();
    std::map<std::string, int> index;
    for (const std::string& name : dataset_.classes) index.emplace(name, static_cast<int>(index.size()));
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      std::vector<int>& labels = dataset_.examples[i].labels;
      for (const std::string& name : labels_[i])
        if (const auto found = index.find(name); found != index.end())
          labels.push_back(found->second);
        else if (!name.empty())
          problems_.add(table_.place(table_.rows[i]) + ": the label " + in_quotes(name) +
                        " is none of the classes " + in_words(dataset_.classes));
      std::sort(labels.begin(), labels.end());
      labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
    }
    if (options_.classes.empty() && dataset_.classes.size() < 2 && problems_.empty())
      refuse(dataset_.classes.empty() ? "no text has a label"
                                      : "every text has the label " + in_quotes(dataset_.classes.front()),
             "There is nothing to tell apart: add texts of another label.");
  }

  std::vector<std::string> classes_of_table() const {
    if (!options_.columns.flags.empty()) {
      std::vector<std::string> names;
      for (const std::size_t column : flags_) names.push_back(table_.columns[column]);
      return names;
    }
    std::set<std::string> names;
    for (const std::vector<std::string>& labels : labels_) names.insert(labels.begin(), labels.end());
    names.erase("");
    std::vector<std::string> sorted(names.begin(), names.end());
    std::sort(sorted.begin(), sorted.end(), comes_before);
    return sorted;
  }

  static std::string in_words(const std::vector<std::string>& classes) {
    constexpr std::size_t kShown = 10;
    std::vector<std::string> shown(
        classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, classes.size())));
    return data::listed_names(shown) +
           (classes.size() > kShown ? " and " + std::to_string(classes.size() - kShown) + " more" : "");
  }

  static constexpr const char* kHeaderCure =
      "Name the columns in the first row, as in `label,text` or `label,text,text2`; quote texts that hold "
      "commas.";

  const ReadOptions& options_;
  Table table_;
  std::size_t text_ = 0;
  std::optional<std::size_t> second_, label_;
  std::vector<std::size_t> flags_;
  std::string where_;
  std::vector<std::vector<std::string>> labels_;  // of each row, by name
  data::Problems problems_;
  Dataset dataset_;
};

}  // namespace

Dataset read_dataset(const fs::path& data, const ReadOptions& options) {
  return Reader(table_of(data, options.part), options).read();
}

std::vector<std::string> parts_of_set(const fs::path& data) {
  std::vector<std::string> names;
  if (!data::is_folder(data)) return names;
  const auto parts = tables_of_parts(data);
  for (const char* part : data::kPartNames)
    if (parts.contains(part)) names.emplace_back(part);
  return names;
}

std::string recognised(const fs::path& data, const Dataset& dataset) {
  return "data: " + data.string() + " is " + dataset.form + "; " +
         plural_text(dataset.examples.size(), "text");
}

}  // namespace tune::trainer::text_classification
