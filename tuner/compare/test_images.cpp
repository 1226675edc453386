#include "tuner/compare/test_images.h"

#include <algorithm>
#include <map>

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/devices/device_wait.h"
#include "tuner/engine/study/study_opening.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/file_system.h"
#include "tuner/os/run_program.h"
#include "tuner/os/sha256.h"

namespace tune::compare {
namespace {

namespace fs = std::filesystem;

// A large model over a large test set on a slow machine takes hours; more means that it hangs.
constexpr std::chrono::hours kLongestUse{24};
// Test images that a report shows with everybody's boxes.
constexpr int kExamples = 8;

Error interrupted() { return Error(ExitCode::kInterrupted, "interrupted"); }

// What tune-train printed. Under --json it says what went wrong as JSON on stderr; its other lines there are
// for people.
std::string run_trainer(Program program, const char* what,
                        const std::function<void(const std::string&)>& notice) {
  Json failure;
  program.on_line = [&](const std::string& line) {
    Json json = line.starts_with('{') ? Json::parse(line, nullptr, false) : Json();
    if (json.is_object() && json.contains("error"))
      failure = std::move(json["error"]);
    else
      notice(line);
  };
  program.time_limit = kLongestUse;
  const ProgramOutput output = run_program(program);
  if (program.signals() > 0) throw interrupted();
  if (output.exit_code == 0) return output.out;
  const bool bad_data = output.exit_code == static_cast<int>(ExitCode::kBadData);
  const std::string message = failure.is_object() ? failure.value("message", "") : "",
                    hint = failure.is_object() ? failure.value("hint", "") : "";
  throw Error(bad_data ? ExitCode::kBadData : ExitCode::kEnvironment,
              std::string("tune-train ") + what +
                  " failed: " + (message.empty() ? "exit code " + std::to_string(output.exit_code) : message),
              hint + (hint.empty() ? "" : "; ") + "the same command goes on once the cause is gone");
}

Json parsed_answer(const std::string& text, const char* what, const char* key) {
  Json answer = Json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains(key))
    throw Error(ExitCode::kEnvironment,
                std::string("tune-train ") + what + " did not answer with \"" + key + "\"",
                "tune and tune-train must be of the same version");
  return answer;
}

// Pairs of a test image and a training image that show the same surface, or are equal.
std::vector<std::pair<std::string, std::string>> leaking_pairs(const Json& audit) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto look = [&](const Json& a, const Json& b) {
    if (a.at("set") != b.at("set")) pairs.emplace_back(a.at("image"), b.at("image"));
  };
  for (const char* kind : {"overlaps", "nearly_equal"})
    for (const Json& overlap : audit.value(kind, Json::array()))
      look(overlap.at("first"), overlap.at("second"));
  for (const char* kind : {"byte_equal", "pixel_equal"})
    for (const Json& equal : audit.value(kind, Json::array()))
      for (const Json& image : equal.at("images")) look(equal.at("images").front(), image);
  return pairs;
}

bool is_image(const fs::path& file) {
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  // All that tune-train reads.
  for (const char* known : {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
    if (extension == known) return true;
  return false;
}

// The SHA-256 over names and contents of the wanted files in a folder and those below; "" without any. Hidden
// files are left out, since desktops write them at will, and so is a store that lies there, since it grows
// all the time.
std::string fingerprint_of_files(
    const fs::path& folder,
    const std::function<bool(const fs::path&)>& wanted = [](const fs::path&) { return true; }) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const bool is_store = fs::exists(registry_file(models_folder(at->path())), ignored) ||
                          fs::exists(at->path() / kComparisonsFolder, ignored);
    if (is_store)
      at.disable_recursion_pending();
    else if (at->is_regular_file(error) && !at->path().filename().string().starts_with('.') &&
             wanted(at->path()))
      names.push_back(at->path().lexically_relative(folder).generic_string());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(ExitCode::kEnvironment, folder.string() + ": " + error.message());
  std::sort(names.begin(), names.end());
  Sha256 hash;
  for (const std::string& name : names) hash.add(name + "\n" + sha256_of_file(folder / name) + "\n");
  return names.empty() ? std::string() : hash.hex();
}

// Whether the audited test data is of COCO's files, as its reader said.
bool is_coco(const fs::path& audit) {
  const Json sets = Json::parse(read_file(audit)).value("sets", Json::array());
  return !sets.empty() && sets[0].value("form", "").starts_with("COCO");
}

// A test set of its own must show other surfaces than the images of `trainer`'s `key`.
void refuse_leaks(const Comparison& comparison, const Json& audit, const std::string& key) {
  const auto pairs = leaking_pairs(audit);
  if (pairs.empty()) return;
  std::vector<Problem> problems{{0, 0, "/trainer/test",
                                 "the test images are not unseen: " + std::to_string(pairs.size()) +
                                     (pairs.size() == 1 ? " pair overlaps" : " pairs overlap") +
                                     " with images of trainer." + key + ", " + pairs.front().first +
                                     " with " + pairs.front().second + " for one",
                                 "`tune-train audit --data TEST --against OTHER --output FOLDER` shows each "
                                 "pair; leave one of each out, "
                                 "or let \"split\" cut a third part with \"grouping\": \"content\""}};
  locate_problems(comparison.text, problems);
  throw SpecError(comparison.file, std::move(problems));
}

// A class that no training image shows can never be found, and nobody wants to learn that after the training.
void refuse_unknown_classes(const Comparison& comparison, const Json& audit,
                            const std::function<void(const std::string&)>& notice) {
  if (audit.value("sets", Json::array()).size() != 2) return;
  std::map<std::string, std::int64_t> seen, trained;
  const auto count = [](const Json& set, std::map<std::string, std::int64_t>& classes) {
    for (const Json& each : set.at("classes")) {
      // Of objects within images, or of whole images.
      const auto shown = each.value("objects", each.value("images", std::int64_t{0}));
      if (shown > 0) classes[each.at("name")] = shown;
    }
  };
  count(audit["sets"][0], seen);
  count(audit["sets"][1], trained);
  std::string unknown, unseen;
  for (const auto& [name, objects] : seen)
    if (!trained.contains(name)) unknown += (unknown.empty() ? "" : ", ") + ("\"" + name + "\"");
  for (const auto& [name, objects] : trained)
    if (!seen.contains(name)) unseen += (unseen.empty() ? "" : ", ") + ("\"" + name + "\"");
  if (!unseen.empty()) notice("warning: no test image shows " + unseen + ": the scores leave that out");
  if (unknown.empty()) return;
  std::vector<Problem> problems{{0, 0, "/trainer/test",
                                 "test images show " + unknown + ", which no training image does",
                                 "name the classes alike in both, or leave these out"}};
  locate_problems(comparison.text, problems);
  throw SpecError(comparison.file, std::move(problems));
}

// What the readers of the data sets had to say of them, each once; `names` are theirs in the comparison's
// file.
void add_warnings(const Json& audit, const std::vector<std::string>& names, std::vector<std::string>& all) {
  const Json sets = audit.value("sets", Json::array());
  for (std::size_t i = 0; i < std::min(sets.size(), names.size()); ++i)
    for (const Json& warning : sets[i].value("warnings", Json::array())) {
      std::string text =
          names[i] + ": " + (warning.is_string() ? warning.get<std::string>() : warning.dump());
      if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
    }
}

}  // namespace

TestImages::TestImages(const Comparison& comparison, const engine::BuiltinTrainer& trainer,
                       std::function<int()> signals, std::function<void(const std::string&)> notice)
    : comparison_(comparison), trainer_(trainer), signals_(std::move(signals)), notice_(std::move(notice)) {}

// How the data is to be read, as the trainer's keys say.
void TestImages::add_reading(const std::string& data, std::vector<std::string>& arguments) const {
  const Json& trainer = comparison_.document.at("trainer");
  if (trainer.contains("classes_from")) {
    arguments.emplace_back("--classes-from");
    arguments.push_back(trainer.at("classes_from").get<std::string>());
  }
  add_images_folder(data, arguments);
}

// Images of annotations that do not lie beside them: those of the training data, and of another COCO file.
void TestImages::add_images_folder(const std::string& data, std::vector<std::string>& arguments) const {
  const Json& trainer = comparison_.document.at("trainer");
  if (!trainer.contains("images") || (trainer.at("data") != data && fs::is_directory(data_path(data))))
    return;
  arguments.emplace_back("--images");
  arguments.push_back(data_path(trainer.at("images").get<std::string>()));
}

std::string TestImages::data_path(const std::string& data) const {
  return (comparison_.folder / data).lexically_normal().string();
}

std::vector<std::string> TestImages::test_arguments() const {
  std::vector<std::string> arguments;
  if (comparison_.test.split) arguments = {"--split", comparison_.test.split->dump(), "--part", "test"};
  add_reading(comparison_.test.data, arguments);
  return arguments;
}

std::string TestImages::fingerprint(const std::string& data) const {
  const fs::path path = data_path(data), folder = fs::is_directory(path) ? path : path.parent_path();
  // The folder of a COCO file may hold anything; that of a data.yaml or a list holds the labels.
  const bool whole = folder == path || path.extension() != ".json";
  const std::string found = fingerprint_of_files(
      folder, [&](const fs::path& file) { return whole || file == path || is_image(file); });
  if (found.empty())
    throw Error(ExitCode::kEnvironment, "there are no " + comparison_.task.unit + " in " + folder.string(),
                "restore them");
  std::vector<std::string> elsewhere;
  add_images_folder(data, elsewhere);
  return elsewhere.empty() ? found : found + "+" + fingerprint_of_files(elsewhere.back(), is_image);
}

std::map<std::string, std::string> TestImages::fingerprints() const {
  std::map<std::string, std::string> all;
  all[comparison_.test.data] = fingerprint(comparison_.test.data);
  for (std::size_t i = 0; i < comparison_.approaches.size(); ++i)
    for (const std::string& data : training_data(comparison_, i))
      if (!all.contains(data)) all[data] = fingerprint(data);
  return all;
}

store::ComparisonAudit TestImages::audit(const fs::path& file) const {
  if (!comparison_.task.has_audit) {
    const std::string none =
        "the task \"" + comparison_.task.name + "\" has no audit, so leaks are not looked for";
    notice_(none);
    return {0, 0, {}, none};
  }
  notice_("the test " + comparison_.task.unit + " are searched for overlapping crops");
  const Json& trainer = comparison_.document.at("trainer");
  const std::string data = trainer.at("data");
  const Json audit = audit_against(comparison_.test.split ? "" : "data");
  refuse_unknown_classes(comparison_, audit, notice_);
  std::vector<std::string> warnings;
  add_warnings(audit, {comparison_.test.data, data}, warnings);
  Json cut = audit;
  // What chooses the models has been seen as much as what trains them.
  if (!comparison_.test.split && trainer.contains("validation"))
    add_warnings(audit_against("validation"), {comparison_.test.data, trainer["validation"]}, warnings);
  const Json split =
      study_spec_document(comparison_, 0, StudyRole::kDefaults, 1).at("trainer").value("split", Json());
  if (!comparison_.test.split && split.is_object() && split.value("grouping", "") == "content") {
    cut = audit_split(split);
    add_warnings(cut, {data}, warnings);
  }
  for (const std::string& warning : warnings) notice_("warning: " + warning);
  const int crossing = cut.value("split", Json::object()).value("crossing_overlaps", 0);
  if (crossing > 0)
    notice_("warning: " + std::to_string(crossing) +
            (crossing == 1 ? " overlap of two images crosses" : " overlaps of two images cross") +
            " from one part of the split to another: scores may be a little too good");
  write_file_atomically(file, audit.dump());
  const Json sets = audit.value("sets", Json::array());
  return {sets.empty() ? 0 : sets[0].value("images", std::int64_t{0}), crossing, warnings, {}};
}

Json TestImages::audit_against(const std::string& key) const {
  std::vector<std::string> arguments{"--data", data_path(comparison_.test.data)};
  for (const std::string& argument : test_arguments()) arguments.push_back(argument);
  if (!key.empty()) {
    arguments.emplace_back("--against");
    arguments.push_back(data_path(comparison_.document.at("trainer").at(key).get<std::string>()));
  }
  Json audit = run_audit(std::move(arguments));
  refuse_leaks(comparison_, audit, key);
  return audit;
}

// Which overlaps the cut of the training data goes through. Its pairs are compared once, however many ask.
Json TestImages::audit_split(const Json& split) const {
  const std::string data = comparison_.document.at("trainer").at("data");
  std::vector<std::string> arguments{"--data",     data_path(data), "--split",
                                     split.dump(), "--part",        "validation"};
  add_reading(data, arguments);
  return run_audit(std::move(arguments));
}

Json TestImages::run_audit(std::vector<std::string> arguments) const {
  Program program{{trainer_.program.string(), "audit", "--task", comparison_.task.name, "--json"},
                  comparison_.folder};
  for (std::string& argument : arguments) program.argv.push_back(std::move(argument));
  program.signals = signals_;
  return parsed_answer(run_trainer(program, "audit", notice_), "audit", "groups");
}

TestImages::Predicted TestImages::predict(const fs::path& folder, const fs::path& output) const {
  engine::DevicePool pool(1, comparison_.resources);
  const std::optional<engine::DeviceShare> share =
      engine::wait_for_share(pool, {signals_, notice_, "the models are scored"});
  if (!share) throw interrupted();
  const SteadyTime begin = std::chrono::steady_clock::now();
  Program program{{trainer_.program.string(), "predict", "--model", folder.string(), "--data",
                   data_path(comparison_.test.data), "--output", output.string(), "--threads",
                   std::to_string(share->threads), "--json"},
                  comparison_.folder};
  for (const std::string& argument : test_arguments()) program.argv.push_back(argument);
  program.environment = engine::device_environment(*share);
  for (const engine::Lease& lease : share->leases) program.inherited.push_back(lease.descriptor());
  program.signals = signals_;
  const std::string answer = run_trainer(program, "predict", notice_);
  const std::chrono::duration<double> lasted = std::chrono::steady_clock::now() - begin;
  return {lasted.count(), parsed_answer(answer, "predict", "parameters")};
}

void TestImages::copy_examples(const Json& answer, const fs::path& images) const {
  make_private_folder(images);
  for (const Json& example : answer.at("examples")) {
    const Json& id = example.at("image_id");
    const fs::path source = comparison_.folder / example.at("path").get<std::string>();
    std::error_code error;
    if (id.is_number_integer())
      fs::copy_file(source, images / (id.dump() + source.extension().string()),
                    fs::copy_options::overwrite_existing, error);
    if (error || !id.is_number_integer())
      throw Error(ExitCode::kEnvironment,
                  "the test image " + source.string() + " cannot be copied to " + images.string() +
                      (error ? ": " + error.message() : ": its id is " + id.dump()),
                  "the same command goes on once the cause is gone");
  }
}

Json TestImages::score(const std::vector<fs::path>& detections, const fs::path& groups, const fs::path& model,
                       const fs::path& images) const {
  notice_("the predictions of " + std::to_string(detections.size()) + " models are scored");
  Program program{
      {trainer_.program.string(), "score", "--task", comparison_.task.name, "--ground-truth",
       data_path(comparison_.test.data), "--resamples", std::to_string(comparison_.resamples), "--seed",
       std::to_string(comparison_.seed), "--examples", std::to_string(kExamples), "--json"},
      comparison_.folder};
  if (comparison_.task.has_audit) {
    program.argv.emplace_back("--groups");
    program.argv.push_back(groups.string());
  }
  for (const std::string& argument : test_arguments()) program.argv.push_back(argument);
  for (const fs::path& file : detections) {
    program.argv.push_back("--" + comparison_.task.files);
    program.argv.push_back(file.string());
  }
  // COCO's files have ids of their own; elsewhere a class that no test image shows would shift the others.
  const fs::path labels = model / "labels.json";
  if (fs::exists(labels) && !(comparison_.task.has_audit && is_coco(groups))) {
    program.argv.emplace_back("--labels");
    program.argv.push_back(labels.string());
  }
  program.signals = signals_;
  Json answer = parsed_answer(run_trainer(program, "score", notice_), "score", "results");
  const std::string& number = comparison_.task.number;
  const bool is_detection = number == ComparedTask().number;
  const auto& results = answer["results"];
  const bool is_whole = results.size() == detections.size() &&
                        std::all_of(results.begin(), results.end(), [&](const Json& result) {
                          return result.is_object() && (is_detection || result.contains(number));
                        });
  if (!is_whole || (is_detection && (!answer.contains("resamples") || !answer.contains("examples"))))
    throw Error(ExitCode::kEnvironment, "tune-train score did not answer for every model",
                "tune and tune-train must be of the same version");
  for (const Json& warning : answer.value("warnings", Json::array()))
    notice_("warning: " + (warning.is_string() ? warning.get<std::string>() : warning.dump()));
  if (answer.contains("examples")) copy_examples(answer, images);
  return answer;
}

std::string fingerprint_of_folder(const fs::path& folder) {
  const std::string fingerprint = fingerprint_of_files(folder);
  if (fingerprint.empty())
    throw Error(
        ExitCode::kEnvironment, "there is no model in " + folder.string(),
        "it was removed, or its trainer wrote none: remove its study from the store to train it again");
  return fingerprint;
}

}  // namespace tune::compare
