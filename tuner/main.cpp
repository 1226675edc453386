#include "tuner/cli/command.h"

int main(int argc, char** argv) { return tune::cli::run_cli(argc, argv); }
