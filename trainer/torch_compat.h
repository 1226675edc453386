#pragma once
// The one header that knows LibTorch versions: it is precompiled, and no other file tests TORCH_VERSION_*.
#include <ATen/autocast_mode.h>
#include <torch/torch.h>
