#!/bin/sh
# level_symbols.sh LEVEL OBJECT: whether code for newer processors may take the place of code for all of them. The linker
# keeps one copy of each weak symbol, so every one in OBJECT has to be of the level's own namespaces; of strong ones there is
# the table alone.
set -eu
level=$1
object=$2
symbols=$(nm --demangle --defined-only "$object")
[ -n "$symbols" ] || { echo "$object has no symbols"; exit 1; }
# Types: W, V, u, w, v are merged by the linker; the reference to the exception handler of C++ is the same everywhere.
shared=$(printf '%s\n' "$symbols" | sed -n 's/^[0-9a-f]* [WVuwv] //p' | grep -v "Eigen_$level::" | grep -v '^DW\.ref\.' || true)
if [ -n "$shared" ]; then
  echo "$object has inline functions that other code may be given:"
  printf '%s\n' "$shared"
  exit 1
fi
strong=$(printf '%s\n' "$symbols" | sed -n 's/^[0-9a-f]* [TDRBG] //p' | grep -v '^__odr_asan' |
  grep -v "^tune::strategies::$level::kKernels$" || true)
if [ -n "$strong" ]; then
  echo "$object has symbols besides its table:"
  printf '%s\n' "$strong"
  exit 1
fi
printf '%s\n' "$symbols" | grep -q "tune::strategies::$level::kKernels$" || { echo "$object has no table"; exit 1; }
