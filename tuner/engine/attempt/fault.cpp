#include "tuner/engine/attempt/fault.h"

#include <cerrno>

namespace tune::engine {
namespace {

// With waits of 1, 2, 4, ... seconds between them: two minutes. What others took may come back meanwhile.
constexpr int kPatientTries = 8;
// For what nobody else gives back: a limit of our own, or a program that is missing.
constexpr int kImpatientTries = 3;

}  // namespace

bool may_pass(int reason) {
  // ETXTBSY: somebody is just writing the program.
  return reason == EAGAIN || reason == ENOMEM || reason == ENFILE || reason == EMFILE || reason == ETXTBSY;
}

Fault start_fault(int reason, const std::string& message) {
  if (!may_pass(reason))
    return {Fault::Kind::kSetUp, message, "mend it and run the same command again: no trial was spent on it"};
  const char* limit = reason == EAGAIN                       ? "raise the limit of processes (`ulimit -u`)"
                      : reason == EMFILE || reason == ENFILE ? "raise the limit of open files (`ulimit -n`)"
                      : reason == ENOMEM                     ? "free some memory"
                                                             : "wait until the program is written";
  return {Fault::Kind::kLack, message,
          std::string(limit) + " or lower limits.parallel, and run the same command again", kPatientTries};
}

Fault start_fault(const Error& error) {
  if (error.code() == ExitCode::kConflict) return {Fault::Kind::kSlot, error.what(), error.hint()};
  const bool passes = dynamic_cast<const LackOfResources*>(&error) != nullptr;
  return {Fault::Kind::kLack, error.what(), error.hint(), passes ? kPatientTries : kImpatientTries};
}

}  // namespace tune::engine
