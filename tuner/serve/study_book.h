#pragma once
// The studies of a store that a server has read, and answers that were made of them.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/http/message.h"
#include "tuner/serve/study_table.h"

namespace tune::serve {

// Keeps the tables of the studies that were asked for last, within a bound on their trials together. Any
// thread; each study is read, and answered of, by one at a time, so that fifty pages that ask for the same
// cost one reading.
class StudyBook {
 public:
  explicit StudyBook(std::filesystem::path store) : store_(std::move(store)) {}

  const std::filesystem::path& store() const { return store_; }
  std::vector<std::string> studies() const;
  // Runs `use` on the study's table, which is up to date within a twentieth of a second. Throws
  // Error(kNotFound), with the nearest name, for a study that the store does not list.
  void with(const std::string& study, const std::function<void(StudyTable&)>& use);
  // The answer that `make` makes of the table, kept under `key`: for as long as the study does not change,
  // and for twenty times as long as it took to make (ten seconds at most) while it does.
  http::Response answer(const std::string& study, const std::string& key,
                        const std::function<http::Response(StudyTable&)>& make);
  // What is asked of the study next sees what has just been done to it.
  void expire(const std::string& study);

 private:
  struct Kept {
    http::Response response;
    std::uint64_t generation = 0, version = 0;
    SteadyTime made{};
    Milliseconds took{0};
    std::size_t bytes = 0;  // about; 0 of one that is not there yet
  };
  struct Entry {
    Entry(const std::filesystem::path& store, const std::string& study) : table(store, study) {}
    std::mutex mutex;  // of all below
    StudyTable table;
    SteadyTime refreshed{};
    std::map<std::string, Kept> answers;
    std::size_t answer_bytes = 0;
  };

  void with_entry(const std::string& study, const std::function<void(Entry&)>& use);
  std::shared_ptr<Entry> entry_of(const std::string& study);
  void let_go_of_others(const std::string& study);
  static void refresh(Entry& entry);

  const std::filesystem::path store_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Entry>> entries_;
  std::vector<std::string> used_;              // the last used last
  std::map<std::string, std::size_t> trials_;  // of each entry
};

}  // namespace tune::serve
