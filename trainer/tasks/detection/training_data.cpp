#include "trainer/tasks/detection/training_data.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include "trainer/tasks/detection/data/fingerprint.h"
#include "trainer/tasks/detection/data/reader.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/overlap_search.h"
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

// What two sets have in common.
struct SharedSurfaces {
  std::vector<std::string> pairs;  // "a.jpg and b.jpg, shifted by ..."
  std::size_t images = 0;          // of the second set
};

// nullopt where the sets are too many images to compare.
std::optional<SharedSurfaces> shared_surfaces(const Dataset& one, const Dataset& other, int threads,
                                              std::ostream& notes, const std::function<bool()>& interrupted) {
  OverlapSearch search;
  search.threads = threads;
  search.notes = &notes;
  search.interrupted = interrupted;
  for (const Dataset* dataset : {&one, &other})
    for (const Example& example : dataset->examples) {
      search.images.push_back(example.image);
      search.sets.push_back(dataset == &one ? 0 : 1);
    }
  if (pairs_to_compare(search) > kMostPairs) return std::nullopt;
  SharedSurfaces shared;
  std::set<std::size_t> of_other;
  for (const Overlap& overlap : find_overlaps(search)) {
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

}  // namespace

std::string text_key(const Json& trainer, const char* key, const char* fallback) {
  if (!trainer.contains(key)) return fallback;
  if (!trainer[key].is_string())
    throw Error(ExitCode::kBadSpec, std::string("trainer.") + key + " is not text");
  return trainer[key].get<std::string>();
}

namespace {

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

// Validation images that training has seen flatter every trial alike: told, not refused.
void read_own_validation(const std::string& folder, const std::string& place, int threads,
                         std::ostream& notes, const std::function<bool()>& interrupted, TrainingData& data) {
  data.validation = read_dataset(folder, {Labels::kRequired, data.training.classes, nullptr});
  data.fingerprint += "+" + fingerprint(data.validation);
  for (const std::string& warning : data.validation.warnings) notes << "warning: " << warning << '\n';
  const auto shared = shared_surfaces(data.training, data.validation, threads, notes, interrupted);
  data.split = {{"grouping", nullptr}, {"may_leak", !shared || shared->images > 0}};
  if (!shared) return warn_unchecked(place, folder, notes);
  data.split["validation_overlaps"] = shared->images;
  if (shared->images > 0)
    notes << "warning: " << shared->images << " of " << data.validation.examples.size() << " images of "
          << folder << " show surfaces of " << place
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

// `whole` is all of trainer.data, whichever part of it is trained on: the others choose the model, as
// trainer.validation does.
void read_own_test(const std::string& folder, const Dataset& whole, const Json& trainer, int threads,
                   std::ostream& notes, const std::function<bool()>& interrupted, TrainingData& data) {
  if (data.test)
    throw Error(ExitCode::kBadSpec,
                "trainer.test and the third of trainer.split.fractions contradict each other",
                "leave one out");
  data.test = read_dataset(folder, {Labels::kRequired, whole.classes, nullptr});
  std::vector<Seen> seen{{"data", text_key(trainer, "data", ""), &whole}};
  if (const std::string validation = text_key(trainer, "validation", ""); !validation.empty())
    seen.push_back({"validation", validation, &data.validation});
  bool checked = true;
  for (const Seen& each : seen)
    checked = refuse_seen(folder, *data.test, each, threads, notes, interrupted) && checked;
  data.split["test_checked"] = checked;
}

}  // namespace

TrainingData read_training_data(const Json& trainer, int threads, std::ostream& notes,
                                const std::function<bool()>& interrupted) {
  const std::string place = text_key(trainer, "data", ""), own_test = text_key(trainer, "test", "");
  if (place.empty())
    throw Error(ExitCode::kBadSpec, "trainer.data is missing", "name the folder of the data set");
  TrainingData data;
  data.training = read_dataset(place);
  for (const std::string& warning : data.training.warnings) notes << "warning: " << warning << '\n';
  data.fingerprint = fingerprint(data.training);
  const Dataset whole = own_test.empty() ? Dataset{} : data.training;
  if (const std::string own = text_key(trainer, "validation", ""); !own.empty()) {
    if (trainer.contains("split"))
      throw Error(ExitCode::kBadSpec, "trainer.validation and trainer.split contradict each other",
                  "leave one out");
    read_own_validation(own, place, threads, notes, interrupted, data);
  } else {
    cut(trainer, threads, notes, interrupted, data);
  }
  check_parts(data.training, data.validation, place);
  if (!own_test.empty()) read_own_test(own_test, whole, trainer, threads, notes, interrupted, data);
  notes << "data: " << data.training.examples.size() << " images to train on, "
        << data.validation.examples.size() << " to validate, " << data.training.classes.size() << " classes"
        << std::endl;
  return data;
}

}  // namespace tune::trainer::detection
