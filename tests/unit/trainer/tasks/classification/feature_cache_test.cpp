// Features that are kept for the user.
#include "trainer/tasks/classification/feature_cache.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

#include "torch_catch.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::classification;
using tune::trainer::tests::contains;
using tune::trainer::tests::TestFolder;
namespace fs = std::filesystem;

namespace {

std::string key_of(char first) { return std::string(64, first); }

struct Computing {
  int times = 0;
  std::function<torch::Tensor()> of(double value, std::int64_t rows = 3) {
    return [=, this] {
      ++times;
      return torch::full({rows, 4}, value);
    };
  }
};

std::size_t kept_files(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".safetensors") ++count;
  return count;
}

}  // namespace

TEST_CASE("Features are computed once for a key, whoever asks") {
  const TestFolder folder;
  std::ostringstream notes;
  Computing computing;
  for (int process = 0; process < 2; ++process) {
    FeatureCache cache(folder.path() / "features", 1 << 20, notes, {});
    CHECK(cache.get(key_of('a'), 3, computing.of(2)).equal(torch::full({3, 4}, 2.0)));
    CHECK(cache.get(key_of('b'), 3, computing.of(5)).equal(torch::full({3, 4}, 5.0)));
  }
  CHECK(computing.times == 2);
  CHECK(notes.str().empty());
}

TEST_CASE("Those who want the same features at the same time wait for the first") {
  const TestFolder folder;
  std::atomic<int> times = 0;
  std::vector<std::thread> threads;
  std::vector<std::ostringstream> notes(3);
  std::array<std::atomic<bool>, 3> waits{};  // who waits asks now and then whether to go on waiting
  for (std::size_t i = 0; i < 3; ++i)
    threads.emplace_back([&, i] {
      FeatureCache cache(folder.path(), 1 << 20, notes[i], [&waits, i] {
        waits[i] = true;
        return false;
      });
      cache.get(key_of('a'), 2, [&] {
        ++times;
        while (std::count(waits.begin(), waits.end(), true) < 2)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return torch::ones({2, 2});
      });
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(times == 1);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(contains(notes[i].str(), "another process computes features") == waits[i]);
}

TEST_CASE("A damaged file of features is named and computed anew") {
  const TestFolder folder;
  std::ostringstream notes;
  Computing computing;
  FeatureCache cache(folder.path(), 1 << 20, notes, {});
  const fs::path file = folder.path() / (key_of('a') + ".safetensors");
  cache.get(key_of('a'), 3, computing.of(2));
  const std::string whole = tune::read_file(file);
  std::string flipped = whole;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const std::string& damaged : {flipped, whole.substr(0, whole.size() / 2), std::string("{")}) {
    notes.str("");
    computing.times = 0;
    tune::write_file_atomically(file, damaged);
    CHECK(cache.get(key_of('a'), 3, computing.of(2)).equal(torch::full({3, 4}, 2.0)));
    CHECK(computing.times == 1);
    CHECK(contains(notes.str(), file.string()));
    CHECK(contains(notes.str(), "anew"));
    cache.get(key_of('a'), 3, computing.of(2));
    CHECK(computing.times == 1);
  }
  // Nor are those of another number of examples, however whole their file is.
  notes.str("");
  cache.get(key_of('a'), 5, computing.of(2, 5));
  CHECK(computing.times == 2);
  CHECK(contains(notes.str(), file.string() + " is not what was written"));
  cache.get(key_of('a'), 3, computing.of(2));
  // Another key's features under this name are not taken either.
  cache.get(key_of('b'), 3, computing.of(7));
  fs::copy_file(folder.path() / (key_of('b') + ".safetensors"), file, fs::copy_options::overwrite_existing);
  CHECK(cache.get(key_of('a'), 3, computing.of(2)).equal(torch::full({3, 4}, 2.0)));
}

TEST_CASE("The cache stays as small as it has to, and what was used last stays") {
  const TestFolder folder;
  std::ostringstream notes;
  Computing computing;
  constexpr std::int64_t kRows = 1000;  // 16 kB each
  FeatureCache cache(folder.path(), 40'000, notes, {});
  const auto age = [&](char key, int hours) {
    fs::last_write_time(folder.path() / (key_of(key) + ".safetensors"),
                        fs::file_time_type::clock::now() - std::chrono::hours(hours));
  };
  cache.get(key_of('a'), kRows, computing.of(1, kRows));
  cache.get(key_of('b'), kRows, computing.of(2, kRows));
  age('a', 2);
  age('b', 1);
  cache.get(key_of('a'), kRows, computing.of(1, kRows));  // used again, so that b is the oldest
  tune::write_file_atomically(folder.path() / "left-by-a-crash", std::string(10, 'x'));
  fs::last_write_time(folder.path() / "left-by-a-crash",
                      fs::file_time_type::clock::now() - std::chrono::hours(3));
  cache.get(key_of('c'), kRows, computing.of(3, kRows));
  CHECK(kept_files(folder.path()) == 2);
  CHECK_FALSE(fs::exists(folder.path() / (key_of('b') + ".safetensors")));
  CHECK_FALSE(fs::exists(folder.path() / "left-by-a-crash"));
  // One that is too large by itself is used, and not kept.
  cache.get(key_of('d'), 4 * kRows, computing.of(4, 4 * kRows));
  CHECK(contains(notes.str(), "not kept"));
  CHECK(kept_files(folder.path()) == 2);
}

TEST_CASE("A cache folder that cannot be written costs a note and no training") {
  const TestFolder folder;
  folder.write("file", "");
  std::ostringstream notes;
  Computing computing;
  FeatureCache cache(folder.path() / "file" / "features", 1 << 20, notes, {});
  CHECK(cache.get(key_of('a'), 3, computing.of(2)).equal(torch::full({3, 4}, 2.0)));
  CHECK(cache.get(key_of('a'), 3, computing.of(2)).equal(torch::full({3, 4}, 2.0)));
  CHECK(computing.times == 2);
  CHECK(contains(notes.str(), "features are not kept for the next time"));
}
