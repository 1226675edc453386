#pragma once
// A team of processes for tests, each a fork of this one.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "support/run_shell.h"
#include "trainer/parallel/team.h"

namespace tune::tests {

// What `work` returned in each process, by rank; 99 where it threw, which stderr says.
inline std::vector<int> run_in_team(
    int size, const std::function<int(const std::shared_ptr<const trainer::parallel::Team>&)>& work,
    Milliseconds patience = Milliseconds{60'000}) {
  const TemporaryFolder folder;
  std::vector<pid_t> children;
  for (int rank = 0; rank < size; ++rank) {
    const pid_t child = ::fork();
    if (child == 0) {
      int code = 99;
      try {
        at::set_num_threads(1);  // a fork has none of its parent's, and would wait for them
        const trainer::parallel::Membership membership{rank, size, rank, size,
                                                       "file:" + (folder.path() / "rendezvous").string()};
        code = work(std::make_shared<const trainer::parallel::Team>(membership, torch::kCPU, patience));
      } catch (const std::exception& error) {
        std::fprintf(stderr, "process %d: %s\n", rank, error.what());
      }
      ::_exit(code);
    }
    children.push_back(child);
  }
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return codes;
}

}  // namespace tune::tests
