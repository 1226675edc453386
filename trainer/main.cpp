// tune-train: fine-tunes one trial, and measures and uses what came out of it.
#include "trainer/cli/commands.h"

int main(int argc, char** argv) {
  return tune::cli::run_command_line(tune::trainer::cli::command_line(), argc, argv);
}
