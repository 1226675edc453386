// tune-train: fine-tunes one trial, and measures and uses what came out of it.
#include <unistd.h>

#include <csignal>
#include <iostream>

#include "trainer/cli/command.h"

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file size limit shows as an error of the write then
  tune::trainer::cli::Console console{std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  return tune::trainer::cli::run_cli(argc, argv, console);
}
