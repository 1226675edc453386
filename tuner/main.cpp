#include <malloc.h>

#include "tuner/cli/commands.h"

int main(int argc, char** argv) {
  // Each suggestion takes and returns matrices of some hundred kilobytes. Unless they are kept, the kernel
  // clears their pages anew each time, for a fifteenth of the suggestion's time.
  constexpr int kKept = 64 << 20;
  mallopt(M_MMAP_THRESHOLD, kKept);
  mallopt(M_TRIM_THRESHOLD, kKept);
  return tune::cli::run_command_line(tune::cli::command_line(), argc, argv);
}
