#include "tuner/engine/loop/study_record.h"

namespace tune::engine {

StudyRecord::StudyRecord(store::StudyStore& store, const Clock& clock, Journal& journal)
    : clock_(clock),
      journal_(journal),
      row_(store.study()),
      begin_(clock.steady_now()),
      elapsed_before_(row_.elapsed_seconds) {}

Milliseconds StudyRecord::elapsed() const {
  const auto now = std::chrono::duration_cast<Milliseconds>(clock_.steady_now() - begin_);
  return now + Milliseconds(static_cast<std::int64_t>(elapsed_before_ * 1000));
}

void StudyRecord::save(store::StudyState state, const std::string& reason, Durability durability,
                       const StatusEvent* event) {
  row_.state = state;
  row_.finish_reason = reason;
  row_.elapsed_seconds = static_cast<double>(elapsed().count()) / 1000;
  row_.updated = clock_.wall_now();
  const auto write = [&](Journal::Entry& entry) {
    entry.store().update_study(row_);
    if (event != nullptr) entry.event(*event);
  };
  journal_.commit(write, durability);
}

}  // namespace tune::engine
