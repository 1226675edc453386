#pragma once
// How much each hyperparameter matters, for pages.
#include <map>
#include <mutex>
#include <string>

#include "tuner/core/clock.h"
#include "tuner/http/message.h"
#include "tuner/serve/study_book.h"

namespace tune::serve {

// By the mathematics of the report; of a study of more than a thousand trials, by a thousand of those that
// completed. It takes up to seconds, so it is computed beside the study's table and not under its lock, for
// one at a time, and kept until a twentieth more trials have completed. Any thread.
class ImportanceView {
 public:
  explicit ImportanceView(StudyBook& book) : book_(book) {}
  // Throws what StudyBook::with() throws.
  http::Response answer(const std::string& study);

 private:
  struct Kept {
    http::Response response;
    WallTime created{};  // of the study, which may be another one by now
    std::size_t completed = 0;
    SteadyTime made{};
    Milliseconds took{0};
  };
  bool is_good(const Kept& kept, WallTime created, std::size_t completed) const;

  StudyBook& book_;
  std::mutex computing_;
  std::mutex mutex_;  // of kept_
  std::map<std::string, Kept> kept_;
};

}  // namespace tune::serve
