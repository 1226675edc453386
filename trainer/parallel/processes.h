#pragma once
// One program as several processes that train together: how they are started, and how they end.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/parallel/team.h"

namespace tune::trainer::parallel {

// Starts the running program `count` times on this one of the machines with the same arguments, each with its
// place in the environment, and waits for all of them. The first of all is the one that prints results.
// SIGTERM, SIGHUP and the first SIGINT are passed on as SIGTERM, a second SIGINT ends all at once. When one
// ends badly, the others are killed soon after; they also die with this process. Returns 0, or 130 where they
// were interrupted. Throws Error with the code and the reason of the one that failed first; where a signal
// killed that one, says so on `notes` and ends this process by the same signal.
ExitCode run_processes(int count, const Machines& machines, const std::vector<std::string>& arguments,
                       std::ostream& notes);

// The other side: why a process has failed, for the one that started it; `is_of_another`: since another one
// is gone. False where nobody asked.
bool leave_word(const Membership& membership, const Error& error, bool is_of_another);

}  // namespace tune::trainer::parallel
