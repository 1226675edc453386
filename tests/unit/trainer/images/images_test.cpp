#include <cmath>

#include "trainer/images/decode_smaller.h"
#include "trainer/images/encode.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::images;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;

namespace {

std::vector<std::uint8_t> gradient(int width, int height) {
  std::vector<std::uint8_t> grey;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) grey.push_back(static_cast<std::uint8_t>(2 * x + y));
  return grey;
}

}  // namespace

TEST_CASE("resizing gives the bytes that Pillow's antialiased bilinear gives") {
  const Json cases =
      Json::parse(tune::read_file(TUNE_SOURCE_DIR "/tests/golden/detection/resize_cases.json"));
  REQUIRE(cases.size() == 7);
  for (const Json& json : cases) {
    const Image image{json["old"][0], json["old"][1], json["channels"], json["pixels"]};
    const Image resized = resize(image, {json["new"][0], json["new"][1]});
    INFO(json["old"] << " to " << json["new"]);
    CHECK(resized.pixels == json["resized"].get<std::vector<std::uint8_t>>());
  }
}

TEST_CASE("a part of a resized image has the bytes of that part of the whole") {
  for (const int channels : {1, 3}) {
    Image image{37, 23, channels, {}};
    for (int i = 0; i < 37 * 23 * channels; ++i)
      image.pixels.push_back(static_cast<std::uint8_t>(i * 73 % 251));
    for (const Interpolation how : {Interpolation::kBilinear, Interpolation::kBicubic})
      for (const Size size : {Size{16, 12}, Size{50, 41}, Size{37, 12}, Size{16, 23}}) {
        const Image whole = resize(image, size, how);
        for (const Part part :
             {Part{0, 0, 5, 7}, Part{size.width - 5, size.height - 7, 5, 7}, Part{4, 3, 8, 6}}) {
          const Image seen = resize_part(image, size, part, how);
          bool same = true;
          for (int y = 0; y < part.height; ++y)
            same = same && std::equal(seen.row(y), seen.row(y) + seen.row_bytes(),
                                      whole.row(part.top + y) + part.left * channels);
          CHECK(same);
        }
      }
  }
}

TEST_CASE("a PNG comes back as it was written, and its header tells its size") {
  const TestFolder folder;
  const auto file = folder.write_image("a.png", 37, 21);
  const Image image = decode(file);
  CHECK(image.width == 37);
  CHECK(image.height == 21);
  REQUIRE(image.channels == 3);
  CHECK(image.row(20)[3 * 36] == 36 * 3);
  CHECK(image.row(20)[3 * 36 + 1] == 100);
  const Size size = read_size(file);
  CHECK(size.width == 37);
  CHECK(size.height == 21);
}

TEST_CASE("a grey JPEG decodes close to what was written and narrows to one channel") {
  const TestFolder folder;
  const auto file = folder.path() / "a.jpg";
  const std::vector<std::uint8_t> grey = gradient(64, 48);
  write_grey_as_jpeg(file, grey, 64, 48);
  const Image image = decode(file);
  REQUIRE(image.channels == 3);
  const Image narrow = narrow_if_grey(image);
  REQUIRE(narrow.channels == 1);
  REQUIRE(narrow.pixels.size() == grey.size());
  for (std::size_t i = 0; i < grey.size(); ++i) REQUIRE(std::abs(int{narrow.pixels[i]} - int{grey[i]}) <= 4);
  CHECK(read_size(file).width == 64);
}

TEST_CASE("a large JPEG may be decoded at a fraction of its size, and never below what is asked for") {
  const TestFolder folder;
  const auto file = folder.path() / "a.jpg";
  std::vector<std::uint8_t> waves;
  for (int y = 0; y < 304; ++y)
    for (int x = 0; x < 400; ++x)
      waves.push_back(static_cast<std::uint8_t>(128 + 60 * std::sin(x * .03) + 60 * std::cos(y * .04)));
  write_grey_as_jpeg(file, waves, 400, 304, 95);
  const Image whole = decode(file);
  for (const auto& [shorter, width] :
       {std::pair{200, 400}, {153, 400}, {152, 200}, {77, 200}, {76, 100}, {30, 50}}) {
    CAPTURE(shorter);
    const Image smaller = decode_smaller(file, shorter);
    CHECK(smaller.width == width);
    CHECK(smaller.height >= shorter);
    const Image expected = resize(whole, {smaller.width, smaller.height});
    double sum = 0;
    for (std::size_t i = 0; i < expected.pixels.size(); ++i)
      sum += std::abs(int{smaller.pixels[i]} - int{expected.pixels[i]});
    CHECK(sum / static_cast<double>(expected.pixels.size()) < 2);
  }
  const auto png = folder.write_image("a.png", 64, 48);
  CHECK(decode_smaller(png, 4).pixels == decode(png).pixels);
}

TEST_CASE("an image with one coloured pixel keeps its three channels") {
  Image image{2, 2, 3, std::vector<std::uint8_t>(12, 7)};
  CHECK(narrow_if_grey(image).channels == 1);
  image.pixels[10] = 8;
  CHECK(narrow_if_grey(image).channels == 3);
}

TEST_CASE("half a JPEG or PNG is refused with its name, wherever it was cut") {
  const TestFolder folder;
  write_grey_as_jpeg(folder.path() / "whole.jpg", gradient(64, 48), 64, 48);
  folder.write_image("whole.png", 64, 48);
  for (const char* extension : {".jpg", ".png"}) {
    const std::string whole = tune::read_file(folder.path() / (std::string("whole") + extension));
    for (const double share : {0.2, 0.5, 0.8, 0.97}) {
      const auto length = static_cast<std::size_t>(share * static_cast<double>(whole.size()));
      const auto file = folder.write(std::string("half") + extension, whole.substr(0, length));
      const std::string message = message_of(ExitCode::kBadData, [&] { decode(file); });
      INFO(extension << " " << share << ": " << message);
      CHECK(contains(message, file.string()));
      CHECK(contains(message, "damaged"));
    }
  }
}

TEST_CASE("missing, empty and foreign files are refused with their cause") {
  const TestFolder folder;
  const auto refusal = [&](const std::filesystem::path& file) {
    const std::string size = message_of(ExitCode::kBadData, [&] { read_size(file); });
    CHECK(size == message_of(ExitCode::kBadData, [&] { decode(file); }));
    return size;
  };
  CHECK(contains(refusal(folder.path() / "none.jpg"), "does not exist"));
  CHECK(contains(refusal(folder.path()), "is not a regular file"));
  CHECK(contains(refusal(folder.write("empty.jpg", "")), "is empty"));
  CHECK(contains(refusal(folder.write("text.jpg", "text")), "is neither JPEG, PNG, BMP, TIFF nor WebP"));
}

TEST_CASE("a PNG that announces more pixels than memory holds is refused before they are allocated") {
  const TestFolder folder;
  std::string file = tune::read_file(folder.write_image("a.png", 8, 8));
  // Width and height of IHDR become 2^20 each; the checksum of the chunk is corrected (CRC-32 of these
  // bytes).
  file.replace(16, 8, std::string("\x00\x10\x00\x00\x00\x10\x00\x00", 8));
  std::uint32_t crc = 0xffffffff;
  for (const char c : file.substr(12, 17)) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  for (std::size_t i = 0; i < 4; ++i) file[29 + i] = static_cast<char>(~crc >> (24 - 8 * i) & 0xff);
  const auto bomb = folder.write("bomb.png", file);
  CHECK_FALSE(message_of(ExitCode::kBadData, [&] { decode(bomb); }).empty());
  CHECK_FALSE(message_of(ExitCode::kBadData, [&] { read_size(bomb); }).empty());
}
