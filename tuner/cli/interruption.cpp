#include "tuner/cli/interruption.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <iterator>

#include "tuner/core/error.h"

namespace tune::cli {
namespace {

// A signal handler sees nothing but globals.
engine::Interruption signals_so_far;
std::atomic<engine::TrialRunner*> runner_to_wake{nullptr};
std::atomic<bool> second_ends{false};

void on_signal(int signal) {
  // A closed terminal hangs up more than once: its shell tells its jobs, then the kernel the foreground
  // group. That is no second wish of a person.
  int none = 0;
  if (signal == SIGHUP)
    signals_so_far.count.compare_exchange_strong(none, 1);
  else
    signals_so_far.count.fetch_add(1);
  if (second_ends.load() && signals_so_far.count.load() > 1)
    ::_exit(static_cast<int>(ExitCode::kInterrupted));
  if (engine::TrialRunner* runner = runner_to_wake.load()) runner->wake();
}

}  // namespace

engine::Interruption& interruption() { return signals_so_far; }

void wake_on_signal(engine::TrialRunner* runner) { runner_to_wake = runner; }

void end_on_second_signal(bool ends) { second_ends = ends; }

SignalsCaught::SignalsCaught() {
  std::signal(SIGPIPE, SIG_IGN);
  signals_so_far.count = 0;
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    sigaction(kSignals[i], nullptr, &before_[i]);
    if (before_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
  }
}

SignalsCaught::~SignalsCaught() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
}

}  // namespace tune::cli
