// What a scoring left in its folder, read defensively: a report is made of whatever is there.
#include <algorithm>
#include <cstdio>

#include "tuner/compare/comparison_document.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/os/atomic_file.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kMostDetectionBytes = 512'000'000;    // of one model's detections
constexpr double kDefaultScore = 0.25, kDefaultOverlap = 0.5;  // tune-train's, where a scoring does not say

Json member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object.at(name) : Json();
}

double number(const Json& object, const char* name, double otherwise) {
  const Json value = member(object, name);
  return value.is_number() ? value.get<double>() : otherwise;
}

std::string text(const Json& object, const char* name) {
  const Json value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// A side of an image; 0 for what is none.
int pixels(const Json& object, const char* name) {
  constexpr double kLongestSide = 1'000'000;
  const double side = number(object, name, 0);
  return side >= 1 && side <= kLongestSide ? static_cast<int>(side) : 0;
}

// Reads one scoring of a comparison. Lives for one call.
class MaterialReader {
 public:
  MaterialReader(fs::path folder, const Json& result, const std::vector<store::FrozenModel>& models,
                 ComparisonMaterial& material)
      : folder_(std::move(folder)), result_(result), models_(models), material_(material) {}

  void read() {
    read_classes();
    for (const ComparisonRow& row : material_.report.rows) material_.rows.push_back(quality_of(row));
    read_examples();
    for (const RowQuality& row : material_.rows)
      if (row.pictured && !material_.examples.empty()) read_detections(*row.pictured);
  }

 private:
  // What the scoring says of a model; null where it says nothing.
  Json result_of(int model) const {
    const Json results = member(result_, "results");
    for (std::size_t i = 0; i < models_.size() && i < results.size(); ++i)
      if (models_[i].number == model) return results[i];
    return {};
  }

  void read_classes() {
    const Json results = member(result_, "results");
    const Json first = results.is_array() && !results.empty() ? results.front() : Json();
    const Json classes = member(first, "classes");
    for (std::size_t i = 0; i < classes.size(); ++i) {
      material_.classes.push_back(text(classes[i], "name"));
      const auto id =
          static_cast<std::int64_t>(number(classes[i], "category_id", static_cast<double>(i + 1)));
      names_[id] = material_.classes.back();
    }
    const Json confusion = member(first, "confusion");
    material_.counts_objects = classes.empty() || member(classes.front(), "objects").is_number();
    for (const Json& name : member(confusion, "classes"))
      material_.confusable.push_back(name.is_string() ? name.get<std::string>() : name.dump());
    material_.score = number(confusion, "score", kDefaultScore);
    material_.overlap = number(confusion, "iou", kDefaultOverlap);
  }

  RowQuality quality_of(const ComparisonRow& row) const {
    RowQuality quality;
    const auto best =
        std::min_element(row.runs.begin(), row.runs.end(), [&](const RunRow& a, const RunRow& b) {
          return row.lower_validation_is_better ? a.validation < b.validation : a.validation > b.validation;
        });
    if (best == row.runs.end()) return quality;
    quality.pictured = best->model;
    std::vector<int> models;
    for (const RunRow& run : row.runs)
      if (row.kind != RowKind::kBestOfSeeds || run.model == best->model) models.push_back(run.model);
    for (const int model : models) {
      const Json result = result_of(model);
      add_classes(member(result, "classes"), static_cast<double>(models.size()), quality);
      add_confusion(member(member(result, "confusion"), "counts"), quality);
    }
    return quality;
  }

  void add_classes(const Json& classes, double models, RowQuality& quality) const {
    if (classes.size() != material_.classes.size()) return;
    quality.classes.resize(classes.size());
    for (std::size_t i = 0; i < classes.size(); ++i) {
      quality.classes[i].name = material_.classes[i];
      const char* counted = material_.counts_objects ? "objects" : "images";
      quality.classes[i].count = static_cast<std::int64_t>(number(classes[i], counted, 0));
      quality.classes[i].score += number(classes[i], material_.report.test.of_class.c_str(), -1) / models;
      quality.classes[i].second += number(classes[i], material_.report.test.second.c_str(), -1) / models;
    }
  }

  void add_confusion(const Json& counts, RowQuality& quality) const {
    const std::size_t size = material_.confusable.size();
    if (size == 0 || !counts.is_array() || counts.size() != size) return;
    for (const Json& row : counts) {
      if (!row.is_array() || row.size() != size) return;
      for (const Json& count : row)
        if (!count.is_number_integer()) return;
    }
    quality.confusion.resize(size, std::vector<std::int64_t>(size));
    for (std::size_t r = 0; r < size; ++r)
      for (std::size_t c = 0; c < size; ++c) quality.confusion[r][c] += counts[r][c].get<std::int64_t>();
  }

  void read_examples() {
    const Json examples = member(result_, "examples");
    for (const Json& one : examples) {
      ExampleImage image;
      const Json id = member(one, "image_id");
      if (!id.is_number_integer()) continue;
      image.id = id.get<std::int64_t>();
      image.file_name = text(one, "file_name");
      image.width = pixels(one, "width");
      image.height = pixels(one, "height");
      for (const Json& object : member(one, "objects"))
        if (auto box = box_of(object)) {
          box->name = text(object, "name");
          image.objects.push_back(std::move(*box));
        }
      read_answers(one, image);
      read_picture(folder_, image);
      material_.examples.push_back(std::move(image));
    }
  }

  // Of images that are told apart whole: what is true, and what each model says.
  void read_answers(const Json& one, ExampleImage& image) const {
    if (!member(one, "labels").is_array()) return;
    image.truth = labels_text(one);
    const Json predicted = member(one, "predicted");
    for (std::size_t i = 0; i < models_.size() && i < predicted.size(); ++i)
      image.answers[models_[i].number] = {labels_text(predicted[i]),
                                          member(predicted[i], "labels") != member(one, "labels")};
  }

  // "cat", "cat 0.93", "cat 0.93, dog 0.61".
  static std::string labels_text(const Json& one) {
    const Json labels = member(one, "labels"), probabilities = member(one, "probabilities");
    std::string said;
    for (std::size_t i = 0; i < labels.size(); ++i) {
      said += (i > 0 ? ", " : "") + (labels[i].is_string() ? labels[i].get<std::string>() : labels[i].dump());
      if (i >= probabilities.size() || !probabilities[i].is_number()) continue;
      char number[32];
      std::snprintf(number, sizeof number, " %.2f", probabilities[i].get<double>());
      said += number;
    }
    return said.empty() ? "no class" : said;
  }

  void read_detections(int model) {
    if (material_.examples.front().truth) return;  // the scoring has told them
    if (material_.unreadable.contains(model) || material_.examples.front().found.contains(model)) return;
    const fs::path file = folder_ / ("model-" + std::to_string(model) + ".json");
    Json list;
    try {
      std::error_code error;
      if (fs::file_size(file, error) > kMostDetectionBytes && !error)
        throw Error(ExitCode::kBadData, file.string() + " has more than 512 MB");
      list = Json::parse(read_file(file));
      if (!list.is_array()) throw Error(ExitCode::kBadData, file.string() + " is not a list of detections");
    } catch (const Json::exception&) {
      material_.unreadable[model] = file.string() + " is not JSON";
      return;
    } catch (const Error& error) {
      material_.unreadable[model] = error.what();
      return;
    }
    std::map<std::int64_t, ExampleImage*> images;
    for (ExampleImage& image : material_.examples) {
      images[image.id] = &image;
      image.found[model];
    }
    for (const Json& one : list) {
      const Json id = member(one, "image_id");
      const auto image = id.is_number_integer() ? images.find(id.get<std::int64_t>()) : images.end();
      const double score = number(one, "score", -1);
      auto box = image == images.end() || score < material_.score ? std::nullopt : box_of(one);
      if (!box) continue;
      const auto category = static_cast<std::int64_t>(number(one, "category_id", 0));
      const auto name = names_.find(category);
      box->name = name == names_.end() ? "category " + std::to_string(category) : name->second;
      box->score = score;
      image->second->found[model].push_back(std::move(*box));
    }
    for (ExampleImage& image : material_.examples)
      mark_wrong(image.objects, material_.overlap, image.found[model]);
  }

  const fs::path folder_;
  const Json& result_;
  const std::vector<store::FrozenModel>& models_;
  ComparisonMaterial& material_;
  std::map<std::int64_t, std::string> names_;  // of the classes, by category id
};

// Nothing where the study's rows cannot be read any more: its folder may be gone.
std::vector<MetricPoint> curve_of(const fs::path& store, const RunRow& run) {
  const fs::path file = study_database(store / run.study);
  std::error_code error;
  if (!fs::exists(file, error)) return {};
  try {
    const History history = store::StudyStore(file, store::OpenMode::kRead).load_history();
    for (const auto& trial : history.trials)
      if (trial->number == run.trial) return trial->curve;
  } catch (const Error&) {
  }
  return {};
}

}  // namespace

ComparisonMaterial read_comparison_material(const fs::path& store, const Comparison& comparison,
                                            const store::ComparisonStore& record) {
  ComparisonMaterial material;
  material.report = read_comparison_report(store, comparison, record);
  const int number = material.report.scoring_number;
  Json result;
  for (const store::Scoring& scoring : record.scorings())
    if (scoring.number == number && scoring.ended) result = scoring.result;
  const std::vector<store::FrozenModel> models = record.models();
  MaterialReader(comparison_folder(store, comparison.name) / "scorings" / std::to_string(number), result,
                 models, material)
      .read();
  for (std::size_t i = 0; i < material.rows.size(); ++i)
    for (const RunRow& run : material.report.rows[i].runs)
      if (run.model == material.rows[i].pictured) material.rows[i].curve = curve_of(store, run);
  return material;
}

}  // namespace tune::compare
