#include "tuner/serve/event_hub.h"

#include <algorithm>
#include <exception>

#include "tuner/serve/age.h"
#include "tuner/serve/overview.h"

namespace tune::serve {
namespace {

constexpr Milliseconds kLook{250}, kLookForMany{1000}, kLookAtStore{1000};
constexpr std::size_t kMany = 8;  // listeners: what they are told costs more than what is looked at
constexpr std::chrono::seconds kPing{15};
// Answers are kept ten seconds at most (study_book.cpp), and mostly less than two.
constexpr Milliseconds kSettled[] = {Milliseconds(2200), Milliseconds(11'000)};
constexpr int kMostReplayed = 5000;

std::string change_text(const std::string& study, const StudyChanges& changes, bool is_live,
                        const char* state) {
  OrderedJson data{{"schema", 1},
                   {"study", study},
                   {"id", changes.last_event},
                   {"trials", changes.skipped ? Json() : Json(changes.trials)},
                   {"kinds", changes.kinds},
                   {"metrics", !changes.trials.empty() || changes.skipped},
                   {"state", state},
                   {"is_live", is_live}};
  return http::event_text("change", data.dump(-1, ' ', false, OrderedJson::error_handler_t::replace),
                          std::to_string(changes.last_event));
}

std::string resync_text(const std::string& study) {
  return http::event_text("resync", OrderedJson{{"schema", 1}, {"study", study}}.dump(
                                        -1, ' ', false, OrderedJson::error_handler_t::replace));
}

// What a page that has seen the events up to `last` has missed. nullopt: too much to say.
std::optional<StudyChanges> missed_since(const StudyTable& table, std::int64_t last) {
  StudyChanges changes;
  changes.last_event = last;
  const std::vector<store::EventRow> events = table.store().events(last, kMostReplayed);
  if (events.size() >= static_cast<std::size_t>(kMostReplayed)) return std::nullopt;
  for (const store::EventRow& event : events) {
    changes.any = true;
    changes.last_event = event.id;
    changes.kinds.insert(event.kind);
    if (event.trial > 0) changes.trials.insert(event.trial);
  }
  return changes;
}

}  // namespace

EventHub::EventHub(StudyBook& book) : book_(book), thread_([this] { run(); }) {}

EventHub::~EventHub() { stop(); }

void EventHub::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    topics_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::size_t EventHub::listeners() const {
  const std::lock_guard lock(mutex_);
  return count_listeners();
}

std::size_t EventHub::count_listeners() const {
  std::size_t count = 0;
  for (const auto& [study, topic] : topics_) count += topic.listeners.size();
  return count;
}

void EventHub::require_room() const {
  if (listeners() >= kMostListeners)
    throw http::HttpError(503, "as many pages are open as this server tells of changes",
                          "close some of them; pages in the background listen too");
}

void EventHub::add(const std::string& study, std::int64_t last_event,
                   std::shared_ptr<http::ResponseStream> stream) {
  std::string first = "retry: 2000\n\n";
  const bool is_first = [&] {
    const std::lock_guard lock(mutex_);
    return !topics_.contains(study);
  }();
  if (!study.empty())
    book_.with(study, [&](StudyTable& table) {
      StudyChanges nothing;
      nothing.last_event = table.store().last_event();
      const auto missed =
          last_event > 0 ? missed_since(table, last_event) : std::optional<StudyChanges>(nothing);
      const char* state = to_string(table.rows().study.state);
      if (is_first) table.take_changes();  // from before anybody listened
      if (!missed)
        first += resync_text(study);
      else if (missed->any || last_event == 0)
        first += change_text(study, *missed, table.is_live(), state);
    });
  stream->send(std::move(first));
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return;
    topics_[study].listeners.push_back({std::move(stream)});
  }
  changed_.notify_all();
}

void EventHub::run() {
  pinged_ = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    if (topics_.empty())
      changed_.wait(lock, [this] { return is_stopped_ || !topics_.empty(); });
    else
      changed_.wait_for(lock, count_listeners() > kMany ? kLookForMany : kLook,
                        [this] { return is_stopped_; });
    if (is_stopped_) return;
    const bool pings = age_of(pinged_) >= kPing;
    if (pings) pinged_ = std::chrono::steady_clock::now();
    const bool looks_at_store = age_of(looked_at_store_) >= kLookAtStore;
    if (looks_at_store) looked_at_store_ = std::chrono::steady_clock::now();
    for (auto& [study, topic] : topics_) {
      std::erase_if(topic.listeners, [](const Listener& listener) { return !listener.stream->is_open(); });
      if (pings) tell(topic, ": ping\n\n", study);
      if (topic.listeners.empty()) continue;
      if (!study.empty())
        look_at_study(study, topic);
      else if (looks_at_store)
        look_at_store(topic);
      say_settled(study, topic);
    }
    std::erase_if(topics_, [](const auto& one) { return one.second.listeners.empty(); });
  }
}

void EventHub::look_at_study(const std::string& study, Topic& topic) {
  std::string message;
  try {
    book_.with(study, [&](StudyTable& table) {
      const StudyChanges changes = table.take_changes();
      if (changes.any)
        message = change_text(study, changes, table.is_live(), to_string(table.rows().study.state));
    });
  } catch (const std::exception&) {
    // Gone, or damaged, or the machine has no room: its page says so when it asks. This thread goes on.
    if (topic.stamps["gone"].empty()) message = resync_text(study);
    topic.stamps["gone"] = "yes";
  }
  if (message.empty()) return;
  tell(topic, message, study);
  topic.settled_at.clear();
  for (const Milliseconds after : kSettled)
    topic.settled_at.push_back(std::chrono::steady_clock::now() + after);
}

void EventHub::look_at_store(Topic& topic) {
  std::map<std::string, std::string> stamps;
  for (const std::string& study : book_.studies()) stamps["study " + study] = stamp_of(book_.store() / study);
  stamps["models"] = stamp_of_models(book_.store());
  const bool is_first = topic.stamps.empty();
  if (!is_first && stamps != topic.stamps) {
    OrderedJson studies = OrderedJson::array();
    for (const auto& [name, stamp] : stamps) {
      const auto before = topic.stamps.find(name);
      if (name.starts_with("study ") && (before == topic.stamps.end() || before->second != stamp))
        studies.push_back(name.substr(6));
    }
    tell(topic,
         http::event_text("change", OrderedJson{{"schema", 1}, {"overview", true}, {"studies", studies}}.dump(
                                        -1, ' ', false, OrderedJson::error_handler_t::replace)),
         "");
    topic.settled_at = {std::chrono::steady_clock::now() + kSettled[0]};
  }
  topic.stamps = std::move(stamps);
}

void EventHub::say_settled(const std::string& study, Topic& topic) {
  if (topic.settled_at.empty() || std::chrono::steady_clock::now() < topic.settled_at.front()) return;
  topic.settled_at.erase(topic.settled_at.begin());
  OrderedJson data{{"schema", 1}, {"settled", true}};
  if (study.empty())
    data["overview"] = true;
  else
    data["study"] = study, data["trials"] = nullptr, data["kinds"] = OrderedJson::array(),
    data["metrics"] = true;
  tell(topic, http::event_text("change", data.dump(-1, ' ', false, OrderedJson::error_handler_t::replace)),
       study);
}

void EventHub::tell(Topic& topic, const std::string& message, const std::string& study) {
  for (Listener& listener : topic.listeners) {
    if (listener.has_missed) {
      // It has read everything by now, and begins anew.
      if (listener.stream->waiting_bytes() == 0)
        listener.has_missed = !listener.stream->send(resync_text(study));
    } else {
      listener.has_missed = !listener.stream->send(message);
    }
  }
}

}  // namespace tune::serve
