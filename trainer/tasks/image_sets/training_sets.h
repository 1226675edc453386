#pragma once
// The three data sets of one trial, out of the keys of its `trainer` object, for every task on images. What a
// task's `Dataset` needs is in parts.h; fingerprint(dataset) and recognised(data, dataset) stand beside it
// too.
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "trainer/data/split.h"
#include "trainer/tasks/image_sets/parts.h"
#include "trainer/tasks/image_sets/shared_surfaces.h"

namespace tune::trainer::image_sets {

template <typename Dataset>
struct TrainingSets {
  Dataset training, validation;
  std::optional<Dataset> test;  // looked at once, for the model that is exported
  std::string fingerprint;
  OrderedJson split;                  // for model.json: how it was cut, and whether it may leak
  std::string form;                   // what `data` was recognised as
  std::vector<std::string> warnings;  // of reading it
};

// A set beside the training images: another data set, or another part of the same.
struct OtherSet {
  std::string folder;
  std::string part;  // "" for all of it

  std::string words() const { return part.empty() ? folder : folder + " (" + part + ")"; }
};

// How a task reads its data sets.
template <typename Dataset>
struct SetReading {
  std::function<OwnParts(const std::string& data, const Json& split)> own_parts;
  // `like` is the training set, whose classes the others have; nullptr for the training set itself.
  std::function<Dataset(const OtherSet& set, const Dataset* like)> read;
  // Throws Error(kBadData) for parts that cannot be trained on or measured.
  std::function<void(const Dataset& training, const Dataset& validation, const std::string& data)> check;
};

// The keys `data`, `validation`, `test` and `split` of a trainer; texts are empty where they are absent, and
// `split` is null. Throws Error(kBadSpec) where they contradict each other.
struct SetKeys {
  std::string data, validation, test;
  Json split;
};
SetKeys set_keys(const Json& trainer);

// What is said of a cut, of classes that a part does not show, of surfaces that two sets share.
void warn_of_cut(const OrderedJson& description, std::ostream& notes);
void warn_of_classes(const std::vector<std::string>& classes, const std::vector<data::ImageClasses>& training,
                     const std::vector<data::ImageClasses>& validation, std::vector<std::string>& warnings);
void warn_of_shared(const SharedSurfaces& shared, std::size_t images, const std::string& where,
                    const std::string& of, std::ostream& notes);
// Throws where images that the test images must show nothing of, those of trainer.KEY, do show something.
// Else whether it could be looked for.
struct SeenSet {
  const char* key;
  std::string folder;
  std::vector<std::filesystem::path> files;
};
bool refuse_seen(const std::string& test, const std::vector<std::filesystem::path>& test_files,
                 const SeenSet& seen, const Comparing& comparing);
// own_parts() of a task, whose Error(kUsage) becomes one of the spec.
OwnParts own_parts_of_spec(const std::function<OwnParts()>& own_parts);

// Reads one trial's sets; lives for one call.
template <typename Dataset>
class TrainingSetsReader {
 public:
  TrainingSetsReader(const Json& trainer, const SetReading<Dataset>& reading, const Comparing& comparing)
      : keys_(set_keys(trainer)),
        reading_(reading),
        comparing_(comparing),
        parts_(own_parts_of_spec([&] { return reading.own_parts(keys_.data, keys_.split); })) {}

  TrainingSets<Dataset> read() {
    data_.training = reading_.read({keys_.data, parts_.training}, nullptr);
    data_.warnings = data_.training.warnings;
    data_.form = data_.training.form;
    if (!keys_.split.is_null() && parts_.has("validation"))
      data_.warnings.push_back(keys_.data +
                               " has a part of its own to validate on, so trainer.split is not used");
    comparing_.notes << recognised(keys_.data, data_.training)
                     << (parts_.training.empty() ? "" : " in the part to train on") << '\n';
    data_.fingerprint = fingerprint(data_.training);
    const bool tests = !keys_.test.empty() || parts_.has("test");
    // All of what trainer.data gives, whichever part of it is trained on: the others choose the model, as
    // trainer.validation does.
    const Dataset whole = tests ? data_.training : Dataset{};
    if (!keys_.validation.empty())
      read_validation({keys_.validation, ""});
    else if (parts_.has("validation"))
      read_validation({keys_.data, "validation"});
    else
      cut();
    reading_.check(data_.training, data_.validation, keys_.data);
    if (!keys_.test.empty())
      read_own_test(whole);
    else if (parts_.has("test"))
      read_test_part(whole);
    warn_of_classes(data_.training.classes, classes_of_images(data_.training),
                    classes_of_images(data_.validation), data_.warnings);
    for (const std::string& warning : data_.warnings) comparing_.notes << "warning: " << warning << '\n';
    comparing_.notes << "data: " << data_.training.examples.size() << " images to train on, "
                     << data_.validation.examples.size() << " to validate, " << data_.training.classes.size()
                     << " classes" << std::endl;
    return std::move(data_);
  }

 private:
  std::optional<SharedSurfaces> compare(const Dataset& one, const Dataset& other) const {
    return shared_surfaces(files_of(one), files_of(other), comparing_);
  }

  // Fills the parts from trainer.split.
  void cut() {
    const Json options = keys_.split.is_null() ? Json::object() : keys_.split;
    CutSets<Dataset> cut =
        cut_into_parts(data_.training, options, comparing_.threads, comparing_.notes, comparing_.interrupted);
    data_.training = std::move(cut.train);
    data_.validation = std::move(cut.validation);
    if (!cut.test.examples.empty() && options.value("test", "measured") == "measured")
      data_.test = std::move(cut.test);
    data_.split = std::move(cut.description);
    warn_of_cut(data_.split, comparing_.notes);
  }

  Dataset read_other(const OtherSet& other, const Dataset& like) {
    Dataset read = reading_.read(other, &like);
    if (other.folder != keys_.data)  // of the same set they are told already
      data_.warnings.insert(data_.warnings.end(), read.warnings.begin(), read.warnings.end());
    return read;
  }

  // Validation images that training has seen flatter every trial alike: told, not refused.
  void read_validation(const OtherSet& other) {
    data_.validation = read_other(other, data_.training);
    data_.fingerprint += "+" + fingerprint(data_.validation);
    const auto shared = compare(data_.training, data_.validation);
    data_.split = {{"grouping", nullptr}, {"may_leak", !shared || shared->images > 0}};
    if (!other.part.empty()) data_.split["validation_part"] = other.part;
    if (!shared) return warn_unchecked(keys_.data, other.words(), comparing_.notes);
    data_.split["validation_overlaps"] = shared->images;
    if (shared->images > 0)
      warn_of_shared(*shared, data_.validation.examples.size(), other.words(),
                     keys_.data + ", so the metrics may be too good", comparing_.notes);
  }

  void read_own_test(const Dataset& whole) {
    if (data_.test)
      throw Error(ExitCode::kBadSpec,
                  "trainer.test and the third of trainer.split.fractions contradict each other",
                  "leave one out");
    data_.test = read_other({keys_.test, ""}, whole);
    const std::vector<std::filesystem::path> files = files_of(*data_.test);
    std::vector<SeenSet> seen{{"data", keys_.data, files_of(whole)}};
    if (!keys_.validation.empty())
      seen.push_back({"validation", keys_.validation, files_of(data_.validation)});
    bool checked = true;
    for (const SeenSet& each : seen) checked = refuse_seen(keys_.test, files, each, comparing_) && checked;
    data_.split["test_checked"] = checked;
  }

  // The data set's own third part. Nobody asked for it, so surfaces that training has seen are told.
  void read_test_part(const Dataset& whole) {
    if (data_.test)
      throw Error(ExitCode::kBadSpec,
                  keys_.data +
                      " has a part of its own to test on, which the third of trainer.split.fractions "
                      "contradicts",
                  "write two fractions");
    const OtherSet other{keys_.data, "test"};
    data_.test = read_other(other, whole);
    const auto shared = compare(whole, *data_.test);
    data_.split["test_checked"] = shared && shared->images == 0;
    if (!shared) return warn_unchecked(keys_.data, other.words(), comparing_.notes);
    if (shared->images > 0)
      warn_of_shared(*shared, data_.test->examples.size(), other.words(),
                     "its training part, so what is measured on them may be too good", comparing_.notes);
  }

  SetKeys keys_;
  const SetReading<Dataset>& reading_;
  const Comparing& comparing_;
  OwnParts parts_;
  TrainingSets<Dataset> data_;
};

// Where `data` has parts of its own (train, valid, test), training takes the first, and the others stand for
// a `validation` and a `test` that are not given. Warnings and progress go to the notes. Throws
// Error(kBadSpec) for the keys, Error(kBadData) for the data, among it a `test` of its own that shows
// surfaces of `data` or of a `validation` of its own.
template <typename Dataset>
TrainingSets<Dataset> read_training_sets(const Json& trainer, const SetReading<Dataset>& reading,
                                         const Comparing& comparing) {
  return TrainingSetsReader<Dataset>(trainer, reading, comparing).read();
}

}  // namespace tune::trainer::image_sets
