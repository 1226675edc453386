#pragma once
// Catch2 2 (one header) and 3 (many) under one name. LibTorch has macros of the same names, and tests mean
// Catch2's.
#undef CHECK
#undef CHECK_FALSE
#undef REQUIRE
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
