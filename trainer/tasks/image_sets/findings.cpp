#include "trainer/tasks/image_sets/findings.h"

#include <algorithm>
#include <map>

#include "trainer/data/in_parallel.h"
#include "trainer/data/overlap_search.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_sets {
namespace {

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

using Classes = std::map<std::string, std::vector<std::size_t>>;  // print -> images

Classes equal_by(const std::vector<Prints>& prints, std::string Prints::*print) {
  Classes classes;
  for (std::size_t i = 0; i < prints.size(); ++i)
    if (!(prints[i].*print).empty()) classes[prints[i].*print].push_back(i);
  std::erase_if(classes, [](const auto& entry) { return entry.second.size() < 2; });
  return classes;
}

std::vector<EqualImages> equal_images(const Classes& classes,
                                      const std::function<bool(std::size_t, std::size_t)>& same_labels) {
  std::vector<EqualImages> found;
  for (const auto& [print, members] : classes) {
    EqualImages equal{members, true};
    for (const std::size_t other : members)
      equal.same_labels = equal.same_labels && same_labels(other, members.front());
    found.push_back(std::move(equal));
  }
  std::sort(found.begin(), found.end(),
            [](const EqualImages& a, const EqualImages& b) { return a.images < b.images; });
  return found;
}

}  // namespace

std::vector<Prints> read_prints(const FindingWork& work) {
  std::vector<Prints> prints(work.images.size());
  if (!data::in_parallel(
          prints.size(), work.threads,
          [&](std::size_t i) {
            if (!work.images[i].file.empty()) prints[i] = read_image(work.images[i].file);
          },
          {}, work.interrupted))
    throw Error(ExitCode::kInterrupted, "interrupted while reading the images");
  return prints;
}

void find_equal(const std::vector<Prints>& prints,
                const std::function<bool(std::size_t, std::size_t)>& same_labels, Findings& findings) {
  const Classes by_bytes = equal_by(prints, &Prints::bytes);
  Classes by_pixels = equal_by(prints, &Prints::pixels);
  findings.byte_equal = equal_images(by_bytes, same_labels);
  std::erase_if(by_pixels, [&](const auto& entry) {
    return std::all_of(entry.second.begin(), entry.second.end(), [&](std::size_t image) {
      return prints[image].bytes == prints[entry.second.front()].bytes;
    });
  });
  findings.pixel_equal = equal_images(by_pixels, same_labels);
}

void find_overlapping(const FindingWork& work, const std::vector<Prints>& prints, Findings& findings) {
  data::OverlapSearch search;
  for (std::size_t i = 0; i < work.images.size(); ++i)
    search.images.push_back(prints[i].bytes.empty() ? std::filesystem::path{} : work.images[i].file);
  search.threads = work.threads;
  search.notes = &work.notes;
  search.interrupted = work.interrupted;
  findings.overlaps = data::find_overlaps(search);
  findings.groups = data::connected_groups(work.images.size(), findings.overlaps);
  std::erase_if(findings.overlaps, [&](const data::Overlap& overlap) {
    return prints[overlap.first].pixels == prints[overlap.second].pixels;
  });
}

std::size_t count_leaks(const std::vector<AuditedImage>& images, const Findings& findings) {
  const auto apart = [&](std::size_t one, std::size_t other) {
    if (images[one].set != images[other].set) return true;
    const std::set<std::string>&a = images[one].parts, &b = images[other].parts;
    return !a.empty() && !b.empty() && a != b;
  };
  std::size_t leaks = 0;
  for (const std::vector<EqualImages>* found : {&findings.byte_equal, &findings.pixel_equal})
    for (const EqualImages& equal : *found)
      leaks += std::any_of(equal.images.begin(), equal.images.end(),
                           [&](std::size_t image) { return apart(equal.images.front(), image); })
                   ? 1
                   : 0;
  for (const data::Overlap& overlap : findings.overlaps)
    leaks += apart(overlap.first, overlap.second) ? 1 : 0;
  return leaks;
}

std::vector<bool> first_of_groups(const std::vector<AuditedImage>& images, const data::Groups& groups,
                                  std::size_t set) {
  std::vector<bool> counted(images.size(), false);
  for (std::size_t i = 0; i < images.size(); ++i) counted[i] = images[i].set == set;
  for (const auto& group : groups) {
    bool first = true;
    for (const std::size_t image : group) {
      if (images[image].set != set) continue;
      counted[image] = first;
      first = false;
    }
  }
  return counted;
}

}  // namespace tune::trainer::image_sets
