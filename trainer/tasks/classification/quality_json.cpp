#include "trainer/tasks/classification/quality_json.h"

#include <array>
#include <cstdio>
#include <iomanip>
#include <ostream>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::classification {
namespace {

constexpr std::size_t kMostColumns = 20;  // of a matrix that a terminal shows
constexpr std::size_t kMostPairs = 10;

struct Row {
  const char *key, *text;
  std::optional<double> number;
};

std::vector<Row> rows_of(const metrics::ClassificationQuality& quality) {
  const auto f1 = [](const std::optional<metrics::Rates>& rates) {
    return rates ? std::optional(rates->f1) : std::nullopt;
  };
  return {{"accuracy", quality.micro ? "all labels right" : "accuracy", quality.accuracy},
          {"top5", "among the first five", quality.top5},
          {"balanced_accuracy", "balanced accuracy", quality.balanced_accuracy},
          {"macro_precision", "macro precision", quality.macro.precision},
          {"macro_recall", "macro recall", quality.macro.recall},
          {"macro_f1", "macro F1", quality.macro.f1},
          {"weighted_f1", "weighted F1", quality.weighted.f1},
          {"micro_f1", "micro F1", f1(quality.micro)},
          {"samples_f1", "F1 of an example", quality.sample_f1},
          {"mAP", "mean average precision", quality.average_precision},
          {"auc", "area under the ROC curve", quality.auc},
          {"matthews", "Matthews correlation", quality.matthews},
          {"spearman", "Spearman correlation", quality.spearman},
          {"log_loss", "log loss", quality.log_loss},
          {"calibration_error", "calibration error", quality.calibration_error}};
}

std::string three_digits(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", number);
  return text.data();
}

struct Pair {
  std::size_t truth, said;
  std::int64_t count;
};

void print_pairs(std::span<const std::string> names, const metrics::ClassConfusion& confusion,
                 std::ostream& out) {
  std::vector<Pair> pairs;
  for (std::size_t r = 0; r < confusion.size(); ++r)
    for (std::size_t c = 0; c < confusion.size(); ++c)
      if (r != c && confusion[r][c] > 0) pairs.push_back({r, c, confusion[r][c]});
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return a.count > b.count; });
  if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
  out << "\nMost often taken for another:\n";
  for (const Pair& pair : pairs)
    out << std::setw(7) << pair.count << "  " << visible_text(names[pair.truth]) << " taken for "
        << visible_text(names[pair.said]) << "\n";
}

// Columns are numbered, since names are long.
void print_confusion(std::span<const std::string> names, const metrics::ClassConfusion& confusion,
                     std::ostream& out) {
  if (names.size() > kMostColumns) return print_pairs(names, confusion, out);
  out << "\nWhat is taken for what:\n" << std::left << std::setw(28) << "true class" << std::right;
  for (std::size_t c = 0; c < names.size(); ++c) out << std::setw(7) << c + 1;
  out << "\n";
  for (std::size_t r = 0; r < names.size(); ++r) {
    out << std::right << std::setw(3) << r + 1 << " " << std::left << std::setw(24) << visible_text(names[r])
        << std::right;
    for (std::size_t c = 0; c < names.size(); ++c) out << std::setw(7) << confusion[r][c];
    out << "\n";
  }
}

}  // namespace

OrderedJson quality_json(std::span<const std::string> names, const metrics::ClassificationQuality& quality,
                         const char* unit) {
  TUNE_CHECK(names.size() == quality.classes.size());
  OrderedJson json{{unit, quality.examples}};
  for (const Row& row : rows_of(quality))
    if (row.number) json[row.key] = *row.number;
  json["classes"] = OrderedJson::array();
  for (std::size_t c = 0; c < names.size(); ++c) {
    const metrics::Rates rates = metrics::rates_of(quality.classes[c]);
    OrderedJson one{{"name", names[c]},
                    {unit, quality.classes[c].support},
                    {"precision", rates.precision},
                    {"recall", rates.recall},
                    {"f1", rates.f1}};
    if (!quality.class_average_precision.empty()) one["AP"] = quality.class_average_precision[c];
    json["classes"].push_back(std::move(one));
  }
  if (!quality.confusion.empty())
    json["confusion"] = {{"classes", std::vector<std::string>(names.begin(), names.end())},
                         {"counts", quality.confusion}};
  return json;
}

void print_quality(std::span<const std::string> names, const metrics::ClassificationQuality& quality,
                   const char* unit, std::ostream& out) {
  out << quality.examples << ' ' << unit << "\n\n";
  for (const Row& row : rows_of(quality))
    if (row.number)
      out << std::left << std::setw(28) << row.text << std::right << std::setw(7) << three_digits(*row.number)
          << "\n";
  out << "\n"
      << std::left << std::setw(28) << "class" << std::right << std::setw(7) << unit << std::setw(11)
      << "precision" << std::setw(8) << "recall" << std::setw(7) << "F1"
      << "\n";
  for (std::size_t c = 0; c < names.size(); ++c) {
    const metrics::Rates rates = metrics::rates_of(quality.classes[c]);
    out << std::left << std::setw(28) << visible_text(names[c]) << std::right << std::setw(7)
        << quality.classes[c].support << std::setw(11) << three_digits(rates.precision) << std::setw(8)
        << three_digits(rates.recall) << std::setw(7) << three_digits(rates.f1) << "\n";
  }
  if (!quality.confusion.empty()) print_confusion(names, quality.confusion, out);
}

}  // namespace tune::trainer::classification
