#pragma once
// Catch2 beside LibTorch: both have a macro CHECK, and tests mean Catch2's.
#include "trainer/torch_compat.h"
#undef CHECK
#undef CHECK_FALSE
#undef REQUIRE
#include "support/catch.h"
