#pragma once
// A comparison as people, programs and other reports read it: rows, answers, costs. Read from the databases
// of the comparison and of its studies, none of which is written to.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/comparison_store.h"
#include "store/study_store.h"
#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_statistics.h"
#include "tuner/report/numbers/cost.h"
#include "tuner/report/text/table.h"

namespace tune::compare {

// What a row stands for.
enum class RowKind {
  kDefaults,     // the approach as it is, on several seeds
  kBestOfSeeds,  // the control: as many seeds as the search's device time pays for, the best by validation
  kTuned,        // the search's winner, trained anew
  kRandom,       // the control: the winner of a random search, trained anew
};

struct RunRow {
  int model = 0;  // its number among the frozen ones
  std::string study;
  int trial = 0;
  double validation = 0;
  std::optional<double> score, second;  // in the test; absent before it is made
};

struct ComparisonRow {
  std::string approach;
  RowKind kind = RowKind::kDefaults;
  ApproachTable table = ApproachTable::kImproved;
  std::vector<RunRow> runs;      // what its score is made of
  std::optional<RunRow> winner;  // of the search: the trial that was selected
  ParameterSet chosen = {};      // its hyperparameters
  std::string precision = {};    // that the row was trained in: fp32, bf16
  bool lower_validation_is_better = false;
  std::string validation_metric;
  // Side by side: the validation that selected, the validation of runs that it did not select, and the test.
  std::optional<double> selection, fresh_validation, score, second, score_spread, winner_score;
  std::optional<ScoreInterval> score_interval;  // 95 %
  report::Cost cost;                            // of all trials that it took
  std::optional<double> predicted_hours;        // of device time
  bool predicted_at_most = false;               // an upper bound: its limits, or losers that are stopped
  std::optional<double> training_memory_bytes;  // at its peak, from the probe
  // As measured when the row's models, the winner too, predicted on the test images: the largest of several,
  // but for the latency the least of all rows on one network.
  std::optional<double> parameters, multiply_adds, latency_ms, peak_memory_bytes;
};

struct StudyCost {
  std::string study;
  report::Cost completed, stopped, failed, total;
  report::Cost retried;  // of the total
  std::optional<double> predicted_hours;
  std::string no_prediction;       // why not
  bool predicted_at_most = false;  // as in ComparisonRow
  report::Cost validating = {};    // of the total
  report::Cost idle = {};          // beside it
};

// Where an approach departs from what was published.
struct Deviations {
  std::string approach;
  std::vector<std::string> sentences;
};

// A study that the comparison's budget kept from being all that it was to be.
struct CutStudy {
  std::string study, what;  // "not begun: ...", "ended by the budget after 3 of 20 runs"
};

struct ComparisonAnswer {
  std::size_t row = 0, against = 0;  // indices of `rows`
  std::string question;              // "tuning helped", ...
  Answer answer;
};

// The number that models are tested by.
struct TestNumber {
  std::string name = "AP";
  Goal goal = Goal::kMaximize;
  bool is_own = false;        // of a test of the file's own: one a model; else tune-train scores test images
  std::string own_test = "";  // that, in words: test_text()
  std::string unit = "images";      // of what tune-train scores
  bool is_resampled = true;         // with scores on resamples of those
  std::string no_audit = "";        // why nothing was searched for leaks; empty where it was
  std::string second = "AP50";      // a number that stands beside it; "" for none
  std::string of_class = "AP";      // that of each class; "" for none
  std::optional<double> range = 1;  // from the least to the largest; nullopt: not known

  std::string title() const { return name.starts_with("test") ? name : "test " + name; }
  bool is_better(double a, double b) const { return goal == Goal::kMaximize ? a > b : a < b; }
  bool has_images() const { return !is_own && unit == "images"; }
  // COCO's, whose names stand for it in JSON.
  bool is_average_precision() const { return !is_own && name == "AP"; }
};

struct ComparisonReport {
  std::string name;
  std::vector<ComparisonRow> rows;
  std::vector<ComparisonAnswer> answers;
  std::vector<StudyCost> studies;
  report::Cost total, probing, scoring;  // the total holds the other two
  report::Cost validating;               // of the total
  report::Cost idle;                     // beside it
  std::optional<double> usd_per_hour;
  std::string price_date;
  int scoring_number = 0, scorings = 0;  // the one that is shown, and how many have ended
  int images = 0, groups = 0, resamples = 0;
  bool test_leaks = false, validation_leaks = false;
  // Overlaps of a split by content whose images lie in different parts all the same. Test images are among
  // them where the split cuts these, too (test_is_cut).
  int crossing_overlaps = 0;
  bool test_is_cut = false;
  std::vector<std::string> warnings;  // of the readers of the data
  Limits budget;                      // as Comparison::budget
  std::vector<CutStudy> cut;          // by it
  std::optional<double> predicted_scoring_hours;
  std::vector<std::string> notes;  // of the approaches
  std::vector<Deviations> deviations;
  TestNumber test = {};
};

// "test AP", or that of another number; marked where it leaks, or may.
std::string test_title(const ComparisonReport& report);

// Everything that the store knows of a comparison, with the test scores of one scoring: the last that has
// ended, unless another is named.
ComparisonReport read_comparison_report(const std::filesystem::path& store, const Comparison& comparison,
                                        const store::ComparisonStore& record,
                                        std::optional<int> scoring = {});

// The time of training. Without hours where one of the studies has no prediction.
struct PredictedTime {
  std::optional<double> hours;
  bool at_most = false;
};
PredictedTime predicted_in_all(const ComparisonReport& report);

std::string row_name(const ComparisonRow& row);  // "legacy, best of 8 seeds"

// The tables in the order in which they are read, and the sentences under them: every form shows the same.
struct TitledTable {
  std::string id, title;  // "scores", "Scores"; the id of letters and '-'
  report::Table table;
  std::vector<std::string> lines;  // below it
};
std::vector<TitledTable> comparison_tables(const ComparisonReport& report);
std::vector<std::string> comparison_remarks(const ComparisonReport& report);
// What may make the numbers too good, a sentence each: for the remarks, and for people who plan to compare.
std::vector<std::string> leak_remarks(const ComparisonReport& report);

std::string comparison_text(const ComparisonReport& report);
std::string comparison_markdown(const ComparisonReport& report);
Json comparison_json(const ComparisonReport& report);

}  // namespace tune::compare
