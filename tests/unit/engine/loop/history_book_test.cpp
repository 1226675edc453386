#include "tuner/engine/loop/history_book.h"

#include "support/catch.h"

namespace tune::tests {
namespace {

using engine::HistoryBook;

TrialView view(int number, SearchRole role = SearchRole::kPoint, std::optional<int> replicate_of = {}) {
  TrialView made;
  made.number = number;
  made.role = role;
  made.replicate_of = replicate_of;
  made.state = TrialState::kQueued;
  return made;
}

TEST_CASE("what a strategy reads stays as it is until the next question") {
  HistoryBook book({});
  book.add(view(1));
  const History& shown = book.snapshot();
  book.add(view(2, SearchRole::kRepeat));
  book.give_up_pausing();
  CHECK(shown.next_number() == 2);
  CHECK(shown.repeats == 0);
  CHECK(shown.can_pause);
  CHECK(book.searched() == 1);
  book.snapshot();
  CHECK(shown.next_number() == 2);
  CHECK(shown.repeats == 1);
  CHECK_FALSE(shown.can_pause);
}

TEST_CASE("neither repeats nor replicates shift the place of a trial, and deleted ones keep theirs") {
  HistoryBook book({});
  book.add(view(1));
  book.add(view(2, SearchRole::kRepeat));
  book.add(view(3, SearchRole::kPoint, 1));
  book.add(view(4, SearchRole::kNothing));
  book.add(view(5));
  CHECK(book.trial(5).place() == 3);
  CHECK(book.snapshot().trials[3]->place() == 2);
}

}  // namespace
}  // namespace tune::tests
