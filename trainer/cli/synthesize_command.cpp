// `tune-train synthesize`: a synthetic data set of steel-surface defects, to try everything on without data
// of one's own.
#include <algorithm>
#include <filesystem>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/synthetic/steel_data_set.h"
#include "trainer/synthetic/steel_defects.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {
namespace {

// Of either task: no file of one is to lie among those of another.
bool holds_data_set(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "annotations")) return true;
  const std::vector<std::string>& classes = synthetic::steel_classes();
  return std::any_of(classes.begin(), classes.end(),
                     [&](const std::string& name) { return std::filesystem::exists(folder / name); });
}

}  // namespace

int run_synthesize(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "synthesize")
                           .add({"output", "FOLDER", "folder to write the data set into", true})
                           .add({"task", "TASK",
                                 "detection: images/ and annotations/ (PASCAL VOC); image_classification: a "
                                 "folder for each class",
                                 false, false, "detection"})
                           .add({"images", "N", "how many images, 1 to 1000000", false, false, "300"})
                           .add({"size", "PIXELS", "pixels on a side, 64 to 1024", false, false, "128"})
                           .add({"seed", "N", "the same seed writes the same images", false, false, "1"})
                           .json("")
                           .parse(arguments, console);
  if (!options) return 0;
  const std::string output = options->text("output");
  const int images = static_cast<int>(*options->integer("images", 1, 1'000'000)),
            size = static_cast<int>(*options->integer("size", 64, 1024));
  const auto seed = static_cast<std::uint64_t>(*options->integer("seed", 0));
  const std::string task = options->text("task");
  if (task != "detection" && task != "image_classification")
    throw Error(ExitCode::kUsage, "--task is \"" + task + "\"", "write detection or image_classification");
  if (holds_data_set(output))
    throw Error(ExitCode::kConflict, output + " holds a data set already",
                "name another folder, or remove this one");

  const auto write = task == "detection" ? synthetic::write_steel_data_set : synthetic::write_steel_classes;
  write(output, images, size, seed, [&](int done) {
    if (console.err_is_terminal) console.err << '\r' << done << " of " << images << " images" << std::flush;
  });
  if (console.err_is_terminal) console.err << '\n';
  console.out << "wrote " << images << " images of " << size << "x" << size << " pixels into " << output
              << "\n";
  return 0;
}

}  // namespace tune::trainer::cli
