#include "trainer/tasks/detection/data_parts.h"

#include "trainer/loop/stop_signal.h"

namespace tune::trainer::detection {

OwnParts own_parts(const std::filesystem::path& data, const ReadOptions& options, const Json& split) {
  const Layout layout = layout_of(data, options);
  return image_sets::own_parts(layout.parts, layout.words, data, split);
}

Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options) {
  const loop::EndOnSignal reading;
  return read_dataset(data, options);
}

Dataset read_part(const std::filesystem::path& data, const ReadOptions& options,
                  const std::optional<PartChoice>& choice, int threads, std::ostream& notes,
                  const std::function<bool()>& interrupted, OrderedJson* description) {
  if (!choice) return read_to_the_end(data, options);
  std::vector<data::DataProblem> told_already;
  image_sets::PartReading<Dataset> reading;
  reading.own_parts = [&](const Json& split) { return own_parts(data, options, split); };
  reading.wanted = [&](const std::string& part) {
    ReadOptions own = options;
    own.part = part;
    return read_to_the_end(data, own);
  };
  reading.trained = [&](const std::string& part) {
    ReadOptions own = options;
    own.part = part;
    own.labels = Labels::kRequired;
    own.classes.clear();
    if (own.problems) own.problems = &told_already;
    return read_to_the_end(data, own);
  };
  return image_sets::read_part(data, reading, *choice, threads, notes, interrupted, description);
}

}  // namespace tune::trainer::detection
