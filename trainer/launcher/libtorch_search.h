#pragma once
// Where LibTorch lies on the machine that a packaged tune-train runs on.
#include <filesystem>
#include <string>

namespace tune::trainer::launcher {

struct LibTorch {
  std::filesystem::path libraries;  // the folder with libtorch_cpu.so
  std::string version;              // "2.13.0+cu130"
};

// The LibTorch of the version `wanted` ("2.13"), patches and builds for CUDA among them. Looked for, in this
// order, in
//  - the folder that the variable TUNE_LIBTORCH names: a LibTorch, its lib/, or a folder with `torch` in it;
//  - `libtorch` beside the folder of `program`, so next to bin/;
//  - the `torch` of the Python on the path, which is asked for its place and does not load it.
// Throws Error(kEnvironment) without any, with what was found of another version and how to get the right
// one. A folder that TUNE_LIBTORCH names is used or refused: nothing else is looked for then.
LibTorch find_libtorch(const std::filesystem::path& program, const std::string& wanted);

}  // namespace tune::trainer::launcher
