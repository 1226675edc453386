#include "trainer/tasks/detection/training_data.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/overlap_search.h"
#include "trainer/loop/trial_file.h"
#include "trainer/tasks/detection/data/fingerprint.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data_parts.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

// Some minutes on two cores. Beyond, a trial does not compare unasked.
constexpr std::uint64_t kMostPairs = 10'000'000;
constexpr std::size_t kShownPairs = 10;

// Crowd regions aside, which are neither learned nor to be found.
std::size_t count_objects(const Dataset& dataset) {
  std::size_t count = 0;
  for (const Example& example : dataset.examples)
    count += static_cast<std::size_t>(std::count_if(example.objects.begin(), example.objects.end(),
                                                    [](const GroundTruth& object) { return !object.crowd; }));
  return count;
}

void check_parts(const Dataset& training, const Dataset& validation, const std::string& place) {
  if (count_objects(training) == 0)
    throw Error(ExitCode::kBadData, place + ": the training images have no objects (crowd regions are none)",
                "check the annotations");
  if (count_objects(validation) == 0)
    throw Error(
        ExitCode::kBadData,
        place + ": the validation images have no objects (crowd regions are none), so no metric is defined",
        "give `validation`, or a larger share of it in `split`");
}

// "a, b and 3 more"
std::string few(const std::vector<std::string>& names) {
  constexpr std::size_t kFew = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(kFew, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kFew ? text + " and " + std::to_string(names.size() - kFew) + " more" : text;
}

std::vector<std::string> classes_without_object(const Dataset& dataset) {
  std::set<int> seen;
  for (const Example& example : dataset.examples)
    for (const GroundTruth& object : example.objects)
      if (!object.crowd) seen.insert(object.category);
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i)
    if (!seen.contains(static_cast<int>(i) + 1)) missing.push_back(dataset.classes[i]);
  return missing;
}

// Both change what the mean over classes means, and nothing in a metric shows it.
void warn_of_classes(const Dataset& training, const Dataset& validation, std::vector<std::string>& warnings) {
  const std::vector<std::string> untrained = classes_without_object(training),
                                 unmeasured = classes_without_object(validation);
  if (!untrained.empty())
    warnings.push_back("no training image shows " + few(untrained) +
                       ", so that cannot be learned; add images, or take the class out");
  std::vector<std::string> only_trained;
  for (const std::string& name : unmeasured)
    if (std::find(untrained.begin(), untrained.end(), name) == untrained.end()) only_trained.push_back(name);
  if (!only_trained.empty())
    warnings.push_back("no validation image shows " + few(only_trained) + ", so the metrics leave that out");
}

// What two sets have in common.
struct SharedSurfaces {
  std::vector<std::string> pairs;  // "a.jpg and b.jpg, shifted by ..."
  std::size_t images = 0;          // of the second set
};

// nullopt where the sets are too many images to compare.
std::optional<SharedSurfaces> shared_surfaces(const Dataset& one, const Dataset& other, int threads,
                                              std::ostream& notes, const std::function<bool()>& interrupted) {
  data::OverlapSearch search;
  search.threads = threads;
  search.notes = &notes;
  search.interrupted = interrupted;
  for (const Dataset* dataset : {&one, &other})
    for (const Example& example : dataset->examples) {
      search.images.push_back(example.image);
      search.sets.push_back(dataset == &one ? 0 : 1);
    }
  if (data::pairs_to_compare(search) > kMostPairs) return std::nullopt;
  SharedSurfaces shared;
  std::set<std::size_t> of_other;
  for (const data::Overlap& overlap : data::find_overlaps(search)) {
    of_other.insert(overlap.second);  // the second set's images come last
    shared.pairs.push_back(search.images[overlap.first].string() + " and " +
                           search.images[overlap.second].string() + ", shifted by (" +
                           std::to_string(overlap.dx) + ", " + std::to_string(overlap.dy) +
                           ") pixels, correlation " + shortest(std::round(overlap.correlation * 100) / 100));
  }
  shared.images = of_other.size();
  return shared;
}

std::string listed(const std::vector<std::string>& pairs) {
  std::string text;
  for (std::size_t i = 0; i < std::min(kShownPairs, pairs.size()); ++i) text += "\n  - " + pairs[i];
  if (pairs.size() > kShownPairs) text += "\n  - and " + std::to_string(pairs.size() - kShownPairs) + " more";
  return text;
}

void warn_unchecked(const std::string& data, const std::string& other, std::ostream& notes) {
  notes << "warning: " << data << " and " << other
        << " are too many images to look for overlaps here; `tune-train "
        << "audit --data " << data << " --against " << other << "` does\n";
}

// Fills the parts of `data` from trainer.split.
void cut(const Json& trainer, int threads, std::ostream& notes, const std::function<bool()>& interrupted,
         TrainingData& data) {
  const Json options = trainer.contains("split") ? trainer["split"] : Json::object();
  DataParts cut = cut_into_parts(data.training, options, threads, notes, interrupted);
  data.training = std::move(cut.parts.train);
  data.validation = std::move(cut.parts.validation);
  if (!cut.parts.test.examples.empty() && options.value("test", "measured") == "measured")
    data.test = std::move(cut.parts.test);
  data.split = std::move(cut.description);
  if (const std::size_t crossing = data.split.value("crossing_overlaps", std::size_t{0}); crossing > 0)
    notes
        << "warning: " << crossing << (crossing == 1 ? " faint overlap" : " faint overlaps")
        << " of two images had to be cut through, since keeping all such images together would leave groups "
           "too large to split; the metrics may be a little too good\n";
  else if (data.split["may_leak"] == true)
    notes << "warning: the images are split one by one, so overlapping crops of one surface may lie on both "
             "sides and the metrics may be too good; \"grouping\": \"content\" in trainer.split keeps them "
             "together\n";
}

// Where the training images come from.
struct TrainingPlace {
  std::string data;
  ReadOptions options;  // its folder of images, and the part of it to train on
  OwnParts parts;
};

// A set beside the training images: another data set, or another part of the same.
struct OtherSet {
  std::string folder;
  std::string part;  // "" for all of it

  std::string words() const { return part.empty() ? folder : folder + " (" + part + ")"; }
};

Dataset read_other(const OtherSet& other, const TrainingPlace& place, const std::vector<std::string>& classes,
                   TrainingData& data) {
  ReadOptions options = place.options;
  options.classes = classes;
  options.part = other.part;
  // Another set has its images in the same folder only where it is a COCO file.
  if (other.folder != place.data && data::is_folder(other.folder)) options.images.clear();
  Dataset read = read_to_the_end(other.folder, options);
  if (other.folder != place.data)  // of the same set they are told already
    data.warnings.insert(data.warnings.end(), read.warnings.begin(), read.warnings.end());
  return read;
}

// Validation images that training has seen flatter every trial alike: told, not refused.
void read_validation(const OtherSet& other, const TrainingPlace& place, int threads, std::ostream& notes,
                     const std::function<bool()>& interrupted, TrainingData& data) {
  data.validation = read_other(other, place, data.training.classes, data);
  data.fingerprint += "+" + fingerprint(data.validation);
  const auto shared = shared_surfaces(data.training, data.validation, threads, notes, interrupted);
  data.split = {{"grouping", nullptr}, {"may_leak", !shared || shared->images > 0}};
  if (!other.part.empty()) data.split["validation_part"] = other.part;
  if (!shared) return warn_unchecked(place.data, other.words(), notes);
  data.split["validation_overlaps"] = shared->images;
  if (shared->images > 0)
    notes << "warning: " << shared->images << " of " << data.validation.examples.size() << " images of "
          << other.words() << " show surfaces of " << place.data
          << ", so the metrics may be too good:" << listed(shared->pairs) << '\n';
}

// Images that the test images must show nothing of.
struct Seen {
  const char* key;  // in `trainer`
  std::string folder;
  const Dataset* images;
};

// Whether it could be looked for; throws where something was found.
bool refuse_seen(const std::string& folder, const Dataset& test, const Seen& seen, int threads,
                 std::ostream& notes, const std::function<bool()>& interrupted) {
  const auto shared = shared_surfaces(*seen.images, test, threads, notes, interrupted);
  if (!shared) {
    warn_unchecked(seen.folder, folder, notes);
    return false;
  }
  if (shared->images == 0) return true;
  throw Error(ExitCode::kBadData,
              std::to_string(shared->images) + " of " + std::to_string(test.examples.size()) +
                  " images of trainer.test " + folder + " show surfaces of trainer." + seen.key + " " +
                  seen.folder + ":" + listed(shared->pairs),
              "Take these images out of one of the two (`tune-train audit --data " + seen.folder +
                  " --against " + folder +
                  "` shows them), or let trainer.split cut a test part with \"grouping\": \"content\".");
}

// `whole` is all of what trainer.data gives, whichever part of it is trained on: the others choose the model,
// as trainer.validation does.
void read_own_test(const std::string& folder, const Dataset& whole, const Json& trainer,
                   const TrainingPlace& place, int threads, std::ostream& notes,
                   const std::function<bool()>& interrupted, TrainingData& data) {
  if (data.test)
    throw Error(ExitCode::kBadSpec,
                "trainer.test and the third of trainer.split.fractions contradict each other",
                "leave one out");
  data.test = read_other({folder, ""}, place, whole.classes, data);
  std::vector<Seen> seen{{"data", place.data, &whole}};
  if (const std::string validation = loop::text_key(trainer, "validation", ""); !validation.empty())
    seen.push_back({"validation", validation, &data.validation});
  bool checked = true;
  for (const Seen& each : seen)
    checked = refuse_seen(folder, *data.test, each, threads, notes, interrupted) && checked;
  data.split["test_checked"] = checked;
}

// The data set's own third part. Nobody asked for it, so surfaces that training has seen are told.
void read_test_part(const Dataset& whole, const TrainingPlace& place, int threads, std::ostream& notes,
                    const std::function<bool()>& interrupted, TrainingData& data) {
  if (data.test)
    throw Error(ExitCode::kBadSpec,
                place.data +
                    " has a part of its own to test on, which the third of trainer.split.fractions "
                    "contradicts",
                "write two fractions");
  const OtherSet other{place.data, "test"};
  data.test = read_other(other, place, whole.classes, data);
  const auto shared = shared_surfaces(whole, *data.test, threads, notes, interrupted);
  data.split["test_checked"] = shared && shared->images == 0;
  if (!shared) return warn_unchecked(place.data, other.words(), notes);
  if (shared->images > 0)
    notes << "warning: " << shared->images << " of " << data.test->examples.size() << " images of "
          << other.words()
          << " show surfaces of its training part, so what is measured on them may be too good:"
          << listed(shared->pairs) << '\n';
}

TrainingPlace training_place(const Json& trainer) {
  TrainingPlace place;
  place.data = loop::text_key(trainer, "data", "");
  if (place.data.empty())
    throw Error(ExitCode::kBadSpec, "trainer.data is missing", "name the folder of the data set");
  place.options.images = loop::text_key(trainer, "images", "");
  const bool own_validation = !loop::text_key(trainer, "validation", "").empty();
  if (own_validation && trainer.contains("split"))
    throw Error(ExitCode::kBadSpec, "trainer.validation and trainer.split contradict each other",
                "leave one out");
  const Json split = trainer.contains("split") ? trainer["split"] : Json();
  if (!split.is_null()) data::parse_split(split);
  try {
    place.parts = own_parts(place.data, place.options, split);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUsage) throw;
    throw Error(ExitCode::kBadSpec, std::string("trainer.split: ") + error.what(), error.hint());
  }
  place.options.part = place.parts.training;
  return place;
}

}  // namespace

TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted) {
  const TrainingPlace place = training_place(trainer);
  const std::string own_validation = loop::text_key(trainer, "validation", ""),
                    own_test = loop::text_key(trainer, "test", "");
  TrainingData data;
  data.training = read_to_the_end(place.data, place.options);
  data.warnings = data.training.warnings;
  data.form = data.training.form;
  if (trainer.contains("split") && place.parts.has("validation"))
    data.warnings.push_back(place.data +
                            " has a part of its own to validate on, so trainer.split is not used");
  notes << recognised(place.data, data.training)
        << (place.options.part.empty() ? "" : " in the part to train on") << '\n';
  data.fingerprint = fingerprint(data.training);
  const bool tests = !own_test.empty() || place.parts.has("test");
  const Dataset whole = tests ? data.training : Dataset{};
  if (!own_validation.empty())
    read_validation({own_validation, ""}, place, threads, notes, interrupted, data);
  else if (place.parts.has("validation"))
    read_validation({place.data, "validation"}, place, threads, notes, interrupted, data);
  else
    cut(trainer, threads, notes, interrupted, data);
  check_parts(data.training, data.validation, place.data);
  if (!own_test.empty())
    read_own_test(own_test, whole, trainer, place, threads, notes, interrupted, data);
  else if (place.parts.has("test"))
    read_test_part(whole, place, threads, notes, interrupted, data);
  warn_of_classes(data.training, data.validation, data.warnings);
  for (const std::string& warning : data.warnings) notes << "warning: " << warning << '\n';
  notes << "data: " << data.training.examples.size() << " images to train on, "
        << data.validation.examples.size() << " to validate, " << data.training.classes.size() << " classes"
        << std::endl;
  return data;
}

}  // namespace tune::trainer::detection
