// What images become before a network sees them, and how that travels with weights.
#include "trainer/data/preprocessing.h"

#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::tests;
using data::Preprocessing;
using images::Interpolation;
using tune::ExitCode;
using tune::Json;

namespace {

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

Preprocessing cut_out(int resize, int size, Interpolation interpolation = Interpolation::kBilinear) {
  Preprocessing preprocessing;
  preprocessing.size = size;
  preprocessing.resize = resize;
  preprocessing.interpolation = interpolation;
  return preprocessing;
}

}  // namespace

TEST_CASE("a network sees what torchvision's Resize and CenterCrop make of an image, within one grey level") {
  const TestFolder folder;
  const Json cases = Json::parse(
      tune::read_file(TUNE_SOURCE_DIR "/tests/golden/image_classification/preprocessing_cases.json"));
  REQUIRE(cases.size() == 28);
  int worst = 0;
  for (const Json& json : cases) {
    images::Image image{json["width"], json["height"], json["channels"], {}};
    if (json.contains("jpeg")) {
      image = images::decode(folder.write("a.jpg", from_hex(json["jpeg"])));
    } else {
      const std::string pixels = from_hex(json["pixels"]);
      image.pixels.assign(pixels.begin(), pixels.end());
    }
    const auto interpolation =
        json["interpolation"] == "bicubic" ? Interpolation::kBicubic : Interpolation::kBilinear;
    const images::Image seen =
        data::input_pixels(image, cut_out(json["resize"], json["size"], interpolation));
    const std::string expected = from_hex(json["seen"]);
    REQUIRE(seen.pixels.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      worst = std::max(worst, std::abs(int{seen.pixels[i]} - int{static_cast<std::uint8_t>(expected[i])}));
  }
  CHECK(worst <= 1);
}

TEST_CASE("the longer side is rounded down, and the middle of an odd rest rounds to even") {
  CHECK(data::resized_by_shorter_side({300, 200}, 256).width == 384);
  CHECK(data::resized_by_shorter_side({301, 200}, 256).width == 385);   // 385.28
  CHECK(data::resized_by_shorter_side({200, 303}, 256).height == 387);  // 387.84
  CHECK(data::resized_by_shorter_side({200, 303}, 256).width == 256);
  const images::Part nine = data::centre_of({10, 9}, 9), seven = data::centre_of({10, 9}, 7);
  CHECK((nine.left == 0 && nine.top == 0));    // 0.5 rounds to 0
  CHECK((seven.left == 2 && seven.top == 1));  // 1.5 rounds to 2
  CHECK((seven.width == 7 && seven.height == 7));
}

TEST_CASE(
    "preprocessing is written and read back, and files from before it had a resize mean what they did") {
  const Preprocessing stretched{300, {.48, .45, .40}, {.25, .25, .25}};
  CHECK(to_json(stretched).dump() == R"({"size":[300,300],"mean":[0.48,0.45,0.4],"std":[0.25,0.25,0.25],)"
                                     R"("layout":"RGB, [0, 1], NCHW, stretched to the square"})");
  Preprocessing padded{800};
  padded.longest = 1333;
  for (const Preprocessing& each :
       {stretched, cut_out(256, 224), cut_out(232, 224, Interpolation::kBicubic), padded})
    CHECK(data::preprocessing_from_json(Json(to_json(each)), "p.json") == each);
  const Json old{{"size", {64, 64}}, {"mean", {.5, .5, .5}}, {"std", {.5, .5, .5}}};
  CHECK(data::preprocessing_from_json(old, "p.json").resize == 0);
}

TEST_CASE("preprocessing that this version cannot do is refused with its cause") {
  const auto refusal = [](const char* key, const Json& value) {
    Json json(to_json(cut_out(256, 224)));
    json[key] = value;
    return message_of(ExitCode::kBadData, [&] { data::preprocessing_from_json(json, "p.json"); });
  };
  CHECK(contains(refusal("layout", "BGR, [0, 255], NCHW"), "p.json: the weights take blue before red"));
  CHECK(contains(refusal("layout", "RGB, [0, 1], NCHW, stretched to the square"), "the layout is"));
  CHECK(contains(refusal("interpolation", "lanczos"), "the interpolation is \"lanczos\""));
  CHECK(contains(refusal("resize", 200), "a shorter side of 200 pixels is less than the 224"));
  CHECK(contains(refusal("size", {224, 192}), "the input is not square"));
  CHECK(contains(refusal("mean", {1, 2}), "no preprocessing"));
  CHECK(contains(refusal("longest", 300), "goes with a shorter one of no more, and without `resize`"));
}

TEST_CASE("what images become is said in words") {
  CHECK(form_of(cut_out(256, 224)) == "224x224 pixels, cut out of a shorter side of 256, bilinear");
  CHECK(form_of(Preprocessing{128}) == "128x128 pixels, stretched, bilinear");
  Preprocessing padded{800};
  padded.longest = 1333;
  CHECK(form_of(padded) == "a shorter side of 800 pixels, a longer one of at most 1333, bilinear");
}
