// `tune-train synthesize`: a synthetic data set of steel-surface defects, to try everything on without data
// of one's own.
#include <filesystem>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/synthetic/steel_data_set.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {

int run_synthesize(const Arguments& arguments, Console& console) {
  const auto options = Options(command_line(), "synthesize")
                           .add({"output", "FOLDER", "folder to write images/ and annotations/ into", true})
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
  if (std::filesystem::exists(std::filesystem::path(output) / "annotations"))
    throw Error(ExitCode::kConflict, output + " holds a data set already",
                "name another folder, or remove this one");

  synthetic::write_steel_data_set(output, images, size, seed, [&](int done) {
    if (console.err_is_terminal) console.err << '\r' << done << " of " << images << " images" << std::flush;
  });
  if (console.err_is_terminal) console.err << '\n';
  console.out << "wrote " << images << " images of " << size << "x" << size << " pixels into " << output
              << "\n";
  return 0;
}

}  // namespace tune::trainer::cli
