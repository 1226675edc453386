#include "tuner/engine/loop/journal.h"

#include <utility>

namespace tune::engine {
namespace {

Json event_data(const StatusEvent& event) {
  Json data = Json::object();
  if (!event.message.empty()) data["message"] = event.message;
  if (event.value) data["value"] = number_to_json(*event.value);
  if (event.second_value)
    data["values"] = Json::array({number_to_json(*event.value), number_to_json(*event.second_value)});
  if (!event.devices.empty()) data["devices"] = event.devices;
  if (!event.parameters.empty()) data["parameters"] = event.parameters;
  if (!event.about.empty()) data["metric"] = event.metric, data["about"] = event.about;
  if (!event.request.empty()) data["request"] = event.request;
  if (event.kind == StatusKind::kTrialFinished) data["state"] = to_string(event.state);
  if (event.replicate_of) data["replicate_of"] = *event.replicate_of;
  if (event.rerun_of) data["rerun_of"] = *event.rerun_of;
  return data;
}

bool may_pass(const Error& error) {
  if (dynamic_cast<const FileSizeLimit*>(&error) != nullptr) return false;
  if (dynamic_cast<const DamagedFile*>(&error) != nullptr) return false;
  return error.code() == ExitCode::kEnvironment || error.code() == ExitCode::kConflict;
}

// The hint of an error speaks to a command that has ended, and would have it run again.
std::string cure_while_waiting(const Error& error) {
  if (dynamic_cast<const DiskFull*>(&error) != nullptr) return "free some disk space";
  if (error.code() == ExitCode::kConflict)
    return "another program holds a lock on it: end that program, or its transaction";
  return error.hint().empty() ? "see the system's log (dmesg)" : error.hint();
}

}  // namespace

Journal::Journal(store::StudyStore& store, const Clock& clock, Status& status, std::function<bool()> pause)
    : store_(store), clock_(clock), status_(status), pause_(std::move(pause)) {}

void Journal::Entry::event(StatusEvent event) {
  event.time = now_;
  event.id = append(event);
  events_.push_back(std::move(event));
}

void Journal::Entry::record(const StatusEvent& event) { append(event); }

std::int64_t Journal::Entry::append(const StatusEvent& event) {
  return store_.append_event(
      {0, now_, event_kind(event.kind), event.trial, event.attempt, event_data(event)});
}

void Journal::commit(const std::function<void(Entry&)>& write, Durability durability) {
  while (true) {
    Entry entry(store_, clock_.wall_now());
    try {
      store::StudyStore::Transaction transaction(store_, durability);
      write(entry);
      transaction.commit();
    } catch (const Error& error) {
      if (!may_pass(error)) throw;
      if (!wait_after(error)) throw;
      continue;
    }
    const bool recovered = !std::exchange(trouble_, {}).empty();
    for (const StatusEvent& event : entry.events_) status_.on_event(event);
    if (recovered) notice("the store can be written again; going on");
    return;
  }
}

bool Journal::wait_after(const Error& error) {
  report_trouble(error);
  return pause_();
}

void Journal::note(StatusEvent event) {
  commit([&](Entry& entry) { entry.event(event); });
}

void Journal::notice(const std::string& message, int trial, int attempt) {
  StatusEvent event;
  event.kind = StatusKind::kNotice;
  event.trial = trial;
  event.attempt = attempt;
  event.message = message;
  note(std::move(event));
}

void Journal::notice_once(const std::string& message) {
  if (said_once_.insert(message).second) notice(message);
}

void Journal::report_trouble(const Error& error) {
  if (trouble_ == error.what()) return;
  trouble_ = error.what();
  // The store cannot take this one, so it goes to the display alone.
  StatusEvent event;
  event.kind = StatusKind::kNotice;
  event.time = clock_.wall_now();
  event.message = "paused, nothing new is started: " + trouble_ +
                  " (the study goes on by itself once it can be written: " + cure_while_waiting(error) + ")";
  status_.on_event(event);
}

}  // namespace tune::engine
