#include "tuner/engine/loop/start_queue.h"

#include "support/catch.h"

namespace tune::engine {
namespace {

TEST_CASE("trials start again in the order in which they came, and one that is not due lets others pass") {
  const SteadyTime now{};
  StartQueue queue;
  CHECK(queue.empty());
  CHECK_FALSE(queue.due(now));
  queue.add(3);
  queue.hold_back(3, now + Milliseconds(100));
  CHECK_FALSE(queue.due(now));
  queue.add(1);
  queue.add(2);
  CHECK(queue.due(now) == 1);
  CHECK(queue.due(now + Milliseconds(100)) == 3);
  queue.remove(1);
  CHECK(queue.due(now) == 2);
  // What held it back is over with its start.
  queue.remove(3);
  queue.add(3);
  CHECK(queue.take_all() == std::vector<int>{2, 3});
  CHECK(queue.empty());
}

}  // namespace
}  // namespace tune::engine
