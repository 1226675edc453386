// The search for overlapping crops.
#include <atomic>
#include <sstream>

#include "trainer/data/overlap_search.h"
#include "unit/trainer/photographs.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Rng;
namespace fs = std::filesystem;

namespace {

data::OverlapSearch search_of(const std::vector<fs::path>& images, std::ostream* notes = nullptr) {
  data::OverlapSearch search;
  search.images = images;
  search.threads = 2;
  search.notes = notes;
  return search;
}

}  // namespace

TEST_CASE("shifted crops of one surface are found with their shift, from a fifth of the area on") {
  const OwnCache cache;
  const TestFolder folder;
  struct Shift {
    int dx, dy;
  };
  // Shares of the area: 0.98, 0.8, 0.57, 0.41, 0.36, 0.3, 0.25, 0.23.
  const std::vector<Shift> shifts{{3, 1},     {-37, 5},  {11, -80}, {71, 73},
                                  {-127, -3}, {90, -90}, {0, 151},  {-104, 103}};
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    const Surface surface = texture(i + 1, 500);
    for (const bool moved : {false, true}) {
      files.push_back(folder.path() / (std::to_string(files.size()) + ".jpg"));
      photograph(surface, moved ? 140 + shifts[i].dx : 140, moved ? 140 + shifts[i].dy : 140, 200, 200,
                 files.size(), files.back(), moved ? 0.8 : 1, moved ? 12 : 0);
    }
  }
  const std::vector<data::Overlap> found = data::find_overlaps(search_of(files));
  REQUIRE(found.size() == shifts.size());
  for (std::size_t i = 0; i < shifts.size(); ++i) {
    INFO("shift " << shifts[i].dx << ", " << shifts[i].dy << ": correlation " << found[i].correlation
                  << ", coherence " << found[i].coherence);
    CHECK(found[i].first == 2 * i);
    CHECK(found[i].second == 2 * i + 1);
    CHECK(found[i].dx == shifts[i].dx);
    CHECK(found[i].dy == shifts[i].dy);
    CHECK(data::is_strong(found[i]));
    CHECK(found[i].share ==
          Approx((200 - std::abs(shifts[i].dx)) * (200 - std::abs(shifts[i].dy)) / 40000.0));
  }
}

TEST_CASE("surfaces whose lines look alike do not overlap") {
  const OwnCache cache;
  const TestFolder folder;
  std::vector<fs::path> files;
  Rng rng(7);
  for (std::uint64_t i = 0; i < 12; ++i) {
    Surface surface = texture(50 + i, 200, 0.35);
    for (int line = 0; line < 2; ++line) {
      const double at = 30 + 140 * rng.uniform(), tilt = 0.06 * rng.normal();
      for (int v = 0; v < 200; ++v)
        for (int u = 0; u < 200; ++u) {
          const int along = i % 2 == 0 ? v : u, across = i % 2 == 0 ? u : v;
          const double distance = across - at - tilt * (along - 100);
          surface.grey[static_cast<std::size_t>(v * 200 + u)] += 90 * std::exp(-distance * distance / 18);
        }
    }
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 0, 0, 200, 200, i, files.back());
  }
  CHECK(data::find_overlaps(search_of(files)).empty());
}

TEST_CASE("the same bold spot on smooth surfaces is no overlap") {
  const OwnCache cache;
  const TestFolder folder;
  std::vector<fs::path> files;
  for (std::uint64_t i = 0; i < 8; ++i) {
    Surface surface = texture(70 + i, 128, 0.05);
    for (int v = 0; v < 128; ++v)
      for (int u = 0; u < 128; ++u) {
        const double x = u - 50 - 3.0 * static_cast<double>(i), y = v - 60.0;
        surface.grey[static_cast<std::size_t>(v * 128 + u)] -= 80 * std::exp(-(x * x / 60 + y * y / 300));
      }
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 0, 0, 128, 128, i, files.back());
  }
  CHECK(data::find_overlaps(search_of(files)).empty());
}

TEST_CASE("the grid that all images of a set show is no overlap, and what two of them share beside it is") {
  const OwnCache cache;
  const TestFolder folder;
  constexpr int kSide = 128;
  // Frames and conductors of three kinds, each with dashes of its own, before faint surfaces.
  const auto add_grid = [](int kind, Surface& surface) {
    for (int v = 0; v < kSide; ++v)
      for (int u = 0; u < kSide; ++u) {
        const bool conductor = v % (26 + 8 * kind) < 3 && u % (18 + 6 * kind) < 12 + 2 * kind;
        const bool corner = std::abs(u - 63.5) + std::abs(v - 63.5) > 118 - 4 * kind;
        const bool edge = std::min({u, v, kSide - 1 - u, kSide - 1 - v}) < 3;
        surface.grey[static_cast<std::size_t>(v * kSide + u)] -=
            (conductor ? 45 : 0) + (corner ? 60 : 0) + (edge ? 50 : 0);
      }
  };
  std::vector<fs::path> files;
  const auto add = [&](std::uint64_t surface_seed, int kind, double gain) {
    Surface surface = texture(surface_seed, kSide, 0.5);
    add_grid(kind, surface);
    files.push_back(folder.path() / (std::to_string(1000 + files.size()) + ".jpg"));
    photograph(surface, 0, 0, kSide, kSide, files.size(), files.back(), gain);
  };
  for (std::uint64_t i = 0; i < 150; ++i)
    add(300 + i, static_cast<int>(i % 3), 0.9 + 0.001 * static_cast<double>(i));
  add(307, 1, 1.1);  // the surface of the eighth, photographed again
  const std::vector<data::Overlap> found = data::find_overlaps(search_of(files));
  REQUIRE(found.size() == 1);
  CHECK(found[0].first == 7);
  CHECK(found[0].second == 150);
  CHECK(found[0].dx == 0);
  CHECK(found[0].dy == 0);
  // The same on any number of threads.
  const OwnCache another;
  data::OverlapSearch alone = search_of(files);
  alone.threads = 1;
  const std::vector<data::Overlap> again = data::find_overlaps(alone);
  REQUIRE(again.size() == 1);
  CHECK(again[0].coherence == found[0].coherence);
}

TEST_CASE("pictures that were saved again overlap, however many there are of each") {
  const OwnCache cache;
  const TestFolder folder;
  std::vector<fs::path> files;
  for (std::uint64_t copy = 0; copy < 45; ++copy) {
    files.push_back(folder.path() / (std::to_string(100 + copy) + ".jpg"));
    photograph(texture(9, 96), 0, 0, 96, 96, copy, files.back(), 0.9 + 0.004 * static_cast<double>(copy));
  }
  CHECK(data::find_overlaps(search_of(files)).size() == 45 * 44 / 2);
}

TEST_CASE("images of several sizes are compared too, and equal files and damaged ones need no comparison") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 300), other = texture(4, 300);
  std::vector<fs::path> files;
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"})
    files.push_back(folder.path() / name);
  photograph(surface, 0, 0, 220, 160, 1, files[0]);
  photograph(surface, 60, 30, 130, 200, 2, files[1]);
  photograph(other, 0, 0, 200, 200, 3, files[2]);
  fs::copy_file(files[2], files[3]);
  folder.write("e.jpg", tune::read_file(files[0]).substr(0, 900));
  const std::vector<data::Overlap> found = data::find_overlaps(search_of(files));
  REQUIRE(found.size() == 2);
  CHECK(found[0].first == 0);
  CHECK(found[0].second == 1);
  CHECK(found[0].dx == 60);
  CHECK(found[0].dy == 30);
  CHECK(found[1].first == 2);
  CHECK(found[1].second == 3);
  CHECK(found[1].correlation == 1);
}

TEST_CASE("a result is kept under the images' contents, wherever they lie and in whatever order they come") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 200);
  const fs::path a = folder.path() / "a.jpg", b = folder.path() / "b.jpg",
                 moved = folder.path() / "moved.jpg";
  photograph(surface, 0, 0, 128, 128, 1, a);
  photograph(surface, 40, 20, 128, 128, 2, b);
  fs::copy_file(a, moved);
  std::ostringstream first, second, third;
  const std::vector<data::Overlap> computed = data::find_overlaps(search_of({a, b}, &first));
  REQUIRE(computed.size() == 1);
  CHECK(contains(first.str(), "comparing 2 images"));
  data::OverlapSearch again = search_of({b, moved}, &second);
  again.threads = 1;
  const std::vector<data::Overlap> kept = data::find_overlaps(again);
  CHECK(second.str().empty());
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].dx == -computed[0].dx);
  CHECK(kept[0].dy == -computed[0].dy);
  CHECK(kept[0].correlation == computed[0].correlation);
  const fs::path file = cache.file();
  for (const char* damaged : {R"({"schema": 1, "overlaps": [[1]]})", R"({"schema": 2, "overlaps": []})",
                              R"({"overlaps": []})", "no JSON"}) {
    tune::write_file_atomically(file, damaged);
    std::ostringstream notes;
    CHECK(data::find_overlaps(search_of({a, b}, &notes)).size() == 1);
    CHECK(contains(notes.str(), "comparing 2 images"));
  }
  fs::remove(file);
  fs::create_symlink(file.filename(), file);  // a loop: not even its existence can be asked
  CHECK(data::find_overlaps(search_of({a, b}, &third)).size() == 1);
  CHECK(contains(third.str(), "comparing 2 images"));
}

TEST_CASE("a result that cannot be kept is not said to be") {
  const OwnCache cache;
  setenv("XDG_CACHE_HOME", "/proc/self/cmdline", 1);
  const TestFolder folder;
  std::vector<fs::path> files;
  for (const int place : {0, 40}) {
    files.push_back(folder.path() / (std::to_string(place) + ".jpg"));
    photograph(texture(1, 300), place, 0, 200, 200, 1, files.back());
  }
  std::ostringstream notes;
  CHECK(data::find_overlaps(search_of(files, &notes)).size() == 1);
  CHECK(contains(notes.str(), "are not kept for the next time: /proc/self/cmdline/tune"));
  CHECK(contains(notes.str(), "comparing 2 images for overlapping crops\n"));
}

TEST_CASE("between two sets only pairs of one image from each are looked at") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 260);
  std::vector<fs::path> files;
  for (int i = 0; i < 4; ++i) {
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 30 * i, 10 * i, 128, 128, static_cast<std::uint64_t>(i), files.back());
  }
  data::OverlapSearch search = search_of(files);
  search.sets = {0, 1, 0, 0};
  CHECK(data::pairs_to_compare(search) == 3);
  const std::vector<data::Overlap> found = data::find_overlaps(search);
  REQUIRE(found.size() == 3);
  for (const data::Overlap& overlap : found) CHECK((overlap.first == 1) != (overlap.second == 1));
}

TEST_CASE("a search that is interrupted says so and keeps nothing") {
  const OwnCache cache;
  const TestFolder folder;
  const Surface surface = texture(3, 200);
  std::vector<fs::path> files{folder.path() / "a.jpg", folder.path() / "b.jpg"};
  photograph(surface, 0, 0, 128, 128, 1, files[0]);
  photograph(surface, 40, 20, 128, 128, 2, files[1]);
  data::OverlapSearch search = search_of(files);
  search.interrupted = [] { return true; };
  CHECK(contains(message_of(ExitCode::kInterrupted, [&] { data::find_overlaps(search); }), "interrupted"));
  search.interrupted = nullptr;
  CHECK(data::find_overlaps(search).size() == 1);
}

TEST_CASE("wherever a search is interrupted, the next one finds everything") {
  const TestFolder folder;
  const Surface surface = texture(3, 260);
  std::vector<fs::path> files;
  for (int i = 0; i < 5; ++i) {
    files.push_back(folder.path() / (std::to_string(i) + ".jpg"));
    photograph(surface, 20 * i, 8 * i, 128, 128, static_cast<std::uint64_t>(i), files.back());
  }
  bool whole = false;
  int stopped_at = 0;
  for (int last = 1; !whole; ++last) {
    REQUIRE(last < 500);
    const OwnCache cache;
    std::atomic<int> questions{0};
    data::OverlapSearch search = search_of(files);
    search.threads = 1;
    search.interrupted = [&] { return ++questions >= last; };
    try {
      data::find_overlaps(search);
      whole = true;
    } catch (const tune::Error& error) {
      CHECK(error.code() == ExitCode::kInterrupted);
      stopped_at = last;
    }
    INFO("interrupted at question " << last);
    CHECK(data::find_overlaps(search_of(files)).size() == 10);
  }
  CHECK(stopped_at >= 5);  // a question before the search, and one for each image but the last
}
