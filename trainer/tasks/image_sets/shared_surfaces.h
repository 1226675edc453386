#pragma once
// Whether two sets of images show the same surfaces, as one that measures must not show what another has
// taught.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace tune::trainer::image_sets {

struct Comparing {
  int threads = 1;
  std::ostream& notes;                       // for progress and warnings
  const std::function<bool()>& interrupted;  // ends early, by Error(kInterrupted), once it says so
};

// What two sets have in common.
struct SharedSurfaces {
  std::vector<std::string> pairs;  // "a.jpg and b.jpg, shifted by ..."
  std::size_t images = 0;          // of the second set

  std::string listed() const;  // the first pairs, a line each
};

// nullopt where the sets are too many images to compare.
std::optional<SharedSurfaces> shared_surfaces(const std::vector<std::filesystem::path>& one,
                                              const std::vector<std::filesystem::path>& other,
                                              const Comparing& comparing);
// Of sets that were too many images: how to look.
void warn_unchecked(const std::string& data, const std::string& other, std::ostream& notes);

}  // namespace tune::trainer::image_sets
