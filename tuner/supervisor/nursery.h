#pragma once
// Supervisors without a start of their own: the runner keeps one tune-supervisor that forks itself for each
// attempt.

namespace tune::supervisor {

// Answers requests on `channel` (SOCK_SEQPACKET) until its other end is closed; the exit code of
// tune-supervisor. A request is one packet: launch.json's path, then NAME=VALUE for the environment, each
// with a NUL behind it, and as SCM_RIGHTS the control socket and the leases. The answer is an int: the new
// supervisor's pid, or minus the system's reason. It is a child of the nursery's parent, in a session of its
// own.
int run_nursery(int channel);

}  // namespace tune::supervisor
