#include <cmath>
#include <optional>
#include <set>

#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/reader.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

constexpr double kRounding = 0.01;  // pixels

// Reads the YOLO labels of a layout; lives for one call of read(), on its thread. Opens images for their size
// alone.
class YoloReader {
 public:
  YoloReader(const fs::path& data, const Layout& layout, const ReadOptions& options)
      : data_(data), layout_(layout), options_(options), names_(*layout.names) {}

  Dataset read() {
    number_classes();
    dataset_.examples = examples_of(layout_, options_.part);
    for (Example& example : dataset_.examples) read_example(example);
    for (const fs::path& file : layout_.orphans)
      problems_.add(file.string() + ": its image " + file.stem().string() +
                    ".jpg (or .png, .bmp, .tif, .webp) does not exist; put it there or remove the labels");
    if (!without_labels_.empty())
      dataset_.warnings.push_back(
          data_.string() + ": " + std::to_string(without_labels_.size()) + " of " +
          std::to_string(dataset_.examples.size()) +
          " images have no file in labels/ and count as images without objects, the first being " +
          without_labels_.front().filename().string());
    checks_.finish();
    problems_.settle(options_.problems, data_.string() + " cannot be used",
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

  void read_example(Example& example) {
    const fs::path& file = layout_.images[static_cast<std::size_t>(example.image_id) - 1].annotation;
    if (!labels_.insert(file).second)
      return problems_.add(example.image.string() + " shares the labels " + file.filename().string() +
                           " with another image; rename or remove one");
    if (!checks_.measure(example, 0, 0)) return;
    std::error_code ignored;
    if (fs::exists(file, ignored))
      read_labels(file, example);
    else
      without_labels_.push_back(example.image);
  }

  void read_labels(const fs::path& file, Example& example) {
    std::string text;
    try {
      text = data::read_text(file);
    } catch (const Error& error) {
      return problems_.add(std::string(error.what()) + ". " + error.hint());
    }
    int number = 0;
    for (const std::string& line : data::lines_of(text)) {
      const std::vector<std::string> words = data::words_of(line);
      ++number;
      if (!words.empty()) read_object(words, file.string() + ", line " + std::to_string(number), example);
    }
  }

  void read_object(const std::vector<std::string>& words, std::string where, Example& example) {
    if (words.size() != 5)
      return problems_.add(where + " has " + plural_text(words.size(), "value") +
                           (words.size() > 6 && words.size() % 2 == 1 ? ", as outlines have" : "") +
                           "; a box is `class cx cy width height`");
    const std::optional<std::int64_t> index = data::whole_number(std::string_view(words[0]));
    if (!index || *index < 0 || *index >= static_cast<std::int64_t>(names_.names.size()))
      return problems_.add(where + ": the class " + words[0] + " is none of the " +
                           std::to_string(names_.names.size()) + " in " + names_.file.string() +
                           ", which count from 0");
    const std::string& name = names_.names[static_cast<std::size_t>(*index)];
    where += " (" + name + ")";
    double shares[4];
    for (std::size_t i = 0; i < 4; ++i) {
      const std::optional<double> share = data::number_of(std::string_view(words[i + 1]));
      if (!share) return problems_.add(where + ": \"" + words[i + 1] + "\" is no number");
      shares[i] = *share;
    }
    if (const int category = category_of(name, where); category > 0)
      add_box(shares, category, where, example);
  }

  int category_of(const std::string& name, const std::string& where) {
    for (std::size_t i = 0; i < dataset_.classes.size(); ++i)
      if (dataset_.classes[i] == name) return static_cast<int>(i) + 1;
    problems_.add(where + ": the class \"" + name +
                  "\" is none of the labels: " + data::listed_names(dataset_.classes));
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
    checks_.add_object({edge(cx - width / 2, example.width), edge(cy - height / 2, example.height),
                        edge(cx + width / 2, example.width), edge(cy + height / 2, example.height)},
                       labels, -1, where, example);
  }

  fs::path data_;
  const Layout& layout_;
  const ReadOptions& options_;
  const YoloNames& names_;
  Dataset dataset_;
  data::Problems problems_;
  AnnotationChecks checks_{dataset_, problems_};
  std::set<fs::path> labels_;
  std::vector<fs::path> without_labels_;
};

}  // namespace

Dataset read_yolo(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  return YoloReader(data, layout, options).read();
}

}  // namespace tune::trainer::detection
