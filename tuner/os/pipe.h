#pragma once
// A pipe between two processes of ours.
#include "tuner/os/descriptor.h"

namespace tune {

struct Pipe {
  Descriptor read, write;
};

// Both ends close when another program is executed. Throws Error(kEnvironment).
Pipe make_pipe();

}  // namespace tune
