#pragma once
// A loop over independent items on several threads.
#include <cstddef>
#include <functional>

namespace tune::trainer::data {

// Calls work(i) once for each i in [0, count), in any order, on `threads` threads. The calling thread calls
// after() now and then with the number of items done, and once at the end; it may be empty. The calling
// thread also asks `interrupted`, which may be empty: once it says so no further item is begun, and the
// answer is false. True only when work() has returned for every item: work that ends before it is done has to
// throw. The first exception of `work` is thrown after the threads have ended.
bool in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& after = {},
                 const std::function<bool()>& interrupted = {});

}  // namespace tune::trainer::data
