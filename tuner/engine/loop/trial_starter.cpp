#include "tuner/engine/loop/trial_starter.h"

#include <utility>

#include "tuner/engine/loop/replicate_words.h"

namespace tune::engine {
namespace {

constexpr int kDeviceTries = 6;  // half a minute: a driver that is reset comes back

}  // namespace

bool TrialStarter::has_slot() {
  if (parts_.desk.running() >= parallel_ || !gate_.is_open()) return false;
  const Capacity capacity = parts_.runner.capacity();
  for (const std::string& notice : capacity.notices) parts_.journal.notice_once(notice);
  if (!capacity.problem.empty()) {
    on_fault({Fault::Kind::kLack, capacity.problem, "mend it and run the same command again", kDeviceTries});
    return false;
  }
  return capacity.free > 0;
}

// The attempt that it kept from being started is queued.
void TrialStarter::on_fault(const Fault& fault) {
  const StartGate::Word word = gate_.on_fault(fault, parts_.desk.running());
  if (word.notice.empty()) return;
  if (word.repeats)
    parts_.journal.notice_once(word.notice);
  else
    parts_.journal.notice(word.notice);
}

void TrialStarter::fill(const std::function<bool()>& may_go_on) {
  while (may_go_on() && (has_waiting() || parts_.source.is_busy() || parts_.source.may_ask()) &&
         has_budget_left() && has_slot()) {
    if (const auto number = queue_.due(parts_.clock.steady_now())) {
      if (!start_again(*number)) return;
      continue;
    }
    if (!roomless_ && !parts_.source.is_busy() && !parts_.source.may_ask())
      return;  // what is queued is not due
    if (!roomless_ && !parts_.desk.has_room()) return;
    auto suggestion = next_new();
    if (!suggestion && parts_.source.is_busy()) return;  // the worker wakes the runner's wait
    if (!suggestion) continue;
    if (!parts_.desk.has_room_for(*suggestion)) {
      roomless_ = std::move(suggestion);
      return;
    }
    start(*suggestion);
  }
}

// Without a budget nobody looks through what runs.
bool TrialStarter::has_budget_left() const {
  return !parts_.spending.has_budget() || parts_.spending.has_room(parts_.desk.leases());
}

bool TrialStarter::start_again(int number) {
  if (!parts_.desk.has_room_for(number)) return false;
  if (const auto fault = parts_.desk.start_again(number)) {
    on_fault(*fault);
    return false;
  }
  parts_.guard.on_start(number, parts_.desk.running());
  queue_.remove(number);
  return true;
}

std::optional<strategies::Suggestion> TrialStarter::next_new() {
  if (!roomless_) return parts_.source.next(parts_.patience, parts_.desk.running() > 0 || has_waiting());
  auto suggestion = std::exchange(roomless_, std::nullopt);
  return parts_.source.is_wanted(*suggestion) ? std::move(suggestion) : std::nullopt;
}

void TrialStarter::start(const strategies::Suggestion& suggestion) {
  if (suggestion.replicate_of && parts_.spec.replicates)
    parts_.journal.notice_once(replicates_begin(*parts_.spec.replicates));
  note_search_end(suggestion);
  const int number = suggestion.resume_trial.value_or(parts_.book.next_number());
  const auto fault =
      suggestion.resume_trial ? parts_.desk.start_resumed(suggestion) : parts_.desk.start_new(suggestion);
  if (!fault) return parts_.guard.on_start(number, parts_.desk.running());
  queue_.add(number);
  on_fault(*fault);
}

// Before the trial: should this run die, the next one knows whether more of the search may come.
void TrialStarter::note_search_end(const strategies::Suggestion& suggestion) {
  std::optional<std::string> end;
  if (suggestion.replicate_of) end = to_string(parts_.completion.end_of_search(parts_.source.may_begin()));
  std::optional<std::string>& kept = parts_.record.row().facts.search_end;
  if (kept == end) return;
  kept = std::move(end);
  parts_.record.save(store::StudyState::kRunning, {});
}

}  // namespace tune::engine
