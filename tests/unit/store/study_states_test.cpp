#include "store/study_states.h"

#include <stdexcept>

#include "support/catch.h"

namespace tune::store {
namespace {

TEST_CASE("a state and an end have one text each, which reads back", "[store]") {
  for (const char* text : {"running", "interrupted", "finished"})
    CHECK(to_string(study_state_from_string(text)) == std::string(text));
  for (const char* text : {"starting", "running", "exited", "lost"}) {
    const AttemptState state = attempt_state_from_string(text);
    CHECK(to_string(state) == std::string(text));
    CHECK(is_live(state) == (state == AttemptState::kStarting || state == AttemptState::kRunning));
  }
  for (const char* text : {"trial limit", "time limit", "device time limit", "cost limit", "space exhausted"})
    CHECK(to_string(study_end_in(text).value()) == std::string(text));
}

TEST_CASE("a word that is none of them is refused, and a sentence of an interrupted study is no end",
          "[store]") {
  CHECK_THROWS_AS(study_state_from_string("ended"), std::invalid_argument);
  CHECK_THROWS_AS(attempt_state_from_string(""), std::invalid_argument);
  CHECK_FALSE(study_end_in("interrupted").has_value());
  CHECK_FALSE(study_end_in("paused: cannot start \"train\"").has_value());
}

}  // namespace
}  // namespace tune::store
