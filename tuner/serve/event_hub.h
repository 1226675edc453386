#pragma once
// The streams of server-sent events that open pages listen to.
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/http/message.h"
#include "tuner/serve/study_book.h"

namespace tune::serve {

// Looks four times a second (once, when many listen) at the studies that somebody listens to, and tells all
// listeners of one what changed, in one message. A listener that does not keep up loses messages and is told
// to load everything again. A message that says "settled" follows some seconds after the last change, when
// answers that were kept meanwhile are old. Has one thread of its own; add() may be called on any.
class EventHub {
 public:
  explicit EventHub(StudyBook& book);
  ~EventHub();
  EventHub(const EventHub&) = delete;
  EventHub& operator=(const EventHub&) = delete;

  static constexpr std::size_t kMostListeners = 200;
  // `study` is empty for the whole store. `last_event`: what the page has seen, 0 for a new one. Throws
  // HttpError(503) when as many listen as may; what StudyBook::with() throws.
  void require_room() const;
  void add(const std::string& study, std::int64_t last_event, std::shared_ptr<http::ResponseStream> stream);
  std::size_t listeners() const;
  void stop();  // ends all streams; nobody may be added afterwards

 private:
  struct Listener {
    std::shared_ptr<http::ResponseStream> stream;
    bool has_missed = false;
  };
  // Everybody who listens to one study, or to the store ("").
  struct Topic {
    std::vector<Listener> listeners;
    std::vector<SteadyTime> settled_at;         // when to say so
    std::map<std::string, std::string> stamps;  // of the store's parts
  };

  void run();
  std::size_t count_listeners() const;
  void look_at_study(const std::string& study, Topic& topic);
  void look_at_store(Topic& topic);
  void tell(Topic& topic, const std::string& message, const std::string& study);
  void say_settled(const std::string& study, Topic& topic);

  StudyBook& book_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Topic> topics_;
  bool is_stopped_ = false;
  SteadyTime pinged_{}, looked_at_store_{};
  std::thread thread_;
};

}  // namespace tune::serve
