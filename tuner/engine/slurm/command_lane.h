#pragma once
// A thread that runs Slurm's programs one after the other, so that a controller which does not answer delays
// no event of the loop.
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tune::engine {

// Owned by the runner; every member is called on the runner's thread.
class CommandLane {
 public:
  using Then = std::function<void()>;  // what the answer means, for the runner's thread
  using Work = std::function<Then()>;  // for the lane's thread

  // `on_answer` is called on the lane's thread when an answer is there.
  explicit CommandLane(std::function<void()> on_answer);
  ~CommandLane();  // waits for the program that runs; what waits behind it is not run
  CommandLane(const CommandLane&) = delete;
  CommandLane& operator=(const CommandLane&) = delete;

  void add(Work work);
  // The answers that have come since the last call.
  std::vector<Then> take();
  // Waits until all that was added has been answered, for the answers that a caller needs before it goes.
  void wait_until_idle();

 private:
  void work();

  const std::function<void()> on_answer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;  // guarded by mutex_, as the three below
  std::vector<Then> answers_;
  bool busy_ = false, ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace tune::engine
