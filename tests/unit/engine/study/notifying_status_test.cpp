#include "tuner/engine/study/notifying_status.h"

#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::engine {
namespace {

class Shown final : public Status {
 public:
  void on_event(const StatusEvent& event) override { events.push_back(event); }
  std::vector<StatusEvent> events;
};

struct NotifyingFixture {
  explicit NotifyingFixture(const std::string& line)
      : store(folder / "study.db", store::OpenMode::kCreate),
        notifier({{{{NotifyOn::kBest, NotifyOn::kFinished, NotifyOn::kFailed},
                    {"sh", "-c", line},
                    {},
                    Milliseconds(30'000)}},
                  folder / "",
                  {},
                  Json::object(),
                  [] { return 0; }}) {
    store.create_study(store::study_row());
    store.insert_trial(store::trial_row(1));
    store.update_trial(store::completed(store::trial_row(1), 0.5));
    status.emplace(shown, store, clock, notifier);
  }
  void see_best() {
    StatusEvent event;
    event.kind = StatusKind::kBest;
    event.id = store.append_event(store::event_row("best", 1));
    event.trial = 1;
    event.value = 0.5;
    status->on_event(event);
  }
  std::vector<std::string> states() const {
    std::vector<std::string> list;
    for (const store::EventRow& event : store.events())
      if (event.kind == "notification") list.push_back(event.data.at("state"));
    return list;
  }
  int lines_in(const std::string& name) const {
    std::ifstream file(folder / name);
    int count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }

  store::TemporaryFolder folder;
  store::StudyStore store;
  ManualClock clock;
  Shown shown;
  Notifier notifier;
  std::optional<NotifyingStatus> status;
};

TEST_CASE("a new best is recorded before a command is told of it, and so is what became of that",
          "[notify]") {
  NotifyingFixture f("cat $TUNE_EVENT_FILE > event");
  f.see_best();
  CHECK(f.states().empty());  // the loop may be in the middle of something
  f.status->on_tick(f.clock.steady_now());
  CHECK(f.states().front() == "begun");
  f.status->finish();
  CHECK(f.states() == std::vector<std::string>{"begun", "told"});
  std::ifstream file(f.folder / "event");
  const Json event = Json::parse(file);
  CHECK(event.at("trial") == 1);
  CHECK(event.at("value") == 0.5);
  CHECK(event.at("parameters").at("optimizer") == "sgd");
  CHECK(event.at("message") == "steel-legacy: trial 1 is the best so far: validation:mAP 0.5");
  CHECK(f.shown.events.size() == 1);  // the best itself
}

TEST_CASE("a command that fails is said once, and recorded each time", "[notify]") {
  NotifyingFixture f("echo no server >&2; exit 1");
  for (int times = 0; times < 2; ++times) {
    f.see_best();
    f.status->finish();
  }
  CHECK(f.states() == std::vector<std::string>{"begun", "failed", "begun", "failed"});
  int said = 0;
  for (const StatusEvent& event : f.shown.events)
    said += event.kind == StatusKind::kNotice &&
            event.message.ends_with("exit code 1: no server (said once a run)");
  CHECK(said == 1);
}

TEST_CASE("an end is told once, whoever finds it", "[notify]") {
  NotifyingFixture f("echo told >> ends");
  const Notice end{NotifyOn::kFinished, "end:7", "it has ended", Json::object()};
  f.status->tell_end(end);
  f.status->finish();
  NotifyingStatus another(f.shown, f.store, f.clock, f.notifier);
  another.tell_end(end);
  another.finish();
  CHECK(f.lines_in("ends") == 1);
  // What had begun when the process died is not told again either.
  f.store.append_event({0, store::at(0), "notification", 0, 0, {{"key", "end:8"}, {"state", "begun"}}});
  another.tell_end({NotifyOn::kFinished, "end:8", "it has ended again", Json::object()});
  another.finish();
  CHECK(f.lines_in("ends") == 1);
}

}  // namespace
}  // namespace tune::engine
