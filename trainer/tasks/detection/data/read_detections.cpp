// Files of detections are long: they are read value by value, without a document in memory.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/score_input.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/json_positions.h"

namespace tune::trainer::detection {
namespace {

// Receives [{"image_id", "category_id", "bbox": [x, y, w, h], "score", ...}, ...]; passes over other keys,
// but for the name of the class that `tune-train predict` and others write.
class DetectionSink : public Json::json_sax_t {
 public:
  DetectionSink(std::string file, const ScoreTruth& truth, const std::set<std::int64_t>& elsewhere)
      : file_(std::move(file)), truth_(truth), elsewhere_(elsewhere) {}

  std::vector<metrics::DetectedBox> take() { return std::move(detections_); }

  bool null() override { return other("null"); }
  bool boolean(bool value) override { return other(value ? "true" : "false"); }
  // Numbers written as texts are the numbers, which is said.
  bool string(std::string& value) override {
    if (depth_ == kInDetection && field_ == kName) named_ = data::trimmed(value);
    const bool wanted =
        (depth_ == kInDetection && is_needed() && field_ != kBox) || (depth_ == kInBox && field_ == kBox);
    if (wanted && depth_ == kInDetection && field_ != kScore)
      if (const auto number = data::whole_number(std::string_view(value))) {
        add_text(value);
        return whole(*number);
      }
    if (wanted)
      if (const auto number = data::number_of(std::string_view(value)); number && std::isfinite(*number)) {
        add_text(value);
        return real(*number);
      }
    return other("\"" + value + "\"");
  }
  bool binary(Json::binary_t&) override { return other("binary"); }
  bool number_integer(std::int64_t value) override { return whole(value); }
  bool number_unsigned(std::uint64_t value) override {
    if (value <= std::numeric_limits<std::int64_t>::max()) return whole(static_cast<std::int64_t>(value));
    if (wants_id()) refuse_id(Json(value));
    return real(static_cast<double>(value));
  }
  bool number_float(double value, const std::string&) override { return real(value); }

  bool start_object(std::size_t) override {
    if (depth_ == 0) refuse_top_level();
    if (depth_ == kInList) begin_detection();
    if (depth_ == kInDetection) refuse_container("an object");
    if (depth_ == kInBox && field_ == kBox) refuse_box();
    ++depth_;
    return true;
  }
  bool key(std::string& name) override {
    if (depth_ != kInDetection) return true;
    const auto known = std::find(kFields.begin(), kFields.end(), name);
    field_ = static_cast<std::size_t>(known - kFields.begin());
    if (name == "category" || name == "category_name") field_ = kName;
    if (is_needed() && seen_[field_]) refuse("has two of " + name);
    return true;
  }
  bool end_object() override {
    if (--depth_ == kInList) finish_detection();
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == kInList) refuse("is not an object");
    if (depth_ == kInDetection && field_ == kBox) sides_ = 0, seen_[kBox] = true;
    if (depth_ == kInDetection && field_ != kBox) refuse_container("a list");
    if (depth_ == kInBox && field_ == kBox) refuse_box();
    ++depth_;
    return true;
  }
  bool end_array() override {
    if (--depth_ == kInDetection && field_ == kBox && sides_ != box_.size()) refuse_box();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }

  void tell(std::vector<std::string>& warnings) const {
    for (const auto& [category, count] : unlisted_)
      warnings.push_back(file_ + ": " + std::to_string(count) +
                         (count == 1 ? " detection is" : " detections are") +
                         " left out, as the ground truth has no category_id " + std::to_string(category));
    other_names_.tell(
        " detection names another class than its category_id stands for, so the classes may be in another "
        "order",
        " detections name other classes than their category_ids stand for, so the classes may be in another "
        "order",
        warnings);
    as_text_.tell(" number is written as a text, and taken as the number",
                  " numbers are written as texts, and taken as the numbers", warnings);
    negative_.tell(
        " detection has a box of negative width or height, which overlaps nothing as it should: COCO's are "
        "[x, y, width, height]",
        " detections have boxes of negative width or height, which overlap nothing as they should: COCO's "
        "are [x, y, width, height]",
        warnings);
    huge_.tell(" detection has a box with an edge beyond a million pixels",
               " detections have boxes with edges beyond a million pixels", warnings);
  }

 private:
  static constexpr std::array<std::string_view, 4> kFields{"image_id", "category_id", "bbox", "score"};
  enum : std::size_t { kImage, kCategory, kBox, kScore, kOther, kName };
  enum : int { kInList = 1, kInDetection = 2, kInBox = 3 };

  std::string where() const { return file_ + ", [" + std::to_string(index_) + "]"; }

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ExitCode::kBadData,
                file_ + " is not in COCO's results format: [" + std::to_string(index_) + "] " + what,
                "Each detection needs image_id, category_id, bbox [x, y, width, height] and score.");
  }
  [[noreturn]] void refuse_top_level() const {
    throw Error(ExitCode::kBadData, file_ + " is not a JSON array of detections",
                "COCO's results format is [{\"image_id\", \"category_id\", \"bbox\", \"score\"}, ...].");
  }
  [[noreturn]] void refuse_box() const { refuse("has a bbox that is not [x, y, width, height]"); }
  // Whether the value is of one of kFields.
  bool is_needed() const { return field_ < kOther; }

  void refuse_container(const char* what) const {
    if (is_needed()) refuse("has " + std::string(what) + " as " + std::string(kFields[field_]));
  }

  void begin_detection() {
    seen_ = {};
    named_.clear();
    field_ = kOther;
  }

  void add_text(const std::string& value) {
    as_text_.add(where() + ": \"" + std::string(kFields[field_]) + "\" is " + Json(value).dump());
  }

  bool other(const std::string& value) {
    if (depth_ == 0) refuse_top_level();
    if (depth_ == kInList) refuse("is not an object");
    if (depth_ == kInBox && field_ == kBox) refuse_box();
    if (depth_ == kInDetection && is_needed()) refuse("has " + value + " as " + std::string(kFields[field_]));
    return true;
  }

  bool whole(std::int64_t value) {
    if (!wants_id()) return real(static_cast<double>(value));
    (field_ == kImage ? image_ : category_) = value;
    return seen_[field_] = true;
  }

  bool wants_id() const { return depth_ == kInDetection && (field_ == kImage || field_ == kCategory); }

  [[noreturn]] void refuse_id(const Json& value) const {
    throw Error(ExitCode::kBadData,
                where() + ": " + std::string(kFields[field_]) + " " + data::not_whole(value),
                "Write an id of the ground truth.");
  }

  bool real(double value) {
    if (wants_id()) {
      const auto number = data::whole_number(value);
      if (!number) refuse_id(Json(value));
      return whole(*number);
    }
    if (depth_ == kInBox && field_ == kBox) {
      if (sides_ == box_.size()) refuse_box();
      box_[sides_++] = value;
      return true;
    }
    if (depth_ != kInDetection || !is_needed()) return depth_ > kInList || other("a number");
    if (field_ == kBox) refuse_box();
    score_ = value;
    return seen_[kScore] = true;
  }

  // Computed with as they stand there, as pycocotools does.
  void look_at_box() {
    constexpr double kFarthest = 1e6;  // pixels; no image that is read has such a side
    const auto& [x, y, width, height] = box_;
    if (width < 0 || height < 0) negative_.add(shown_box());
    for (const double edge : {x, y, x + width, y + height})
      if (std::abs(edge) > kFarthest) return huge_.add(shown_box());
  }
  std::string shown_box() const { return where() + ": " + Json(box_).dump(); }

  void finish_detection() {
    for (std::size_t field = 0; field < kFields.size(); ++field)
      if (!seen_[field]) refuse("has no " + std::string(kFields[field]));
    look_at_box();
    add_detection();
    ++index_;
  }

  void add_detection() {
    if (!std::binary_search(truth_.images.begin(), truth_.images.end(), image_)) {
      if (elsewhere_.contains(image_)) return;
      throw Error(ExitCode::kBadData,
                  where() + ": image_id " + std::to_string(image_) + " is not in the ground truth",
                  "Its `images` must list every image; check that the two files belong together.");
    }
    if (const auto category = truth_.categories.find(category_); category != truth_.categories.end()) {
      compare_name(truth_.names[static_cast<std::size_t>(category->second)]);
      detections_.push_back({image_, category->second, {box_[0], box_[1], box_[2], box_[3]}, score_});
    } else if (truth_.numbered_here)
      throw Error(ExitCode::kBadData,
                  where() + ": category_id " + std::to_string(category_) + ", but the classes of " +
                      truth_.place + " count from 1 to " + std::to_string(truth_.categories.size()),
                  "--labels MODEL/labels.json counts the classes as the model's predictions do.");
    else
      ++unlisted_[category_];
  }

  // Another order of the classes shows nowhere else. A COCO file without names, and a number in the place of
  // a name, tell nothing.
  void compare_name(const std::string& name) {
    if (named_.empty() || lower_case(named_) == lower_case(name) ||
        name == "category " + std::to_string(category_) || data::number_of(std::string_view(named_)))
      return;
    other_names_.add(where() + ": category_id " + std::to_string(category_) + " is \"" + name +
                     "\", and the detection says \"" + named_ + "\"");
  }

  std::string file_;
  const ScoreTruth& truth_;
  const std::set<std::int64_t>& elsewhere_;
  std::vector<metrics::DetectedBox> detections_;
  std::map<std::int64_t, std::size_t> unlisted_;  // detections by category
  int depth_ = 0;
  std::size_t index_ = 0, field_ = kOther, sides_ = 0;
  std::array<bool, kFields.size()> seen_{};
  std::int64_t image_ = 0, category_ = 0;
  std::array<double, 4> box_{};
  double score_ = 0;
  std::string named_;  // the class, where the detection names it
  data::Tally as_text_, negative_, huge_, other_names_;
};

}  // namespace

std::vector<metrics::DetectedBox> read_detections(const std::filesystem::path& file, const ScoreTruth& truth,
                                                  const std::set<std::int64_t>& elsewhere,
                                                  std::vector<std::string>* warnings) {
  DetectionSink sink(file.string(), truth, elsewhere);
  const std::string text = data::read_text(file);
  // The parser takes a NUL byte for the end of the text.
  if (!Json::sax_parse(text, &sink) || text.find('\0') != std::string::npos) {
    if (const auto fault = first_json_fault(text)) throw data::not_json(file, *fault);
  }
  if (warnings != nullptr) sink.tell(*warnings);
  return sink.take();
}

}  // namespace tune::trainer::detection
