#include "trainer/loop/progress_lines.h"

#include <ostream>
#include <streambuf>
#include <string>
#include <vector>

#include "torch_catch.h"

namespace {

// What reaches a file at once, of a stream that keeps nothing back as stderr does.
class Pieces : public std::streambuf {
 public:
  std::vector<std::string> written;

 protected:
  std::streamsize xsputn(const char* text, std::streamsize size) override {
    written.emplace_back(text, static_cast<std::size_t>(size));
    return size;
  }
  int_type overflow(int_type letter) override {
    written.emplace_back(1, traits_type::to_char_type(letter));
    return letter;
  }
};

}  // namespace

TEST_CASE("a line about an epoch is written in one piece, so that no line of stdout lands in it") {
  Pieces pieces;
  std::ostream err(&pieces);
  tune::trainer::loop::ProgressLines lines(err, /*is_terminal=*/false, "images");
  lines.epoch_done(3, 5, /*units=*/0, /*for_data=*/0);
  CHECK(pieces.written == std::vector<std::string>{"epoch 3/5 done  0s of training\n"});
}
