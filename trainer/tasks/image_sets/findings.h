#pragma once
// What an audit finds among the images of one set, or of two that are to be apart, whatever their task.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <set>
#include <string>
#include <vector>

#include "trainer/data/overlap.h"

namespace tune::trainer::image_sets {

// One image of the sets that are looked at. Findings are indices into a list of them.
struct AuditedImage {
  std::size_t set = 0;          // 0: `data`, 1: `against`
  std::filesystem::path file;   // empty where it is missing
  std::string name;             // as its set calls it
  std::set<std::string> parts;  // of its set's own
};

// Images that are the same picture, ascending.
struct EqualImages {
  std::vector<std::size_t> images;
  bool same_labels = true;
};

struct Findings {
  std::vector<EqualImages> byte_equal, pixel_equal;  // pixel_equal: of which not all are byte-equal
  std::vector<data::Overlap> overlaps;               // of images that are not equal
  data::Groups groups;                               // of all that overlap or are equal
};

// What an image is compared by; both empty for one that cannot be read.
struct Prints {
  std::string bytes, pixels;
  std::string problem;
};

struct FindingWork {
  const std::vector<AuditedImage>& images;
  int threads = 1;
  std::ostream& notes;                       // progress
  const std::function<bool()>& interrupted;  // ends early, by Error(kInterrupted), once it says so
};

// Decodes every image.
std::vector<Prints> read_prints(const FindingWork& work);
// Fills what is equal. `same_labels` compares two images.
void find_equal(const std::vector<Prints>& prints,
                const std::function<bool(std::size_t, std::size_t)>& same_labels, Findings& findings);
// Fills what overlaps, and the groups.
void find_overlapping(const FindingWork& work, const std::vector<Prints>& prints, Findings& findings);

// Images that are equal or overlap although they lie apart: in `data` and in `against`, or in different parts
// of a set that has parts of its own.
std::size_t count_leaks(const std::vector<AuditedImage>& images, const Findings& findings);

// The images of that set, or with others in it one for each group: true for those that are counted as groups.
std::vector<bool> first_of_groups(const std::vector<AuditedImage>& images, const data::Groups& groups,
                                  std::size_t set);

}  // namespace tune::trainer::image_sets
