#include "trainer/tasks/image_classification/audit.h"

#include <algorithm>
#include <set>

#include "trainer/data/folder_listing.h"

namespace tune::trainer::image_classification {
namespace {

// Fills the last set of the audit, as far as it comes.
void read_set(const DataChoice& choice, const AuditRequest& request, Audit& audit) {
  AuditedSet& set = audit.sets.emplace_back();
  set.data = choice.data;
  ReadOptions options;
  options.problems = &set.problems;
  options.threads = request.threads;
  set.dataset = read_chosen(choice, options, *request.notes, request.interrupted, &set.split);
  if (set.dataset.examples.empty())
    throw Error(ExitCode::kBadData, choice.data.string() + " has no image that could be audited",
                "Mend the problems that are listed, and run the audit again.");
}

void read_sets(const AuditRequest& request, Audit& audit) {
  try {
    read_set(request.data, request, audit);
    if (!request.against) return;
    DataChoice against{*request.against};
    // Another set has its images in the same place only if it is a list too.
    if (!data::is_folder(*request.against)) against.images = request.data.images;
    against.classes_from = request.data.classes_from;
    read_set(against, request, audit);
  } catch (const Error& error) {
    audit.failure = error;
  }
}

void list_images_of(const AuditedSet& set, std::size_t number, Audit& audit) {
  for (const Example& example : set.dataset.examples) {
    const std::set<std::string> parts =
        example.part.empty() ? std::set<std::string>{} : std::set<std::string>{example.part};
    audit.images.push_back({number, example.image, example.name, parts});
    audit.labels.push_back(label_text(set.dataset, example));
  }
}

void add_undecodable(const std::vector<image_sets::Prints>& prints, Audit& audit) {
  std::set<std::filesystem::path> reported;  // what is wrong with a header was found by the reader
  for (const AuditedSet& set : audit.sets)
    for (const data::DataProblem& problem : set.problems) reported.insert(problem.image);
  for (std::size_t i = 0; i < prints.size(); ++i)
    if (!prints[i].problem.empty() && !reported.contains(audit.images[i].file))
      audit.sets[audit.images[i].set].problems.push_back(
          {prints[i].problem, audit.images[i].file, std::nullopt, false});
}

void part_nearly_equal(Audit& audit) {
  constexpr double kWhole = 0.999;  // of the smaller image
  const auto nearly = [](const data::Overlap& overlap) {
    return overlap.dx == 0 && overlap.dy == 0 && overlap.share > kWhole;
  };
  std::copy_if(audit.overlaps.begin(), audit.overlaps.end(), std::back_inserter(audit.nearly_equal), nearly);
  std::erase_if(audit.overlaps, nearly);
}

void count(const Audit& audit, std::size_t number, AuditedSet& set) {
  for (const std::string& name : set.dataset.classes) set.classes.push_back({name, 0, 0});
  const std::vector<bool> counted = image_sets::first_of_groups(audit.images, audit.groups, number);
  std::size_t at = 0;
  while (at < audit.images.size() && audit.images[at].set != number) ++at;
  for (const Example& example : set.dataset.examples) {
    for (const int label : example.labels) {
      AuditedClass& in_class = set.classes[static_cast<std::size_t>(label)];
      ++in_class.images;
      if (counted[at]) ++in_class.groups;
    }
    ++at;
  }
}

}  // namespace

std::size_t count_contradictions(const Audit& audit) {
  std::size_t contradictions = 0;
  for (const auto* found : {&audit.byte_equal, &audit.pixel_equal})
    for (const image_sets::EqualImages& equal : *found) contradictions += equal.same_labels ? 0 : 1;
  for (const auto* found : {&audit.nearly_equal, &audit.overlaps})
    for (const data::Overlap& overlap : *found)
      contradictions += audit.labels[overlap.first] == audit.labels[overlap.second] ? 0 : 1;
  return contradictions;
}

std::size_t count_leaks(const Audit& audit) {
  image_sets::Findings nearly;
  nearly.overlaps = audit.nearly_equal;
  return image_sets::count_leaks(audit.images, audit) + image_sets::count_leaks(audit.images, nearly);
}

Audit audit(const AuditRequest& request) {
  TUNE_CHECK(request.notes != nullptr);
  Audit audit;
  read_sets(request, audit);
  for (std::size_t set = 0; set < audit.sets.size(); ++set) list_images_of(audit.sets[set], set, audit);
  const image_sets::FindingWork work{audit.images, request.threads, *request.notes, request.interrupted};
  try {
    const std::vector<image_sets::Prints> prints = image_sets::read_prints(work);
    add_undecodable(prints, audit);
    image_sets::find_equal(
        prints, [&](std::size_t one, std::size_t other) { return audit.labels[one] == audit.labels[other]; },
        audit);
    if (!audit.failure) image_sets::find_overlapping(work, prints, audit);
    part_nearly_equal(audit);
  } catch (const Error& error) {
    audit.failure = error;
  }
  for (std::size_t set = 0; set < audit.sets.size(); ++set) count(audit, set, audit.sets[set]);
  return audit;
}

}  // namespace tune::trainer::image_classification
