// tune-train: fine-tunes one trial, and measures and uses what came out of it.
#include <unistd.h>

#include <iostream>

#include "trainer/cli/command.h"

int main(int argc, char** argv) {
  tune::trainer::cli::Console console{std::cout, std::cerr, isatty(STDERR_FILENO) == 1};
  return tune::trainer::cli::run_cli(argc, argv, console);
}
