#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "support/catch.h"
#include "trainer/synthetic/steel_data_set.h"
#include "trainer/synthetic/steel_defects.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;

TEST_CASE("a synthetic image is a function of size, seed and index") {
  const synthetic::SteelImage first = synthetic::draw_steel_image(96, 5, 3),
                              again = synthetic::draw_steel_image(96, 5, 3);
  CHECK(first.grey == again.grey);
  CHECK(first.grey != synthetic::draw_steel_image(96, 6, 3).grey);
  CHECK(first.grey != synthetic::draw_steel_image(96, 5, 9).grey);
}

TEST_CASE("every synthetic object lies inside its image and differs from the steel around it") {
  for (int index = 0; index < 60; ++index) {
    const synthetic::SteelImage image = synthetic::draw_steel_image(128, 1, index);
    REQUIRE_FALSE(image.objects.empty());
    CHECK(image.objects.front().category == index % 6 + 1);
    for (const detection::GroundTruth& object : image.objects) {
      CHECK(object.x1 >= 0);
      CHECK(object.y1 >= 0);
      CHECK(object.x2 <= 128);
      CHECK(object.y2 <= 128);
      CHECK(object.x2 - object.x1 >= 2);
      CHECK(object.y2 - object.y1 >= 2);
    }
  }
}

TEST_CASE("an image of one class shows no other, where others do") {
  int strangers = 0;
  for (int index = 0; index < 120; ++index) {
    const auto others = [&](const synthetic::SteelImage& image) {
      return std::count_if(
          image.objects.begin(), image.objects.end(),
          [&](const detection::GroundTruth& object) { return object.category != index % 6 + 1; });
    };
    CHECK(others(synthetic::draw_steel_image_of_one_class(96, 3, index)) == 0);
    strangers += others(synthetic::draw_steel_image(96, 3, index)) > 0 ? 1 : 0;
  }
  CHECK(strangers > 10);
}

TEST_CASE("a written data set has one JPEG and one annotation an image") {
  std::string folder = (std::filesystem::temp_directory_path() / "tune-synthetic.XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  int reported = 0;
  synthetic::write_steel_data_set(folder, 13, 64, 2, [&](int done) { reported = done; });
  CHECK(reported == 13);
  CHECK(tune::read_file(folder + "/images/crazing_3.jpg").substr(0, 2) == "\xff\xd8");
  CHECK(tune::read_file(folder + "/annotations/crazing_3.xml").find("<name>crazing</name>") !=
        std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder + "/images/inclusion_3.jpg"));
  std::filesystem::remove_all(folder);
}
