#include "trainer/data/overlap_search.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <ostream>
#include <set>
#include <tuple>

#include "trainer/data/in_parallel.h"
#include "trainer/data/overlap_cache.h"
#include "trainer/data/overlap_common.h"
#include "trainer/data/overlap_confirm.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::data {
namespace {

// Part of the cache's key: raise it with every change of what is found.
constexpr int kAlgorithm = 4;
constexpr int kFineSide = 100;  // pixels of the largest image's longer side, about
constexpr int kSmall = 64;      // pixels of a largest image that is not reduced
constexpr int kLeastSide = 16;  // of a fine plane that can be compared
constexpr double kSigma = 4;    // pixels of a fine plane: structure larger than that is light, not surface
constexpr float kCoarseScore = 0.3F;
constexpr std::size_t kBlock = 32;  // pairs in one transform; their product stays in the cache of a core

struct Item {
  std::string hash;
  int set = 0;
  std::filesystem::path file;
};

[[noreturn]] void interrupted_search() {
  throw Error(ExitCode::kInterrupted, "interrupted while comparing the images",
              "The same command starts the comparison again.");
}

// One line now and then.
class Progress {
 public:
  Progress(std::ostream* notes, std::uint64_t total)
      : notes_(notes), total_(std::max<std::uint64_t>(total, 1)) {}
  void show(std::uint64_t done) {
    constexpr std::chrono::seconds kInterval{5};
    const auto now = std::chrono::steady_clock::now();
    if (!notes_ || now - shown_ < kInterval || done == 0 || done >= total_) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const double left = seconds / static_cast<double>(done) * static_cast<double>(total_ - done);
    *notes_ << "comparing images: " << 100 * done / total_ << " %, " << std::lround(left) << " s left"
            << std::endl;
  }

 private:
  std::ostream* notes_;
  std::uint64_t total_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), shown_ = start_;
};

// LibTorch's own threads would compete with ours.
class OneThreadEach {
 public:
  OneThreadEach() : before_(at::get_num_threads()) {}
  ~OneThreadEach() { at::set_num_threads(before_); }
  OneThreadEach(const OneThreadEach&) = delete;
  OneThreadEach& operator=(const OneThreadEach&) = delete;
  static void enter() {
    thread_local const bool entered = [] {
      at::set_num_threads(1);
      return true;
    }();
    static_cast<void>(entered);
  }

 private:
  int before_;
};

// Compares items; lives for one search.
class Comparison {
 public:
  Comparison(const OverlapSearch& search, std::vector<Item> items)
      : search_(search), items_(std::move(items)) {}

  // `first` and `second` are indices into the items.
  std::vector<Overlap> run() {
    const OneThreadEach guard;
    read_planes();
    sort_by_size();
    std::vector<Plane> coarse;
    for (const std::size_t item : order_) coarse.push_back(high_passed(reduced(raw_[item], 2), kSigma / 2));
    for (Plane& plane : raw_) plane = high_passed(plane, kSigma);
    CoarseSearch transform(coarse);
    coarse.clear();
    find_own_parts();
    compare_all(transform);
    refine();
    for (Overlap& overlap : found_) {
      if (overlap.first < overlap.second) continue;
      std::swap(overlap.first, overlap.second);
      overlap.dx = -overlap.dx, overlap.dy = -overlap.dy;
    }
    std::sort(found_.begin(), found_.end(), [](const Overlap& a, const Overlap& b) {
      return std::tie(a.first, a.second) < std::tie(b.first, b.second);
    });
    return std::move(found_);
  }

 private:
  void each(std::size_t count, const std::function<void(std::size_t)>& work,
            const std::function<void(std::size_t)>& after = {}) {
    if (!in_parallel(count, search_.threads, work, after, search_.interrupted)) interrupted_search();
  }

  void read_planes() {
    std::vector<images::Size> sizes(items_.size());
    each(items_.size(), [&](std::size_t i) {
      try {
        sizes[i] = images::read_size(items_[i].file);
      } catch (const Error&) {  // overlaps with nothing
      }
    });
    int largest = 1;
    for (const images::Size& size : sizes) largest = std::max({largest, size.width, size.height});
    // Halved at least: the finest structure of a photograph is noise and blur.
    factor_ = std::max(largest < kSmall ? 1 : 2,
                       static_cast<int>(std::lround(static_cast<double>(largest) / kFineSide)));
    raw_.resize(items_.size());
    each(items_.size(), [&](std::size_t i) {
      if (std::min(sizes[i].width, sizes[i].height) / factor_ < kLeastSide) return;
      try {
        raw_[i] = reduced(grey_plane(images::decode(items_[i].file)), factor_);
      } catch (const Error&) {
      }
    });
    const auto small = std::count_if(sizes.begin(), sizes.end(), [&](const images::Size& size) {
      return size.width > 0 && std::min(size.width, size.height) / factor_ < kLeastSide;
    });
    if (small > 0 && search_.notes)
      *search_.notes << "warning: " << small
                     << " images are too small beside the largest to be compared by their overlaps"
                     << std::endl;
  }

  // Planes of one size after another, in them one set after another.
  void sort_by_size() {
    for (std::size_t i = 0; i < items_.size(); ++i)
      if (raw_[i].width > 0) order_.push_back(i);
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(raw_[a].width, raw_[a].height, items_[a].set) <
             std::tie(raw_[b].width, raw_[b].height, items_[b].set);
    });
  }

  // The first after `from` in the order whose plane has another size.
  std::size_t end_of_size(std::size_t from) const {
    const Plane& plane = raw_[order_[from]];
    std::size_t to = from;
    while (to < order_.size() && raw_[order_[to]].width == plane.width &&
           raw_[order_[to]].height == plane.height)
      ++to;
    return to;
  }

  void find_own_parts() {
    own_.resize(items_.size());
    for (std::size_t from = 0, to = 0; from < order_.size(); from = to) {
      to = end_of_size(from);
      if (to - from < CommonPart::kFewest) continue;
      std::vector<const Plane*> planes;
      for (std::size_t i = from; i < to; ++i) planes.push_back(&raw_[order_[i]]);
      const CommonPart common(planes);
      each((planes.size() + kBlock - 1) / kBlock, [&](std::size_t block) {
        OneThreadEach::enter();
        const std::size_t begin = block * kBlock, end = std::min(begin + kBlock, planes.size());
        std::vector<Plane> parts = common.own_parts(begin, end);
        for (std::size_t i = begin; i < end; ++i) own_[order_[from + i]] = std::move(parts[i - begin]);
      });
    }
  }

  ComparedImage compared_image(std::size_t in_order) const {
    const std::size_t item = order_[in_order];
    return {raw_[item], own_[item].width > 0 ? own_[item] : raw_[item]};
  }

  bool compared(std::size_t a, std::size_t b) const {
    return search_.sets.empty() || items_[order_[a]].set != items_[order_[b]].set;
  }

  void compare_all(CoarseSearch& transform) {
    const std::size_t count = order_.size();
    results_.resize(count);
    Progress progress(search_.notes, static_cast<std::uint64_t>(count) * (count > 0 ? count - 1 : 0) / 2);
    std::atomic<std::uint64_t> done{0};
    for (std::size_t from = 0, to = 0; from < count; from = to) {
      to = end_of_size(from);
      transform.prepare_for(from, search_.threads);
      each(
          to - from,
          [&](std::size_t row) {
            OneThreadEach::enter();
            compare_with_later(transform, from + row);
            done += count - 1 - (from + row);
          },
          [&](std::size_t) { progress.show(done); });
    }
    for (const std::vector<Overlap>& row : results_) found_.insert(found_.end(), row.begin(), row.end());
  }

  void compare_with_later(const CoarseSearch& transform, std::size_t first) {
    std::vector<std::size_t> block;
    for (std::size_t from = first + 1; from < order_.size(); from += kBlock) {
      // A plain return would make this row look done.
      if (search_.interrupted && search_.interrupted()) interrupted_search();
      block.clear();
      bool any = false;
      for (std::size_t j = from; j < std::min(from + kBlock, order_.size()); ++j) {
        block.push_back(j);
        any = any || compared(first, j);
      }
      if (!any) continue;
      const std::vector<std::vector<Peak>> peaks = transform.peaks(first, block, kCoarseScore);
      for (std::size_t j = 0; j < block.size(); ++j) {
        if (peaks[j].empty() || !compared(first, block[j])) continue;
        std::optional<Overlap> overlap = confirm(compared_image(first), compared_image(block[j]), peaks[j]);
        if (!overlap) continue;
        overlap->first = order_[first], overlap->second = order_[block[j]];
        results_[first].push_back(*overlap);
      }
    }
  }

  // Shifts in pixels of the files.
  void refine() {
    std::vector<std::vector<Overlap*>> of_first(items_.size());
    for (Overlap& overlap : found_) of_first[overlap.first].push_back(&overlap);
    each(items_.size(), [&](std::size_t i) {
      if (of_first[i].empty()) return;
      const Plane first = grey_plane(images::decode(items_[i].file));
      for (Overlap* overlap : of_first[i]) {
        overlap->dx *= factor_, overlap->dy *= factor_;
        if (factor_ == 1) continue;
        const Plane second = grey_plane(images::decode(items_[overlap->second].file));
        climb(first, second, factor_, 0.1, overlap->dx, overlap->dy);
        overlap->share = shared_share(first, second, overlap->dx, overlap->dy);
      }
    });
  }

  const OverlapSearch& search_;
  std::vector<Item> items_;
  int factor_ = 1;                  // pixels of a file per pixel of a fine plane
  std::vector<Plane> raw_;          // of the items; empty where an image is not compared
  std::vector<Plane> own_;          // likewise, without what is common; empty where nothing is known to be
  std::vector<std::size_t> order_;  // of those that are compared
  std::vector<std::vector<Overlap>> results_;
  std::vector<Overlap> found_;
};

std::vector<std::string> hashes_of(const OverlapSearch& search) {
  std::vector<std::string> hashes(search.images.size());
  const bool whole = in_parallel(
      hashes.size(), search.threads,
      [&](std::size_t i) {
        if (!search.images[i].empty()) hashes[i] = sha256_of_file(search.images[i]);
      },
      {}, search.interrupted);
  if (!whole) interrupted_search();
  return hashes;
}

constexpr Overlap kEqual{0, 0, 0, 0, 1, 1, 1};

// The overlap of the images a and b, where b lies on a as `overlap` says.
Overlap between(std::size_t a, std::size_t b, Overlap overlap) {
  if (a > b) overlap.dx = -overlap.dx, overlap.dy = -overlap.dy;
  overlap.first = std::min(a, b), overlap.second = std::max(a, b);
  return overlap;
}

// For two classes of equal files: the pair of their first images; with `every`, each image in a pair.
void add_for_equal_files(const std::vector<std::size_t>& a, const std::vector<std::size_t>& b, bool every,
                         const Overlap& overlap, std::vector<Overlap>& to) {
  to.push_back(between(a.front(), b.front(), overlap));
  if (!every) return;
  for (std::size_t i = 1; i < a.size(); ++i) to.push_back(between(a[i], b.front(), overlap));
  for (std::size_t i = 1; i < b.size(); ++i) to.push_back(between(a.front(), b[i], overlap));
}

}  // namespace

std::uint64_t pairs_to_compare(const OverlapSearch& search) {
  const auto pairs = [](std::uint64_t count) { return count * (count - 1) / 2; };
  std::map<int, std::uint64_t> in_set;
  for (const int set : search.sets) ++in_set[set];
  std::uint64_t total = search.images.empty() ? 0 : pairs(search.images.size());
  for (const auto& [set, count] : in_set) total -= pairs(count);
  return total;
}

std::vector<Overlap> find_overlaps(const OverlapSearch& search) {
  TUNE_CHECK(search.sets.empty() || search.sets.size() == search.images.size());
  const std::vector<std::string> hashes = hashes_of(search);
  std::map<std::pair<std::string, int>, std::vector<std::size_t>> images_of;
  for (std::size_t i = 0; i < hashes.size(); ++i)
    if (!hashes[i].empty()) images_of[{hashes[i], search.sets.empty() ? 0 : search.sets[i]}].push_back(i);
  std::vector<Item> items;
  std::vector<std::vector<std::size_t>> images_of_item;
  std::vector<Overlap> overlaps;
  const auto add = [&](std::size_t one, std::size_t other, const Overlap& overlap) {
    add_for_equal_files(images_of_item[one], images_of_item[other], !search.sets.empty(), overlap, overlaps);
  };
  Sha256 key;
  key.add("overlaps " + std::to_string(kAlgorithm) + (search.sets.empty() ? " all" : " between"));
  for (const auto& [print, images] : images_of) {
    key.add("\n" + print.first + " " + std::to_string(print.second));
    items.push_back({print.first, print.second, search.images[images.front()]});
    images_of_item.push_back(images);
    for (std::size_t one = items.size() - 1; one > 0 && items[one - 1].hash == print.first; --one)
      add(one - 1, items.size() - 1, kEqual);
    if (search.sets.empty())
      for (std::size_t copy = 1; copy < images.size(); ++copy)
        overlaps.push_back(between(images.front(), images[copy], kEqual));
  }
  OverlapCache cache(user_cache_folder(), key.hex(), items.size(), search.notes, search.interrupted);
  if (search.interrupted && search.interrupted()) interrupted_search();
  std::optional<std::vector<Overlap>> found = cache.load();
  if (!found) {
    if (search.notes)
      *search.notes << "comparing " << items.size() << " images for overlapping crops"
                    << (cache.keeps() ? "; the result is kept" : "") << std::endl;
    found = Comparison(search, items).run();
    cache.save(*found);
  }
  for (const Overlap& overlap : *found)
    // Equal files in two sets are in already.
    if (items[overlap.first].hash != items[overlap.second].hash) add(overlap.first, overlap.second, overlap);
  std::sort(overlaps.begin(), overlaps.end(), [](const Overlap& a, const Overlap& b) {
    return std::tie(a.first, a.second) < std::tie(b.first, b.second);
  });
  return overlaps;
}

}  // namespace tune::trainer::data
