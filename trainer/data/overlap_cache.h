#pragma once
// Results of comparing all images of a set, kept for the user between processes.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/cache_lock.h"
#include "trainer/data/overlap.h"

namespace tune::trainer::data {

// $XDG_CACHE_HOME/tune, else $HOME/.cache/tune; empty where neither variable is set.
std::filesystem::path user_cache_folder();

// One result under its key, in a file of the cache folder. While it lives, other processes that want the same
// key wait in their constructors, so that trials which start together compare once. Used by find_overlaps()
// alone. Nothing here throws for the folder's sake: without a cache the result is computed again next time,
// and one note says so.
class OverlapCache {
 public:
  // `key` identifies images and algorithm; `items` is the number of images, for the check of what is read.
  // Waits for another process that holds the key, unless `interrupted` says stop.
  OverlapCache(const std::filesystem::path& folder, const std::string& key, std::size_t items,
               std::ostream* notes, const std::function<bool()>& interrupted);

  // nullopt when nothing is kept, or it is damaged.
  std::optional<std::vector<Overlap>> load() const;
  void save(const std::vector<Overlap>& overlaps);
  bool keeps() const { return !file_.empty(); }

 private:
  void note(const std::string& reason);

  std::filesystem::path file_;
  std::size_t items_;
  std::ostream* notes_;
  std::optional<CacheLock> lock_;
};

}  // namespace tune::trainer::data
