#pragma once
// Catch2 beside LibTorch, which comes first: see support/catch.h.
#include "trainer/torch_compat.h"
//
#include "support/catch.h"
