#include "trainer/tasks/image_classification/data_parts.h"

#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/image_sets/data_keys.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {

void add_data_options(std::vector<loop::Option>& options) {
  image_sets::add_part_options(options, kImagesOption);
  options.push_back({"classes-from", "PLACE", kClassesFromOption});
}

DataChoice data_choice(const loop::Request& request) {
  DataChoice choice{request.text("data"), image_sets::part_choice(request),
                    image_sets::images_choice(request)};
  if (request.has("classes-from"))
    choice.classes_from = classes_from(request.text("classes-from"), "--classes-from", ExitCode::kUsage);
  return choice;
}

std::vector<OrderedJson> data_keys() {
  std::vector<OrderedJson> keys = image_sets::data_keys(kImagesOption);
  OrderedJson from = loop::trainer_key("classes_from", "choice", kClassesFromOption);
  from["values"] = {"folder", "file_name"};
  from["default"] = "folder";
  keys.push_back(from);
  return keys;
}

ClassesFrom classes_from(const std::string& text, const std::string& place, ExitCode code) {
  if (text.empty() || text == "folder") return ClassesFrom::kFolder;
  if (text == "file_name") return ClassesFrom::kFileName;
  throw Error(code, place + " is \"" + text + "\"", "write \"folder\" or \"file_name\"");
}

Dataset read_to_the_end(const std::filesystem::path& data, const ReadOptions& options) {
  const loop::EndOnSignal reading;
  return read_dataset(data, options);
}

Dataset read_chosen(const DataChoice& choice, const ReadOptions& options, std::ostream& notes,
                    const std::function<bool()>& interrupted, OrderedJson* description) {
  ReadOptions chosen = options;
  chosen.images = choice.images;
  chosen.classes_from = choice.classes_from;
  if (!choice.part) return read_to_the_end(choice.data, chosen);
  std::vector<data::DataProblem> told_already;
  image_sets::PartReading<Dataset> reading;
  reading.own_parts = [&](const Json& split) {
    std::string words;
    const std::vector<std::string> names = parts_of_set(choice.data, chosen, &words);
    return image_sets::own_parts(names, words, choice.data, split);
  };
  reading.wanted = [&](const std::string& part) {
    chosen.part = part;
    return read_to_the_end(choice.data, chosen);
  };
  reading.trained = [&](const std::string& part) {
    ReadOptions own = chosen;
    own.part = part;
    own.labels = Labels::kRequired;
    own.classes.clear();
    own.multi_label.reset();
    if (own.problems) own.problems = &told_already;
    return read_to_the_end(choice.data, own);
  };
  return image_sets::read_part(choice.data, reading, *choice.part, chosen.threads, notes, interrupted,
                               description);
}

}  // namespace tune::trainer::image_classification
