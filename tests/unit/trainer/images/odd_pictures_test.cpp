// Pictures that are neither plain grey nor plain colours: what becomes of them in every command.
#include "trainer/images/image.h"

#include <array>
#include <cstdlib>

#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::images;
using tests::TestFolder;

namespace {

std::string from_hex(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return bytes;
}

// 16 x 8 pixels of four inks as Adobe stores them: magenta 200, yellow 40 and black 30 on the left, cyan 120
// and magenta 10 on the right. Written by Pillow.
const char* const kFourInks =
    "ffd8ffee000e41646f626500640000000000ffdb00430002010101010102010101020202020204030202020205040403"
    "04060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a0affc000140800080010"
    "044311004d11005911004b1100ffc4001700010003000000000000000000000000000907080affc40014100100000000"
    "000000000000000000000000ffda000e0443004d0059004b00003f007f06d95c30807daf85a04f0fffd9";

// 8 x 2 grey pixels of 16 bits: 0, 4369, ... 65535, which are 0, 17, ... 255 in 8 bits. Written by Pillow.
const char* const kSixteenBits =
    "49492a000800000009000001040001000000080000000101040001000000020000000201030001000000100000000301"
    "0300010000000100000006010300010000000100000011010400010000007a0000001601040001000000020000001701"
    "040001000000200000001c0103000100000001000000000000000000111122223333444455556666777788889999aaaa"
    "bbbbccccddddeeeeffff";

// 8 x 8 pixels of the grey 200 in six scans, and the last of them; both without the two bytes of an end.
// Written by Pillow.
const char* const kSixScans =
    "ffd8ffe000104a46494600010100000100010000ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616183123251d"
    "283a333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c656763ffc2000b08000800080101"
    "1100ffc40014000100000000000000000000000000000005ffda00080101000000014bffc400141001000000000000000000"
    "00000000000000ffda00080101000105027fffc40014100100000000000000000000000000000000ffda0008010100063f02"
    "7fffc40014100100000000000000000000000000000000ffda0008010100013f217fffda00080101000000107fffc4001410"
    "0100000000000000000000000000000000ffda0008010100013f107f";
const char* const kLastScan = "ffda0008010100013f107f";

}  // namespace

TEST_CASE("a JPEG that asks for thousands of passes over its pixels is refused") {
  const TestFolder folder;
  CHECK(decode(folder.write("six.jpg", from_hex(kSixScans + std::string("ffd9")))).pixels[0] == 200);
  std::string scans = kSixScans;
  for (int i = 0; i < 3000; ++i) scans += kLastScan;
  CHECK_THROWS_WITH(decode(folder.write("many.jpg", from_hex(scans + "ffd9"))),
                    Catch::Matchers::Contains("more than 500 scans"));
}

TEST_CASE("a JPEG of four inks becomes the colours that Pillow makes of it") {
  const TestFolder folder;
  const Image image = decode(folder.write("a.jpg", from_hex(kFourInks)));
  REQUIRE(image.channels == 3);
  const std::array<int, 3> left{225, 49, 190}, right{135, 245, 255};
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(std::abs(image.row(4)[3 * 3 + c] - left[c]) <= 1);
    CHECK(std::abs(image.row(4)[12 * 3 + c] - right[c]) <= 1);
  }
}

TEST_CASE("a TIFF of 16 bits becomes 8 bits with the whole range") {
  const TestFolder folder;
  const Image image = decode(folder.write("a.tif", from_hex(kSixteenBits)));
  REQUIRE(image.width == 8);
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t c = 0; c < 3; ++c) CHECK(image.pixels[3 * i + c] == 17 * i);
}
