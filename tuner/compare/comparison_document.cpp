#include "tuner/compare/comparison_document.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tuner/core/number_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/text/format.h"

namespace tune::compare {
namespace {

constexpr std::size_t kMostBoxes = 10;   // of one panel
constexpr std::size_t kMostLabels = 24;  // of a matrix that fits a page
constexpr std::size_t kMostPairs = 10;   // listed of a row where there are more labels

std::string fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

bool is_scored(const ComparisonMaterial& material) { return material.report.scoring_number > 0; }

// The row with the best test score.
const ComparisonRow* best_row(const ComparisonReport& report) {
  const ComparisonRow* best = nullptr;
  for (const ComparisonRow& row : report.rows)
    if (row.score && (best == nullptr || report.test.is_better(*row.score, *best->score))) best = &row;
  return best;
}

std::string score_of(const ComparisonRow& row, const ComparisonReport& report) {
  return report.test.range ? fixed(*row.score, 3) : number_text(*row.score);
}

std::vector<report::Tile> tiles(const ComparisonMaterial& material) {
  const ComparisonReport& report = material.report;
  std::vector<report::Tile> list;
  const ComparisonRow* best = best_row(report);
  list.push_back({"best " + test_title(report), best != nullptr ? score_of(*best, report) : "none yet",
                  best != nullptr      ? row_name(*best)
                  : report.test.is_own ? "the models are not tested yet"
                                       : "the test " + report.test.unit + " are not scored yet"});
  list.push_back(
      {"rows", std::to_string(report.rows.size()), plural_text(report.answers.size(), "question")});
  if (is_scored(material) && !report.test.is_own)
    list.push_back(
        {"test " + report.test.unit, std::to_string(report.images),
         (report.groups > 0 ? "in " + plural_text(report.groups, "group") + ", scored " : "scored ") +
             (report.scorings == 1 ? "once" : std::to_string(report.scorings) + " times")});
  list.push_back(
      {"device time", report::hours_text(report.total.device_hours),
       report.test.is_own ? "all studies and their tests" : "all studies, probing and predicting"});
  if (report.usd_per_hour)
    list.push_back({"cost", report::usd_text(report.total.usd),
                    "at " + report::usd_text(report.usd_per_hour) + " for an hour of a device"});
  return list;
}

report::Section cost_section(const ComparisonMaterial& material) {
  const ComparisonReport& report = material.report;
  report::Section section{"accuracy-cost", "Accuracy against cost", {}};
  section.blocks.push_back(report::Figures{comparison_charts(material)});
  report::Table table{{{"row", report::Align::kLeft, true},
                       {test_title(report), report::Align::kRight},
                       {"device time", report::Align::kRight}},
                      {}};
  if (report.usd_per_hour) table.columns.push_back({"cost", report::Align::kRight});
  for (const std::size_t i : pareto_rows(report)) {
    const ComparisonRow& row = report.rows[i];
    auto& cells = table.rows.emplace_back();
    cells = {row_name(row), score_of(row, report), report::hours_text(row.cost.device_hours)};
    if (report.usd_per_hour) cells.push_back(report::usd_text(row.cost.usd));
  }
  section.blocks.push_back(
      report::TableBlock{"Pareto front: no other row is both cheaper and better, luck not counted", table});
  return section;
}

report::Intervals intervals_of(const ComparisonReport& report) {
  report::Intervals intervals;
  for (const ComparisonAnswer& one : report.answers) {
    if (!one.answer.difference) continue;
    intervals.rows.push_back(
        {one.question + ": " + row_name(report.rows[one.row]) + " − " + row_name(report.rows[one.against]),
         to_string(one.answer.verdict), *one.answer.difference, one.answer.low, one.answer.high});
  }
  intervals.caption =
      "Differences in " + test_title(report) +
      " with intervals that hold together with 95 %; a line that runs to the edge goes on beyond it";
  const bool too_few = std::any_of(report.answers.begin(), report.answers.end(),
                                   [](const ComparisonAnswer& one) { return one.answer.too_few; });
  if (too_few) intervals.caption += "; where there is no line, the seeds or the images are too few for one";
  return intervals;
}

std::string capitalized(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

// "classes" or, before the scoring told them, nothing.
std::optional<report::Section> classes_section(const ComparisonMaterial& material) {
  const ComparisonReport& report = material.report;
  const std::string counted = material.counts_objects ? "objects" : report.test.unit;
  report::Table table{{{"class", report::Align::kLeft}, {counted, report::Align::kRight}}, {}};
  std::vector<const RowQuality*> shown;
  for (std::size_t i = 0; i < material.rows.size(); ++i) {
    if (material.rows[i].classes.empty()) continue;
    shown.push_back(&material.rows[i]);
    table.columns.push_back({row_name(report.rows[i]), report::Align::kRight, true});
  }
  if (shown.empty()) return std::nullopt;
  for (std::size_t c = 0; c < material.classes.size(); ++c) {
    auto& cells = table.rows.emplace_back();
    cells = {material.classes[c], std::to_string(shown.front()->classes[c].count)};
    for (const RowQuality* row : shown)
      cells.push_back(row->classes[c].score < 0 ? "-" : fixed(row->classes[c].score, 3));
  }
  const std::string title =
      report.test.of_class == report.test.name ? test_title(report) : "test " + report.test.of_class;
  return report::Section{
      "classes",
      "Classes",
      {report::TableBlock{
          capitalized(title) +
              " of each class: the mean over a row's runs, or the chosen one of several seeds",
          table}}};
}

// For data with so many classes that nobody reads a matrix: what each row mixes up most.
report::TableBlock largest_confusions(const report::Matrices& matrices) {
  report::Table table{{{"row", report::Align::kLeft, true},
                       {matrices.rows_are, report::Align::kLeft},
                       {matrices.columns_are, report::Align::kLeft},
                       {"times", report::Align::kRight}},
                      {}};
  for (const report::Matrix& matrix : matrices.matrices) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t r = 0; r < matrix.counts.size(); ++r)
      for (std::size_t c = 0; c < matrix.counts.size(); ++c)
        if (r != c && matrix.counts[r][c] > 0) pairs.emplace_back(r, c);
    std::stable_sort(pairs.begin(), pairs.end(), [&](const auto& a, const auto& b) {
      return matrix.counts[a.first][a.second] > matrix.counts[b.first][b.second];
    });
    if (pairs.size() > kMostPairs) pairs.resize(kMostPairs);
    for (const auto& [r, c] : pairs)
      table.rows.push_back(
          {matrix.title, matrices.labels[r], matrices.labels[c], std::to_string(matrix.counts[r][c])});
  }
  return {"The " + std::to_string(kMostPairs) + " most frequent confusions of each row", table};
}

std::optional<report::Section> confusion_section(const ComparisonMaterial& material) {
  report::Matrices matrices;
  matrices.rows_are = "true class";
  matrices.columns_are = "predicted class";
  matrices.labels = material.confusable;
  for (std::size_t i = 0; i < material.rows.size(); ++i)
    if (!material.rows[i].confusion.empty())
      matrices.matrices.push_back({row_name(material.report.rows[i]), material.rows[i].confusion});
  if (matrices.matrices.empty()) return std::nullopt;
  matrices.caption =
      "Rows are true classes, columns predicted ones, summed over a row's runs (of the best of several "
      "seeds: the chosen run alone).";
  if (material.counts_objects)
    matrices.caption +=
        " By falling score, each detection with a score of " + number_text(material.score) +
        " or more takes the free object that it overlaps most, at an IoU of " +
        number_text(material.overlap) +
        " or more. The column \"background\" counts objects that were missed, the row \"background\" "
        "detections of nothing.";
  if (matrices.labels.size() > kMostLabels)
    return report::Section{
        "confusion", "Confusion", {report::Paragraph{matrices.caption}, largest_confusions(matrices)}};
  return report::Section{"confusion", "Confusion", {std::move(matrices)}};
}

report::PictureBox picture_box(const ExampleBox& box, const std::vector<std::string>& classes) {
  report::PictureBox drawn;
  drawn.x = box.x;
  drawn.y = box.y;
  drawn.width = box.width;
  drawn.height = box.height;
  drawn.label = box.name;
  drawn.tone =
      static_cast<std::size_t>(std::find(classes.begin(), classes.end(), box.name) - classes.begin());
  if (box.score) drawn.confidence = fixed(*box.score, 2);
  drawn.is_wrong = box.is_wrong;
  return drawn;
}

report::PicturePanel panel_of(const std::string& title, const std::vector<ExampleBox>& boxes,
                              const ComparisonMaterial& material) {
  report::PicturePanel panel{title, {}, {}};
  for (const ExampleBox& box : boxes)
    if (panel.boxes.size() < kMostBoxes) panel.boxes.push_back(picture_box(box, material.classes));
  if (boxes.size() > kMostBoxes)
    panel.note = "and " + std::to_string(boxes.size() - kMostBoxes) + " more with lower scores";
  return panel;
}

// Of images that are told apart whole: the class in words, below the picture.
report::PicturePanel answer_panel(const ExampleImage& image, const std::string& title, int model) {
  const auto answer = image.answers.find(model);
  if (answer == image.answers.end()) return {title, {}, "its answer is missing"};
  return {title, {}, answer->second.text + (answer->second.is_wrong ? " (wrong)" : "")};
}

report::PicturePanel model_panel(const ExampleImage& image, const std::string& title, int model,
                                 const ComparisonMaterial& material) {
  if (image.truth) return answer_panel(image, title, model);
  const auto unreadable = material.unreadable.find(model);
  const auto found = image.found.find(model);
  if (unreadable != material.unreadable.end())
    return {title, {}, "its detections are missing: " + unreadable->second};
  if (found == image.found.end()) return {title, {}, "its detections are missing"};
  report::PicturePanel panel = panel_of(title, found->second, material);
  if (panel.boxes.empty()) panel.note = "nothing with a score of " + number_text(material.score) + " or more";
  return panel;
}

report::Picture picture_of(const ExampleImage& image, const ComparisonMaterial& material) {
  report::Picture picture;
  picture.id = "picture-" + std::to_string(image.id);
  picture.title = image.file_name.empty() ? "image " + std::to_string(image.id) : image.file_name;
  picture.width = image.width;
  picture.height = image.height;
  picture.media_type = image.media_type;
  picture.bytes = image.bytes;
  picture.missing = image.missing;
  picture.panels.push_back(panel_of("ground truth", image.objects, material));
  if (image.truth) picture.panels.front().note = *image.truth;
  if (image.objects.size() > kMostBoxes)
    picture.panels.front().note =
        "and " + std::to_string(image.objects.size() - kMostBoxes) + " more objects";
  if (image.objects.empty() && !image.truth) picture.panels.front().note = "no objects";
  for (std::size_t i = 0; i < material.rows.size(); ++i) {
    const std::string title = row_name(material.report.rows[i]);
    picture.panels.push_back(material.rows[i].pictured
                                 ? model_panel(image, title, *material.rows[i].pictured, material)
                                 : report::PicturePanel{title, {}, "no run has ended well"});
  }
  return picture;
}

report::Section pictures_section(const ComparisonMaterial& material) {
  report::Section section{"pictures", "Test images", {}};
  if (material.examples.empty()) {
    section.blocks.push_back(report::Paragraph{
        is_scored(material)
            ? "This scoring kept no example images; `tune compare FILE --score-again` keeps some."
            : "There are none before the test images are scored."});
    return section;
  }
  report::Pictures pictures;
  pictures.caption = "These " + plural_text(material.examples.size(), "image") + " of the test set's " +
                     std::to_string(material.report.images) +
                     " are spread evenly over it, so nobody has chosen them. Each row shows its run with the "
                     "best validation score";
  if (material.examples.front().truth)
    pictures.caption += ": the class that it says, with its probability.";
  else
    pictures.caption += ", and the detections that have a score of " + number_text(material.score) +
                        " or more, the surest first. Broken lines are wrong: no object of that class, " +
                        "or none that a surer detection has not taken, at an IoU of " +
                        number_text(material.overlap) + " or more.";
  pictures.keys = material.classes;
  for (const ExampleImage& image : material.examples)
    pictures.pictures.push_back(picture_of(image, material));
  section.blocks.push_back(std::move(pictures));
  return section;
}

// What a table of comparison_tables() shows, where its section's title does not say it.
std::string caption_of(const TitledTable& table) {
  if (table.id == "scores") return "Validation, test and cost side by side";
  if (table.id == "published") return "Recipes as they were published, as far as they can be had";
  if (table.id == "sizes") return "Of a row's models the largest; training as the probe measured it";
  if (table.id == "questions") return "The same in numbers";
  if (table.id == "cost") return "What each study took";
  return table.title;
}

report::Section studies_section(const ComparisonReport& report) {
  report::Table table{{{"study", report::Align::kLeft, true},
                       {"device time", report::Align::kRight},
                       {"its own report", report::Align::kLeft, true}},
                      {}};
  for (const StudyCost& study : report.studies)
    table.rows.push_back(
        {study.study, report::hours_text(study.total.device_hours), "tune report " + study.study});
  report::Section section{"studies", "Studies", {}};
  section.blocks.push_back(report::Paragraph{
      "Every piece of training is a study of its own. Its report has the learning curves, the search's "
      "history, and what the hyperparameters did."});
  if (!table.rows.empty())
    section.blocks.push_back(report::TableBlock{plural_text(table.rows.size(), "study's report"), table});
  return section;
}

}  // namespace

report::Document comparison_document(const ComparisonMaterial& material) {
  const ComparisonReport& report = material.report;
  report::Document document;
  document.title = report.name;
  document.subtitle = "comparison of " + plural_text(report.rows.size(), "row") +
                      (!is_scored(material) ? ", not scored yet"
                       : report.test.is_own ? " by the same test"
                                            : " on the same test " + report.test.unit);
  document.tiles = tiles(material);
  document.colophon = "Made by tune " + material.version + " at " + format_time(material.made) + ".";
  for (const TitledTable& one : comparison_tables(report)) {
    report::Section section{one.id, one.title, {}};
    if (one.id == "questions")
      if (report::Intervals intervals = intervals_of(report); !intervals.rows.empty())
        section.blocks.push_back(std::move(intervals));
    section.blocks.push_back(report::TableBlock{caption_of(one), one.table});
    for (const std::string& line : one.lines) section.blocks.push_back(report::Paragraph{line});
    // Before the sizes, where there are any.
    const bool is_next = one.id == "sizes" || (one.id == "cost" && document.sections.back().id != "sizes");
    if (is_next && !comparison_charts(material).empty()) document.sections.push_back(cost_section(material));
    document.sections.push_back(std::move(section));
  }
  if (std::vector<report::Chart> curves = comparison_curves(material); !curves.empty())
    document.sections.push_back({"curves", "Learning curves", {report::Figures{std::move(curves)}}});
  if (auto classes = classes_section(material)) document.sections.push_back(std::move(*classes));
  if (auto confusion = confusion_section(material)) document.sections.push_back(std::move(*confusion));
  if (report.test.has_images()) document.sections.push_back(pictures_section(material));
  document.sections.push_back(studies_section(report));
  report::Section reading{"reading", "How to read this", {}};
  for (const std::string& line : comparison_remarks(report))
    reading.blocks.push_back(report::Paragraph{line});
  document.sections.push_back(std::move(reading));
  return document;
}

}  // namespace tune::compare
