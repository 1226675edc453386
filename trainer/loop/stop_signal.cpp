#include "trainer/loop/stop_signal.h"

#include <unistd.h>

#include <atomic>
#include <string_view>

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

std::atomic<bool> requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void request_stop(int) { requested.store(true); }

void end_at_once(int) {
  constexpr std::string_view kWords = "error: interrupted\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kWords.data(), kWords.size());
  _exit(static_cast<int>(ExitCode::kInterrupted));
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = request_stop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTERM, &action, nullptr);
  action.sa_flags |= static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

bool stop_requested() { return requested.load(); }

EndOnSignal::EndOnSignal() {
  struct sigaction action = {};
  action.sa_handler = end_at_once;
  sigaction(SIGTERM, &action, &terminate_);
  sigaction(SIGINT, &action, &interrupt_);
  if (!stop_requested()) return;
  sigaction(SIGTERM, &terminate_, nullptr);
  sigaction(SIGINT, &interrupt_, nullptr);
  throw Error(ExitCode::kInterrupted, "interrupted");
}

EndOnSignal::~EndOnSignal() {
  sigaction(SIGTERM, &terminate_, nullptr);
  sigaction(SIGINT, &interrupt_, nullptr);
}

}  // namespace tune::trainer::loop
