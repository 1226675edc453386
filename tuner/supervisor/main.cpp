// tune-supervisor LAUNCH.json: runs one attempt of a trial. Started by `tune`, not by people.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string_view>

#include "tuner/supervisor/supervisor.h"

int main(int argc, char** argv) {
  const bool wants_help = argc == 2 && std::string_view(argv[1]) == "--help";
  if (argc != 2 || wants_help) {
    std::fprintf(wants_help ? stdout : stderr,
                 "usage: tune-supervisor LAUNCH.json\nIt is started by `tune`, once for each attempt.\n");
    return wants_help ? 0 : 2;
  }
  try {
    const tune::supervisor::Launch launch = tune::supervisor::read_launch(argv[1]);
    // At once: the attempt's record is written, and the runner waits for this process to be gone. (What a
    // sanitizer would do at an ordinary exit starts a process that looks like one of the attempt's tree.)
    ::_exit(tune::supervisor::Supervisor(launch).run());
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "tune-supervisor: %s\n", problem.what());
    return 70;
  }
}
