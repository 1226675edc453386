#include "trainer/tasks/image_sets/training_sets.h"

#include <algorithm>
#include <set>

#include "trainer/loop/trial_file.h"

namespace tune::trainer::image_sets {
namespace {

// "a, b and 3 more"
std::string few(const std::vector<std::string>& names) {
  constexpr std::size_t kFew = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(kFew, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kFew ? text + " and " + std::to_string(names.size() - kFew) + " more" : text;
}

std::vector<std::string> not_shown(const std::vector<std::string>& classes,
                                   const std::vector<data::ImageClasses>& images) {
  std::set<int> seen;
  for (const data::ImageClasses& image : images) seen.insert(image.shown.begin(), image.shown.end());
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (!seen.contains(static_cast<int>(i) + 1)) missing.push_back(classes[i]);
  return missing;
}

}  // namespace

SetKeys set_keys(const Json& trainer) {
  SetKeys keys{loop::text_key(trainer, "data", ""), loop::text_key(trainer, "validation", ""),
               loop::text_key(trainer, "test", ""), trainer.contains("split") ? trainer["split"] : Json()};
  if (keys.data.empty())
    throw Error(ExitCode::kBadSpec, "trainer.data is missing", "name the folder of the data set");
  if (!keys.validation.empty() && trainer.contains("split"))
    throw Error(ExitCode::kBadSpec, "trainer.validation and trainer.split contradict each other",
                "leave one out");
  if (!keys.split.is_null()) data::parse_split(keys.split);
  return keys;
}

OwnParts own_parts_of_spec(const std::function<OwnParts()>& own_parts) {
  try {
    return own_parts();
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUsage) throw;
    throw Error(ExitCode::kBadSpec, std::string("trainer.split: ") + error.what(), error.hint());
  }
}

void warn_of_cut(const OrderedJson& description, std::ostream& notes) {
  if (const std::size_t crossing = description.value("crossing_overlaps", std::size_t{0}); crossing > 0)
    notes
        << "warning: " << crossing << (crossing == 1 ? " faint overlap" : " faint overlaps")
        << " of two images had to be cut through, since keeping all such images together would leave groups "
           "too large to split; the metrics may be a little too good\n";
  else if (description.at("may_leak") == true)
    notes << "warning: the images are split one by one, so overlapping crops of one surface may lie on both "
             "sides and the metrics may be too good; \"grouping\": \"content\" in trainer.split keeps them "
             "together\n";
}

// Both change what the mean over classes means, and nothing in a metric shows it.
void warn_of_classes(const std::vector<std::string>& classes, const std::vector<data::ImageClasses>& training,
                     const std::vector<data::ImageClasses>& validation, std::vector<std::string>& warnings) {
  const std::vector<std::string> untrained = not_shown(classes, training),
                                 unmeasured = not_shown(classes, validation);
  if (!untrained.empty())
    warnings.push_back("no training image shows " + few(untrained) +
                       ", so that cannot be learned; add images, or take the class out");
  std::vector<std::string> only_trained;
  for (const std::string& name : unmeasured)
    if (std::find(untrained.begin(), untrained.end(), name) == untrained.end()) only_trained.push_back(name);
  if (!only_trained.empty())
    warnings.push_back("no validation image shows " + few(only_trained) + ", so the metrics leave that out");
}

void warn_of_shared(const SharedSurfaces& shared, std::size_t images, const std::string& where,
                    const std::string& of, std::ostream& notes) {
  notes << "warning: " << shared.images << " of " << images << " images of " << where << " show surfaces of "
        << of << ':' << shared.listed() << '\n';
}

bool refuse_seen(const std::string& test, const std::vector<std::filesystem::path>& test_files,
                 const SeenSet& seen, const Comparing& comparing) {
  const auto shared = shared_surfaces(seen.files, test_files, comparing);
  if (!shared) {
    warn_unchecked(seen.folder, test, comparing.notes);
    return false;
  }
  if (shared->images == 0) return true;
  throw Error(ExitCode::kBadData,
              std::to_string(shared->images) + " of " + std::to_string(test_files.size()) +
                  " images of trainer.test " + test + " show surfaces of trainer." + seen.key + " " +
                  seen.folder + ":" + shared->listed(),
              "Take these images out of one of the two (`tune-train audit --data " + seen.folder +
                  " --against " + test +
                  "` shows them), or let trainer.split cut a test part with \"grouping\": \"content\".");
}

}  // namespace tune::trainer::image_sets
