#pragma once
// The parts of a network that fine-tuning treats apart: what it freezes, and what learns at a rate of its
// own.
#include <string>
#include <vector>

namespace tune::trainer::nn {

// A part of a network, in the order in which images pass through.
struct Stage {
  std::string name;  // for people: "layer3"
  // Parameters and buffers that begin so belong to it, and modules, whose names have no point behind them:
  // "layer3.".
  std::vector<std::string> prefixes;
};

// Every parameter and every buffer of the network belongs to exactly one stage or to the head.
struct Stages {
  std::vector<Stage> body;        // from the image on
  std::vector<std::string> head;  // prefixes of what is made anew where the classes differ: "fc."
};

}  // namespace tune::trainer::nn
