#include "tuner/serve/study_book.h"

#include <algorithm>

#include "store/store_listing.h"
#include "tuner/core/error.h"
#include "tuner/live/study_place.h"
#include "tuner/serve/age.h"

namespace tune::serve {
namespace {

constexpr Milliseconds kFreshFor{50}, kLiveFor{1000};
constexpr Milliseconds kLongestKept{10'000};
constexpr int kKeptTimesCost = 20;
// At about a kilobyte a trial: some hundred megabytes together with the answers.
constexpr std::size_t kMostTrials = 80'000;
constexpr std::size_t kMostStudies = 32;
constexpr std::size_t kMostAnswerBytes = 24 << 20;  // of one study
constexpr std::size_t kAnswerOverhead = 1000;       // of each, about: its headers, the map's node

}  // namespace

std::vector<std::string> StudyBook::studies() const { return store::study_names(store_); }

std::shared_ptr<StudyBook::Entry> StudyBook::entry_of(const std::string& study) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = entries_.find(study); found != entries_.end()) {
      std::erase(used_, study);
      used_.push_back(study);
      return found->second;
    }
  }
  // A client's text becomes a path only once the store has said that it is the name of something there.
  const std::vector<std::string> names = studies();
  if (std::find(names.begin(), names.end(), study) == names.end()) {
    live::require_study(store_, study);
    throw Error(ExitCode::kNotFound, "there is no study \"" + study + "\"");
  }
  const std::lock_guard lock(mutex_);
  used_.push_back(study);
  return entries_.try_emplace(study, std::make_shared<Entry>(store_, study)).first->second;
}

void StudyBook::let_go_of_others(const std::string& study) {
  const std::lock_guard lock(mutex_);
  std::size_t all = 0;
  for (const auto& [name, count] : trials_) all += count;
  while (used_.size() > 1 && (all > kMostTrials || entries_.size() > kMostStudies)) {
    const auto oldest =
        std::find_if(used_.begin(), used_.end(), [&study](const auto& name) { return name != study; });
    if (oldest == used_.end()) return;
    all -= trials_[*oldest];
    entries_.erase(*oldest);
    trials_.erase(*oldest);
    used_.erase(oldest);
  }
}

void StudyBook::refresh(Entry& entry) {
  if (entry.table.is_read() && age_of(entry.refreshed) < kFreshFor) return;
  entry.table.refresh();
  entry.refreshed = std::chrono::steady_clock::now();
}

void StudyBook::with(const std::string& study, const std::function<void(StudyTable&)>& use) {
  with_entry(study, [&use](Entry& entry) { use(entry.table); });
}

void StudyBook::with_entry(const std::string& study, const std::function<void(Entry&)>& use) {
  const std::shared_ptr<Entry> entry = entry_of(study);
  std::size_t count = 0;
  {
    const std::lock_guard lock(entry->mutex);
    refresh(*entry);
    use(*entry);
    count = entry->table.rows().trials.size();
  }
  {
    const std::lock_guard lock(mutex_);
    if (entries_.contains(study)) trials_[study] = count;
  }
  let_go_of_others(study);
}

void StudyBook::expire(const std::string& study) {
  const std::shared_ptr<Entry> entry = entry_of(study);
  const std::lock_guard lock(entry->mutex);
  entry->refreshed = {};
  entry->answers.clear();
  entry->answer_bytes = 0;
}

http::Response StudyBook::answer(const std::string& study, const std::string& key,
                                 const std::function<http::Response(StudyTable&)>& make) {
  http::Response response;
  with_entry(study, [&](Entry& entry) {
    const std::uint64_t version = entry.table.version();
    if (const auto found = entry.answers.find(key); found != entry.answers.end()) {
      const Kept& kept = found->second;
      const Milliseconds age = age_of(kept.made), lasts = std::min(kLongestKept, kKeptTimesCost * kept.took);
      const bool is_same = kept.version == version && (!entry.table.is_live() || age < kLiveFor);
      response = kept.response;
      if (kept.generation == entry.table.generation() && (is_same || age < lasts)) return;
    }
    const SteadyTime begin = std::chrono::steady_clock::now();
    response = make(entry.table);
    const std::size_t bytes = key.size() + response.body.size() + kAnswerOverhead;
    if (entry.answer_bytes + bytes > kMostAnswerBytes) {
      entry.answers.clear();
      entry.answer_bytes = 0;
    }
    Kept& kept = entry.answers[key];
    entry.answer_bytes += bytes - kept.bytes;
    kept = {response, entry.table.generation(), version, std::chrono::steady_clock::now(), age_of(begin),
            bytes};
  });
  return response;
}

}  // namespace tune::serve
