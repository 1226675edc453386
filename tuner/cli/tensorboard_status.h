#pragma once
// `tune --spec FILE --tensorboard DIR`: TensorBoard's files while a study runs.
#include <filesystem>
#include <memory>
#include <optional>

#include "tuner/engine/loop/status.h"
#include "tuner/export/tensorboard_log.h"

namespace tune::cli {

// Another display's events go to it, and into the folder. Owned by the command that runs the study, on the
// loop's thread. Where the folder cannot be written any more it says so once, and the study goes on without
// it. An empty folder gets what the store already holds of the study first.
class TensorBoardStatus final : public engine::Status {
 public:
  TensorBoardStatus(std::unique_ptr<engine::Status> display, const std::filesystem::path& folder,
                    const store::StudyStore& study, const SearchSpace& space, const Clock& clock);
  void on_event(const engine::StatusEvent& event) override;
  void on_tick(SteadyTime now) override { display_->on_tick(now); }

 private:
  void write(const engine::StatusEvent& event);

  const std::unique_ptr<engine::Status> display_;
  const Clock& clock_;
  std::optional<exporting::TensorBoardLog> log_;  // absent once it could not be written
};

}  // namespace tune::cli
