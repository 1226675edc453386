// `tune-train synthesize`: a synthetic data set of steel-surface defects, to try everything on without data
// of one's own.
#include <filesystem>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/cli/options.h"
#include "trainer/synthetic/steel_defects.h"
#include "tuner/core/error.h"

namespace tune::trainer::cli {

namespace options = boost::program_options;

int run_synthesize(const std::vector<std::string>& arguments, Console& console) {
  std::string output;
  int images = 300, size = 128;
  std::uint64_t seed = 1;
  options::options_description described("synthesize --output DIR");
  described.add_options()("output", options::value(&output)->required(),
                          "folder to write images/ and annotations/ into")(
      "images", options::value(&images)->default_value(images), "how many images, 1 to 1000000")(
      "size", options::value(&size)->default_value(size), "pixels on a side, 64 to 1024")(
      "seed", options::value(&seed)->default_value(seed), "the same seed writes the same images");
  if (!parse_options("synthesize", described, arguments, console)) return 0;
  if (images < 1 || images > 1'000'000) throw Error(ExitCode::kUsage, "--images must be 1 to 1000000");
  if (size < 64 || size > 1024) throw Error(ExitCode::kUsage, "--size must be 64 to 1024 pixels");
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
