#pragma once
// How many attempts a machine takes.
#include <string>
#include <vector>

namespace tune::engine {

struct Capacity {
  int free = 0;   // attempts that can be started now
  int total = 0;  // attempts that this machine could run at once if nobody else used it
  std::vector<std::string>
      notices;  // sentences worth showing once: "GPU ... is skipped: 3.1 GiB held by process 812"
  std::string problem = {};  // why nothing could be started even if nobody else used it: its driver is gone
};

}  // namespace tune::engine
