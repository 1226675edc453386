// Formats beside JPEG and PNG, told by their content, and EXIF's orientation in all of them.
#include <sys/stat.h>

#include "trainer/images/encode.h"
#include "trainer/images/exif.h"
#include "unit/trainer/images/picture_files.h"
#include "unit/trainer/images/png_file.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::images;
using namespace tune::trainer::tests;
using tune::ExitCode;

TEST_CASE("BMP, TIFF and WebP give their pixels whatever their names say") {
  const TestFolder folder;
  const std::vector<std::tuple<std::string, FileFormat, const char*>> files{
      {six_pixels_bmp(), FileFormat::kBmp, "BMP"},
      {six_pixels_tiff(), FileFormat::kTiff, "TIFF"},
      {six_pixels_webp(), FileFormat::kWebp, "WebP"}};
  for (const auto& [bytes, format, name] : files) {
    CAPTURE(name);
    const auto file = folder.write("a.jpg", bytes);
    const Header header = read_header(file);
    CHECK(header.format == format);
    CHECK(std::string(format_name(header.format)) == name);
    CHECK(header.size.width == 3);
    CHECK(header.size.height == 2);
    const Image image = decode(file);
    CHECK(image.width == 3);
    CHECK(image.channels == 3);
    CHECK(image.pixels == kSixPixels);
  }
}

TEST_CASE("half a BMP, TIFF or WebP is refused with its name") {
  const TestFolder folder;
  for (const std::string& whole : {six_pixels_bmp(), six_pixels_tiff(), six_pixels_webp(6)}) {
    for (const double share : {0.4, 0.6, 0.9}) {
      const auto file = folder.write(
          "half.dat", whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      CAPTURE(whole.substr(0, 4), share);
      CHECK(contains(message_of(ExitCode::kBadData, [&] { decode(file); }),
                     "half.dat is a truncated or damaged"));
    }
  }
}

TEST_CASE("several pictures in one file and formats that are not read are refused by name, with a cure") {
  const TestFolder folder;
  const auto refusal = [&](const std::string& bytes) {
    const auto file = folder.write("a.png", bytes);
    CHECK(is_picture(file));
    return message_of(ExitCode::kBadData, [&] { decode(file); });
  };
  CHECK(contains(refusal(six_pixels_tiff(1, 2)), "holds several pictures"));
  folder.write_image("plain.png", 8, 8);
  std::string frames = tune::read_file(folder.path() / "plain.png");
  frames.insert(frames.find("IDAT") - 4, png_chunk("acTL", big_endian(2) + big_endian(0)));
  CHECK(contains(refusal(frames), "is an animated PNG"));
  CHECK(contains(refusal("GIF89a and so on"), "is a GIF, which is not read"));
  CHECK(contains(refusal(std::string("\0\0\0\x18"
                                     "ftypheic",
                                     12)),
                 "is a HEIC, which is not read"));
  CHECK(contains(refusal("text"), "is neither JPEG, PNG, BMP, TIFF nor WebP"));
}

TEST_CASE("what is a picture is told by name or content, and a FIFO is not opened for it") {
  const TestFolder folder;
  CHECK(is_picture(folder.path() / "absent.JFIF"));
  CHECK(is_picture(folder.write("no-ending", six_pixels_webp())));
  CHECK(is_picture(folder.write("anim", "GIF89a")));
  CHECK_FALSE(is_picture(folder.write("Thumbs.db", "\xd0\xcf\x11\xe0")));
  CHECK_FALSE(is_picture(folder.write("bm.txt", "BM is the beginning of many a text, as of this one")));
  const auto fifo = folder.path() / "pipe";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(is_picture(fifo));
}

TEST_CASE("an image is turned upright as Pillow's exif_transpose turns it") {
  const std::vector<std::vector<std::uint8_t>> expected{
      {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const Image image = upright(Image{3, 2, 1, {1, 2, 3, 4, 5, 6}}, orientation);
    CHECK(image.width == (orientation < 5 ? 3 : 2));
    CHECK(image.height == (orientation < 5 ? 2 : 3));
    CHECK(image.pixels == expected[static_cast<std::size_t>(orientation) - 1]);
  }
}

TEST_CASE("EXIF's orientation is applied in every format that carries it, to size and pixels alike") {
  const TestFolder folder;
  const auto plain = folder.write_image("plain.png", 12, 8);
  std::string png = tune::read_file(plain);
  png.insert(33, png_chunk("eXIf", exif_block(6)));  // behind the signature and IHDR
  write_jpeg(folder.path() / "plain.jpg", decode(plain), 95);
  const Image expected = upright(decode(plain), 6);
  for (const auto& [name, bytes] :
       {std::pair{"a.png", png}, {"a.jpg", with_exif(tune::read_file(folder.path() / "plain.jpg"), 6)}}) {
    CAPTURE(name);
    const auto file = folder.write(name, bytes);
    const Header header = read_header(file);
    CHECK(header.orientation == 6);
    CHECK(header.stored.width == 12);
    CHECK(header.size.width == 8);
    const Image image = decode(file);
    REQUIRE(image.width == expected.width);
    REQUIRE(image.height == expected.height);
    for (std::size_t i = 0; i < image.pixels.size(); ++i)
      REQUIRE(std::abs(int{image.pixels[i]} - int{expected.pixels[i]}) <= 60);  // JPEG of a coarse gradient
  }
  const Image six = upright(Image{3, 2, 3, kSixPixels}, 8);
  CHECK(decode(folder.write("a.tif", six_pixels_tiff(8))).pixels == six.pixels);
  CHECK(decode(folder.write("a.webp", six_pixels_webp(8))).pixels == six.pixels);
  CHECK(read_size(folder.path() / "a.tif").width == 2);
  CHECK(read_size(folder.path() / "a.webp").width == 2);
}

TEST_CASE("a damaged EXIF block turns nothing") {
  const auto orientation = [](const std::string& block) {
    return exif_orientation({reinterpret_cast<const std::uint8_t*>(block.data()), block.size()});
  };
  CHECK(orientation(exif_block(3)) == 3);
  CHECK(orientation(std::string("Exif\0\0", 6) + exif_block(3)) == 3);
  CHECK(orientation(exif_block(9)) == 1);
  CHECK(orientation(exif_block(0)) == 1);
  for (std::size_t length = 0; length < 22; ++length)
    CHECK(orientation(exif_block(3).substr(0, length)) == 1);
  CHECK(orientation(std::string("MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0", 22)) == 6);
  CHECK(orientation(std::string("II*\0\xff\xff\xff\xff", 8)) == 1);
}
