#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data/yolo_names.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

constexpr double kRounding = 0.01;  // pixels

template <typename Number>
std::optional<Number> number_of(const std::string& word) {
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

class YoloReader {
 public:
  YoloReader(const fs::path& folder, const ReadOptions& options)
      : folder_(folder), options_(options), names_(find_yolo_names(folder)) {}

  Dataset read() {
    number_classes();
    for (const fs::path& image : images_in(folder_ / "images")) add_image(image);
    for (Example& example : dataset_.examples) {
      if (!measure_image(example, 0, 0, problems_)) continue;
      const fs::path file = folder_ / "labels" / (example.image.stem().string() + ".txt");
      if (fs::exists(file))
        read_labels(file, example);
      else
        without_labels_.push_back(example.image);
    }
    report_labels_without_image();
    if (!without_labels_.empty())
      dataset_.warnings.push_back(
          folder_.string() + ": " + std::to_string(without_labels_.size()) + " of " +
          std::to_string(dataset_.examples.size()) +
          " images have no file in labels/ and count as images without objects, the first being " +
          without_labels_.front().filename().string());
    problems_.settle(options_.problems, folder_.string() + " cannot be used",
                     "Correct the files named above. A line is `class cx cy width height`, the last four as "
                     "shares of the image's sides.");
    return std::move(dataset_);
  }

 private:
  // The order of the names file stays, also for classes without an object.
  void number_classes() {
    dataset_.classes = options_.classes.empty() ? names_.names : options_.classes;
    for (std::size_t i = 0; i < dataset_.classes.size(); ++i)
      dataset_.category_ids.push_back(static_cast<std::int64_t>(i) + 1);
  }

  void add_image(const fs::path& image) {
    if (!stems_.insert(image.stem().string()).second)
      return problems_.add(image.string() + " shares the labels " + image.stem().string() +
                           ".txt with another image; rename or remove one");
    Example example;
    example.image_id = static_cast<std::int64_t>(dataset_.examples.size()) + 1;
    example.image = image;
    dataset_.examples.push_back(std::move(example));
  }

  void read_labels(const fs::path& file, Example& example) {
    std::string text;
    try {
      text = read_file(file);
    } catch (const Error& error) {
      return problems_.add(error.what());
    }
    std::istringstream lines(text);
    std::string line;
    for (int number = 1; std::getline(lines, line); ++number) {
      const std::vector<std::string> words = words_of(line);
      if (!words.empty()) read_object(words, file.string() + ", line " + std::to_string(number), example);
    }
  }

  void read_object(const std::vector<std::string>& words, std::string where, Example& example) {
    if (words.size() != 5)
      return problems_.add(
          where + " has " + std::to_string(words.size()) +
          (words.size() > 6 && words.size() % 2 == 1 ? " values, as outlines have" : " values") +
          "; a box is `class cx cy width height`");
    const std::optional<std::size_t> index = number_of<std::size_t>(words[0]);
    if (!index || *index >= names_.names.size())
      return problems_.add(where + ": the class " + words[0] + " is none of the " +
                           std::to_string(names_.names.size()) + " in " + names_.file.string() +
                           ", which count from 0");
    const std::string& name = names_.names[*index];
    where += " (" + name + ")";
    double shares[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const std::optional<double> share = number_of<double>(words[i + 1]);
      if (!share) return problems_.add(where + ": \"" + words[i + 1] + "\" is no number");
      shares[i] = *share;
    }
    if (const int category = category_of(name, where); category > 0)
      add_box(shares, category, where, example);
  }

  int category_of(const std::string& name, const std::string& where) {
    std::string known;
    for (std::size_t i = 0; i < dataset_.classes.size(); ++i) {
      if (dataset_.classes[i] == name) return static_cast<int>(i) + 1;
      known += (known.empty() ? "" : ", ") + dataset_.classes[i];
    }
    problems_.add(where + ": the class \"" + name + "\" is none of the labels: " + known);
    return 0;
  }

  void add_box(const double (&shares)[4], int category, const std::string& where, Example& example) {
    const auto [cx, cy, width, height] = shares;
    // Not a box outside its image: the whole file is in another unit.
    if (cx > 2 || cy > 2 || width > 2 || height > 2)
      return problems_.add(where +
                           ": the box is not normalised; centre and size are shares of the image's sides, 0 "
                           "to 1");
    const auto edge = [](double share, int side) {
      const double pixel = share * side;
      // Six decimals, as such files have, miss the edge of the image by a rounding.
      if (std::abs(pixel) < kRounding) return 0.0;
      return std::abs(pixel - side) < kRounding ? static_cast<double>(side) : pixel;
    };
    GroundTruth labels;
    labels.category = category;
    add_object({edge(cx - width / 2, example.width), edge(cy - height / 2, example.height),
                edge(cx + width / 2, example.width), edge(cy + height / 2, example.height)},
               labels, -1, where, example, dataset_, problems_);
  }

  void report_labels_without_image() {
    std::map<std::string, fs::path> orphans;
    for (const fs::path& file : files_in(folder_ / "labels")) {
      const std::string stem = file.stem().string();
      if (file.extension() == ".txt" && stem != "classes" && !stems_.contains(stem))
        orphans.emplace(stem, file);
    }
    for (const auto& [stem, file] : orphans)
      problems_.add(file.string() + ": its image " + (folder_ / "images" / stem).string() +
                    ".jpg (or .jpeg, .png) does not exist; put it there or remove the labels");
  }

  fs::path folder_;
  const ReadOptions& options_;
  YoloNames names_;
  Dataset dataset_;
  Problems problems_;
  std::set<std::string> stems_;
  std::vector<fs::path> without_labels_;
};

}  // namespace

Dataset read_yolo(const fs::path& folder, const ReadOptions& options) {
  return YoloReader(folder, options).read();
}

}  // namespace tune::trainer::detection
