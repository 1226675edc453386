#pragma once
// SIGTERM and SIGINT as a flag that the training loop looks at between batches.

namespace tune::trainer::loop {

// From now on SIGTERM and the first SIGINT only set the flag; a second SIGINT ends the program at once.
void catch_stop_signals();
bool stop_requested();

}  // namespace tune::trainer::loop
