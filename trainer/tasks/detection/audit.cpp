#include "trainer/tasks/detection/audit.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "trainer/data/folder_listing.h"
#include "trainer/data/in_parallel.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::detection {
namespace {

// What an image is compared by; both empty for one that cannot be read.
struct Prints {
  std::string bytes, pixels;
  std::string problem;
};

std::string print_of(const images::Image& image) {
  Sha256 hash;
  hash.add(std::to_string(image.width) + "x" + std::to_string(image.height) + ":");
  hash.add({reinterpret_cast<const char*>(image.pixels.data()), image.pixels.size()});
  return hash.hex();
}

Prints read_image(const std::filesystem::path& file) {
  try {
    const images::Image image = images::decode(file);
    return {sha256_of_file(file), print_of(image), ""};
  } catch (const Error& error) {
    return {"", "", std::string(error.what()) + (error.hint().empty() ? "" : ". " + error.hint())};
  }
}

std::vector<Prints> read_images(const Audit& audit, const AuditRequest& request) {
  std::vector<Prints> prints(audit.images.size());
  if (!data::in_parallel(
          prints.size(), request.threads,
          [&](std::size_t i) {
            if (!audit.example(i).image.empty()) prints[i] = read_image(audit.example(i).image);
          },
          {}, request.interrupted))
    throw Error(ExitCode::kInterrupted, "interrupted while reading the images");
  return prints;
}

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

void add_undecodable(const std::vector<Prints>& prints, Audit& audit) {
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

using Classes = std::map<std::string, std::vector<std::size_t>>;  // print -> images

Classes equal_by(const std::vector<Prints>& prints, std::string Prints::*print) {
  Classes classes;
  for (std::size_t i = 0; i < prints.size(); ++i)
    if (!(prints[i].*print).empty()) classes[prints[i].*print].push_back(i);
  std::erase_if(classes, [](const auto& entry) { return entry.second.size() < 2; });
  return classes;
}

std::vector<EqualImages> findings(const Audit& audit, const Classes& classes) {
  std::vector<EqualImages> found;
  for (const auto& [print, members] : classes) {
    EqualImages equal{members, true};
    for (const std::size_t other : members)
      equal.same_boxes = equal.same_boxes && boxes_of(audit, other) == boxes_of(audit, members.front());
    found.push_back(std::move(equal));
  }
  std::sort(found.begin(), found.end(),
            [](const EqualImages& a, const EqualImages& b) { return a.images < b.images; });
  return found;
}

void find_equal(const std::vector<Prints>& prints, Audit& audit) {
  const Classes by_bytes = equal_by(prints, &Prints::bytes);
  Classes by_pixels = equal_by(prints, &Prints::pixels);
  audit.byte_equal = findings(audit, by_bytes);
  std::erase_if(by_pixels, [&](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [&](std::size_t image) {
      return prints[image].bytes == prints[entry.second.front()].bytes;
    });
  });
  audit.pixel_equal = findings(audit, by_pixels);
}

void find_overlapping(const std::vector<Prints>& prints, const AuditRequest& request, Audit& audit) {
  data::OverlapSearch search;
  for (std::size_t i = 0; i < audit.images.size(); ++i)
    search.images.push_back(prints[i].bytes.empty() ? std::filesystem::path{} : audit.example(i).image);
  search.threads = request.threads;
  search.notes = request.notes;
  search.interrupted = request.interrupted;
  audit.overlaps = data::find_overlaps(search);
  audit.groups = data::connected_groups(audit.images.size(), audit.overlaps);
  std::erase_if(audit.overlaps, [&](const data::Overlap& overlap) {
    return prints[overlap.first].pixels == prints[overlap.second].pixels;
  });
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
  std::vector<bool> counted(audit.images.size(), false);
  for (const auto& group : audit.groups) {
    bool first = true;
    for (const std::size_t image : group) {
      if (audit.images[image].set != number) continue;
      counted[image] = !first;
      first = false;
    }
  }
  for (std::size_t i = 0; i < audit.images.size(); ++i)
    if (audit.images[i].set == number && !counted[i])
      if (const int category = main_category(audit.example(i)); category > 0)
        ++set.classes[static_cast<std::size_t>(category) - 1].groups;
}

}  // namespace

std::size_t count_leaks(const Audit& audit) {
  std::vector<std::map<std::int64_t, std::set<std::string>>> parts;
  for (const AuditedSet& set : audit.sets) parts.push_back(set.dataset.parts_of_images);
  const auto apart = [&](std::size_t one, std::size_t other) {
    const std::size_t set = audit.images[one].set;
    if (set != audit.images[other].set) return true;
    const auto a = parts[set].find(audit.example(one).image_id),
               b = parts[set].find(audit.example(other).image_id);
    return a != parts[set].end() && b != parts[set].end() && a->second != b->second;
  };
  std::size_t leaks = 0;
  for (const std::vector<EqualImages>* found : {&audit.byte_equal, &audit.pixel_equal})
    for (const EqualImages& equal : *found)
      leaks += std::any_of(equal.images.begin(), equal.images.end(),
                           [&](std::size_t image) { return apart(equal.images.front(), image); })
                   ? 1
                   : 0;
  for (const data::Overlap& overlap : audit.overlaps) leaks += apart(overlap.first, overlap.second) ? 1 : 0;
  return leaks;
}

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
    for (std::size_t i = 0; i < audit.sets[set].dataset.examples.size(); ++i)
      audit.images.push_back({set, i});
  try {
    const std::vector<Prints> prints = read_images(audit, request);
    add_undecodable(prints, audit);
    find_equal(prints, audit);
    if (!audit.failure) find_overlapping(prints, request, audit);
  } catch (const Error& error) {
    audit.failure = error;
  }
  for (std::size_t set = 0; set < audit.sets.size(); ++set) count(audit, set, audit.sets[set]);
  return audit;
}

}  // namespace tune::trainer::detection
