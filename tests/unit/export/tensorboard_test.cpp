#include <fstream>
#include <protozero/pbf_reader.hpp>
#include <sstream>

#include "support/catch.h"
#include "tuner/export/tensorboard_log.h"
#include "unit/store/store_fixture.h"

namespace tune::exporting {
namespace {

namespace fs = std::filesystem;
using protozero::pbf_reader;

std::uint32_t unmasked(std::uint32_t masked) {
  const std::uint32_t rotated = masked - 0xa282ead8U;
  return (rotated >> 17U) | (rotated << 15U);
}

template <typename Number>
Number little_endian(const std::string& bytes, std::size_t at) {
  Number number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i)
    number |= static_cast<Number>(static_cast<unsigned char>(bytes.at(at + i))) << (8 * i);
  return number;
}

// The events of the only file of a folder, each CRC of which is checked.
std::vector<std::string> events_in(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file()) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  std::ostringstream content;
  content << std::ifstream(files[0], std::ios::binary).rdbuf();
  const std::string bytes = content.str();
  std::vector<std::string> events;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto length = static_cast<std::size_t>(little_endian<std::uint64_t>(bytes, at));
    CHECK(crc32c(bytes.substr(at, 8)) == unmasked(little_endian<std::uint32_t>(bytes, at + 8)));
    events.push_back(bytes.substr(at + 12, length));
    CHECK(crc32c(events.back()) == unmasked(little_endian<std::uint32_t>(bytes, at + 12 + length)));
    at += 16 + length;
  }
  return events;
}

struct Scalar {
  std::string tag;
  std::int64_t step = 0;
  double value = 0;
};

// Of those that are scalars; the tags of the others have the value -1.
std::vector<Scalar> scalars_in(const fs::path& folder) {
  std::vector<Scalar> scalars;
  for (const std::string& bytes : events_in(folder)) {
    Scalar scalar;
    scalar.value = -1;
    pbf_reader event(bytes);
    while (event.next()) {
      if (event.tag() == 2) {
        scalar.step = event.get_int64();
      } else if (event.tag() == 5) {
        pbf_reader summary = event.get_message();
        while (summary.next(1)) {
          pbf_reader value = summary.get_message();
          while (value.next()) {
            if (value.tag() == 1)
              scalar.tag = value.get_string();
            else if (value.tag() == 2)
              scalar.value = static_cast<double>(value.get_float());
            else
              value.skip();
          }
        }
      } else {
        event.skip();
      }
    }
    if (!scalar.tag.empty()) scalars.push_back(scalar);
  }
  return scalars;
}

SearchSpace small_space() {
  return SearchSpace({{"learning_rate", ParameterType::kFloat, 0, 1, Scale::kLinear, {}, {}, {}, {}}});
}

TEST_CASE("the CRC-32C is that of RFC 3720", "[tensorboard]") {
  CHECK(crc32c("123456789") == 0xe3069283U);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43U);
}

TEST_CASE("a study becomes a run for each trial, with its metrics, its result and its hyperparameters",
          "[tensorboard]") {
  const store::TemporaryFolder folder;
  store::StudyStore study(":memory:", store::OpenMode::kCreate);
  study.create_study(store::study_row());
  study.insert_trial(store::trial_row(1));
  study.insert_attempt(store::attempt_row(1, 1));
  study.insert_metrics({store::metric_row(1, "validation:mAP", 1, 0.25),
                        store::metric_row(1, "validation:mAP", 2, 0.5),
                        store::metric_row(1, "seconds:validation", 1, 3)});
  study.update_trial(store::completed(store::trial_row(1), 0.5));
  study.insert_trial(store::trial_row(2));
  export_tensorboard(folder / "runs", study, small_space());
  const std::vector<Scalar> common = scalars_in(folder / "runs");
  REQUIRE(common.size() == 1);
  CHECK(common[0].tag == "_hparams_/experiment");
  const std::vector<Scalar> trial = scalars_in(folder / "runs/trial-00001");
  REQUIRE(trial.size() == 5);
  CHECK(trial[0].tag == "_hparams_/session_start_info");
  CHECK(trial[1].tag == "validation:mAP");
  CHECK(trial[2].step == 2);
  CHECK(trial[2].value == 0.5);
  CHECK(trial[3].tag == "result/validation:mAP");
  CHECK(trial[4].tag == "_hparams_/session_end_info");
  CHECK_FALSE(fs::exists(folder / "runs/trial-00002"));  // it has not begun
  CHECK(store::code_of([&] { export_tensorboard(folder / "runs", study, small_space()); }) ==
        ExitCode::kConflict);
}

// The hyperparameters that an experiment's event calls different between trials.
std::vector<std::string> differing_in(const std::string& bytes) {
  const auto inside = [](pbf_reader message, std::initializer_list<protozero::pbf_tag_type> path) {
    for (const protozero::pbf_tag_type tag : path) {
      REQUIRE(message.next(tag));
      message = message.get_message();
    }
    return message;
  };
  pbf_reader experiment = inside(pbf_reader(bytes), {5, 1, 9, 1});  // the summary's plug-in
  REQUIRE(experiment.next(2));
  experiment = inside(pbf_reader(experiment.get_view()), {2});
  std::vector<std::string> names;
  while (experiment.next(4)) {
    pbf_reader one = experiment.get_message();
    std::string name;
    bool differs = false;
    while (one.next()) {
      if (one.tag() == 1)
        name = one.get_string();
      else if (one.tag() == 7)
        differs = one.get_bool();
      else
        one.skip();
    }
    if (differs) names.push_back(name);
  }
  return names;
}

TEST_CASE("hyperparameters that have more than one value differ between trials, so they are listed first",
          "[tensorboard]") {
  const store::TemporaryFolder folder;
  const auto choice = [](const std::string& name, std::vector<Json> values) {
    return Parameter{name, ParameterType::kCategorical, 0, 0, Scale::kLinear, {}, std::move(values), {}, {}};
  };
  const SearchSpace space({{"rate", ParameterType::kFloat, 0, 1, Scale::kLinear, {}, {}, {}, {}},
                           {"layers", ParameterType::kInt, 3, 3, Scale::kLinear, {}, {}, {}, {}},
                           choice("optimizer", {Json("a"), Json("b")}),
                           choice("loss", {Json("mse")})});
  TensorBoardFile(folder / "run", "tune", store::at(0)).add_experiment(space, {"result/loss"}, store::at(0));
  CHECK(differing_in(events_in(folder / "run").at(1)) == std::vector<std::string>{"rate", "optimizer"});
}

TEST_CASE("an event file begins with its version", "[tensorboard]") {
  const store::TemporaryFolder folder;
  TensorBoardFile file(folder / "run", "tune", store::at(0));
  file.add_scalar("loss", {3, 0.5}, store::at(1000));
  CHECK(fs::exists(folder / "run/events.out.tfevents.1700000000.tune"));
  const std::vector<std::string> events = events_in(folder / "run");
  REQUIRE(events.size() == 2);
  CHECK(events[0].find("brain.Event:2") != std::string::npos);
}

TEST_CASE("a folder that cannot be made is said", "[tensorboard]") {
  const store::TemporaryFolder folder;
  std::ofstream(folder / "file") << "mine";
  CHECK(store::code_of([&] { TensorBoardFile(folder / "file/run", "tune", store::at(0)); }) ==
        ExitCode::kEnvironment);
}

}  // namespace
}  // namespace tune::exporting
