#include "trainer/tasks/detection/audit.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "trainer/data/folder_listing.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

// Fills the last set of the audit, as far as it comes.
void read_set(const std::filesystem::path& data, const std::optional<PartChoice>& part,
              const std::filesystem::path& images, const AuditRequest& request, Audit& audit) {
  AuditedSet& set = audit.sets.emplace_back();
  set.data = data;
  ReadOptions options;
  options.problems = &set.problems;
  options.images = images;
  const auto sort_out = [&] {
    const auto left_out =
        std::stable_partition(set.problems.begin(), set.problems.end(),
                              [](const data::DataProblem& problem) { return !problem.left_out; });
    set.left_out.assign(left_out, set.problems.end());
    set.problems.erase(left_out, set.problems.end());
  };
  try {
    set.dataset =
        read_part(data, options, part, request.threads, *request.notes, request.interrupted, &set.split);
  } catch (const Error&) {
    sort_out();
    throw;
  }
  sort_out();
  if (set.dataset.examples.empty())
    throw Error(ExitCode::kBadData, data.string() + " has no image that could be audited",
                "Mend the problems that are listed, and run the audit again.");
}

void add_undecodable(const std::vector<image_sets::Prints>& prints, Audit& audit) {
  std::set<std::filesystem::path> reported;  // what is wrong with a header comes with the annotations
  for (const AuditedSet& set : audit.sets)
    for (const data::DataProblem& problem : set.problems)
      if (!problem.box) reported.insert(problem.image);
  for (std::size_t i = 0; i < prints.size(); ++i) {
    const std::filesystem::path& image = audit.example(i).image;
    if (!prints[i].problem.empty() && !reported.contains(image))
      audit.sets[audit.images[i].set].problems.push_back({prints[i].problem, image, std::nullopt, false});
  }
}

using ObjectKey = std::tuple<std::string, float, float, float, float>;

std::multiset<ObjectKey> boxes_of(const Audit& audit, std::size_t image) {
  const Dataset& dataset = audit.sets[audit.images[image].set].dataset;
  std::multiset<ObjectKey> boxes;
  for (const GroundTruth& object : audit.example(image).objects)
    boxes.emplace(dataset.classes[static_cast<std::size_t>(object.category) - 1], object.x1, object.y1,
                  object.x2, object.y2);
  return boxes;
}

image_sets::AuditedImage shown(const Audit& audit, std::size_t set, std::size_t index) {
  const Dataset& dataset = audit.sets[set].dataset;
  const Example& example = dataset.examples[index];
  const auto parts = dataset.parts_of_images.find(example.image_id);
  return {set, example.image, example.name,
          parts == dataset.parts_of_images.end() ? std::set<std::string>{} : parts->second};
}

void count(const Audit& audit, std::size_t number, AuditedSet& set) {
  for (const std::string& name : set.dataset.classes) set.classes.push_back({name, 0, 0, 0});
  for (const Example& example : set.dataset.examples) {
    ++set.objects[example.objects.size()];
    std::set<int> seen;
    for (const GroundTruth& object : example.objects) {
      AuditedClass& in_class = set.classes[static_cast<std::size_t>(object.category) - 1];
      ++in_class.objects;
      if (seen.insert(object.category).second) ++in_class.images;
    }
  }
  const std::vector<bool> counted = image_sets::first_of_groups(audit.shown, audit.groups, number);
  for (std::size_t i = 0; i < audit.images.size(); ++i)
    if (counted[i])
      if (const int category = main_category(audit.example(i)); category > 0)
        ++set.classes[static_cast<std::size_t>(category) - 1].groups;
}

}  // namespace

Audit audit(const AuditRequest& request) {
  TUNE_CHECK(request.notes != nullptr);
  Audit audit;
  try {
    read_set(request.data, request.part, request.images, request, audit);
    // Another set has its images in the same folder only if it is a COCO file.
    if (request.against) {
      const bool shares = !data::is_folder(*request.against);
      read_set(*request.against, std::nullopt, shares ? request.images : std::filesystem::path{}, request,
               audit);
    }
  } catch (const Error& error) {
    audit.failure = error;
  }
  for (std::size_t set = 0; set < audit.sets.size(); ++set)
    for (std::size_t i = 0; i < audit.sets[set].dataset.examples.size(); ++i) {
      audit.images.push_back({set, i});
      audit.shown.push_back(shown(audit, set, i));
    }
  const image_sets::FindingWork work{audit.shown, request.threads, *request.notes, request.interrupted};
  try {
    const std::vector<image_sets::Prints> prints = image_sets::read_prints(work);
    add_undecodable(prints, audit);
    image_sets::find_equal(
        prints,
        [&](std::size_t one, std::size_t other) { return boxes_of(audit, one) == boxes_of(audit, other); },
        audit);
    if (!audit.failure) image_sets::find_overlapping(work, prints, audit);
  } catch (const Error& error) {
    audit.failure = error;
  }
  for (std::size_t set = 0; set < audit.sets.size(); ++set) count(audit, set, audit.sets[set]);
  return audit;
}

}  // namespace tune::trainer::detection
