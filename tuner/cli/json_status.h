#pragma once
// What programs get while a study runs.
#include <iosfwd>

#include "tuner/engine/loop/status.h"

namespace tune::cli {

// A JSON object a line for every event, metrics included. Owned by the command that runs the study, on the
// loop's thread; it never reads the store.
class JsonStatus final : public engine::Status {
 public:
  explicit JsonStatus(std::ostream& out) : out_(out) {}
  void on_event(const engine::StatusEvent& event) override;

 private:
  std::ostream& out_;
};

}  // namespace tune::cli
