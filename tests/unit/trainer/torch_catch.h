#pragma once
// Catch2 beside LibTorch: both have a macro CHECK, and tests mean Catch2's.
#include "trainer/torch_compat.h"
// After it, as it takes LibTorch's macros away.
#include "support/catch.h"
