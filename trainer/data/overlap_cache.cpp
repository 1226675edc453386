#include "trainer/data/overlap_cache.h"

#include <cstdlib>
#include <ostream>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::data {

namespace {

namespace fs = std::filesystem;

constexpr int kSchema = 1;  // of the file

std::optional<Overlap> overlap_from(const Json& row, std::size_t items) {
  Overlap overlap;
  overlap.first = row.at(0).get<std::size_t>();
  overlap.second = row.at(1).get<std::size_t>();
  overlap.dx = row.at(2).get<int>();
  overlap.dy = row.at(3).get<int>();
  overlap.correlation = row.at(4).get<double>();
  overlap.coherence = row.at(5).get<double>();
  overlap.share = row.at(6).get<double>();
  if (overlap.first >= overlap.second || overlap.second >= items) return std::nullopt;
  return overlap;
}

}  // namespace

fs::path user_cache_folder() {
  if (const char* folder = std::getenv("XDG_CACHE_HOME"); folder && fs::path(folder).is_absolute())
    return fs::path(folder) / "tune";
  if (const char* home = std::getenv("HOME"); home && *home) return fs::path(home) / ".cache" / "tune";
  return {};
}

OverlapCache::OverlapCache(const fs::path& folder, const std::string& key, std::size_t items,
                           std::ostream* notes, const std::function<bool()>& interrupted)
    : items_(items), notes_(notes) {
  if (folder.empty()) return;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    note(folder.string() + ": " + error.message());
    return;
  }
  file_ = folder / ("overlaps-" + key + ".json");
  const fs::path lock_file = folder / ("overlaps-" + key + ".lock");
  lock_.emplace(lock_file, notes, "another process compares the same images; waiting for its result",
                interrupted);
  if (!lock_->is_there()) note(lock_file.string() + " cannot be written");
}

void OverlapCache::note(const std::string& reason) {
  file_.clear();
  if (notes_)
    *notes_ << "note: overlaps between images are not kept for the next time: " << reason << std::endl;
}

std::optional<std::vector<Overlap>> OverlapCache::load() const {
  std::error_code unreadable;
  if (file_.empty() || !fs::exists(file_, unreadable)) return std::nullopt;
  try {
    std::vector<Overlap> overlaps;
    const Json kept = Json::parse(read_file(file_));
    if (kept.at("schema") != kSchema) return std::nullopt;
    for (const Json& row : kept.at("overlaps")) {
      const std::optional<Overlap> overlap = overlap_from(row, items_);
      if (!overlap) return std::nullopt;
      overlaps.push_back(*overlap);
    }
    return overlaps;
  } catch (const Json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void OverlapCache::save(const std::vector<Overlap>& overlaps) {
  if (file_.empty()) return;
  Json rows = Json::array();
  for (const Overlap& overlap : overlaps)
    rows.push_back({overlap.first, overlap.second, overlap.dx, overlap.dy, overlap.correlation,
                    overlap.coherence, overlap.share});
  try {
    write_file_atomically(file_, Json{{"schema", kSchema}, {"overlaps", rows}}.dump() + "\n");
  } catch (const Error& error) {
    note(error.what());
  }
}

}  // namespace tune::trainer::data
