#include "tuner/engine/loop/budget_watch.h"

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::engine {
namespace {

using namespace std::chrono_literals;

class Silent final : public Status {
 public:
  void on_event(const StatusEvent&) override {}
};

struct WatchFixture {
  WatchFixture()
      : store(":memory:", store::OpenMode::kCreate), journal(store, clock, status, [] { return false; }) {
    store.create_study(store::study_row());
    spec.notify = {{{NotifyOn::kBudget}, {"true"}, {}, Milliseconds(1'000)}};
    spec.usd_per_hour = 2;
  }
  std::vector<std::string> said() const {
    std::vector<std::string> messages;
    for (const store::EventRow& event : store.events()) {
      REQUIRE(event.kind == "budget");
      messages.push_back(event.data.at("message"));
    }
    return messages;
  }
  Spec spec;
  ManualClock clock;
  Silent status;
  store::StudyStore store;
  Journal journal;
};

TEST_CASE("most of each limit is said once for its height", "[loop]") {
  WatchFixture f;
  Limits limits;
  limits.time = Milliseconds(100s);
  limits.gpu_hours = 2;
  limits.cost_usd = 10;
  BudgetWatch watch(f.spec, f.store, f.journal);
  REQUIRE(watch.is_wanted());
  watch.look(limits, Milliseconds(79s), 1.59 * 3600);
  CHECK(f.said().empty());
  watch.look(limits, Milliseconds(80s), 1.61 * 3600);
  CHECK(f.said() == std::vector<std::string>{"80 % of the time limit, 1m 40s, is taken",
                                             "80 % of the device time limit, 2 h, is taken"});
  watch.look(limits, Milliseconds(99s), 4.1 * 3600);
  CHECK(f.said().back() == "80 % of the cost limit, $10, is taken");
  BudgetWatch next_run(f.spec, f.store, f.journal);
  next_run.look(limits, Milliseconds(99s), 4.1 * 3600);
  CHECK(f.said().size() == 3);
  limits.time = Milliseconds(110s);  // a raised limit is another one
  next_run.look(limits, Milliseconds(99s), 0);
  CHECK(f.said().back() == "80 % of the time limit, 1m 50s, is taken");
}

TEST_CASE("the limit that has ended a study is said, and no other end is", "[loop]") {
  WatchFixture f;
  Limits limits;
  limits.gpu_hours = 0.5;
  limits.trials = 3;
  BudgetWatch watch(f.spec, f.store, f.journal);
  watch.end(limits, store::StudyEnd::kTrialLimit);
  CHECK(f.said().empty());
  watch.end(limits, store::StudyEnd::kDeviceTimeLimit);
  CHECK(f.said() == std::vector<std::string>{"the device time limit, 0.5 h, has ended the study"});
}

TEST_CASE("nothing is said where nobody is to be told", "[loop]") {
  WatchFixture f;
  f.spec.notify[0].on = {NotifyOn::kBest};
  CHECK_FALSE(BudgetWatch(f.spec, f.store, f.journal).is_wanted());
}

}  // namespace
}  // namespace tune::engine
