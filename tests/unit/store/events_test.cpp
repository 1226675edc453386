// Events, as they are looked for.
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

TEST_CASE("events are found by their trial, and by what their data say", "[store]") {
  StudyStore store(":memory:", OpenMode::kCreate);
  store.create_study(study_row());
  store.append_event({0, at(1), "notice", 1, 1, {{"metric", "loss"}, {"about", "unread"}}});
  store.append_event({0, at(2), "notice", 2, 1, {{"message", "all is well"}}});
  store.append_event({0, at(3), "request", 0, 0, {{"request", "a \"quoted\" id"}}});
  store.append_event({0, at(4), "notice", 1, 2, {{"about", "late"}}});
  const std::vector<EventRow> events = store.events_of(1);
  REQUIRE(events.size() == 2);
  CHECK(events[0].id == 1);
  CHECK(events[1].data == Json{{"about", "late"}});
  CHECK(store.has_event("notice", {{"metric", "loss"}, {"about", "unread"}}));
  CHECK(store.has_event("notice", {{"metric", ""}, {"about", "late"}}));
  CHECK_FALSE(store.has_event("notice", {{"metric", "loss"}, {"about", "late"}}));
  CHECK_FALSE(store.has_event("request", {{"about", "late"}}));
  CHECK(store.has_event("request", {{"request", "a \"quoted\" id"}}));
}

}  // namespace
}  // namespace tune::store
