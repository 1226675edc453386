#include "tuner/core/line_splitter.h"

#include <vector>

#include "support/catch.h"

namespace tune {
namespace {

using Lines = std::vector<std::string>;

Lines split(const std::vector<std::string>& pieces, std::uint64_t* cut = nullptr) {
  LineSplitter splitter;
  Lines lines;
  const auto keep = [&](std::string_view line) { lines.emplace_back(line); };
  for (const std::string& piece : pieces) splitter.feed(piece, keep);
  splitter.finish(keep);
  if (cut) *cut = splitter.cut_lines();
  return lines;
}

// In one piece, byte by byte, and cut at each place; all must say the same.
Lines split_anyhow(const std::string& text) {
  const Lines whole = split({text});
  Lines bytes;
  for (const char byte : text) bytes.emplace_back(1, byte);
  CHECK(split(bytes) == whole);
  for (std::size_t at = 1; at < text.size(); ++at) {
    INFO(at);
    CHECK(split({text.substr(0, at), text.substr(at)}) == whole);
  }
  return whole;
}

TEST_CASE("lines end in all their forms") {
  CHECK(split_anyhow("a\nb\r\nc\rd\r\r\ne") == Lines{"a", "b", "c", "d", "e"});
  CHECK(split_anyhow("10%\r20%\r30%\n") == Lines{"10%", "20%", "30%"});
  CHECK(split_anyhow("a\vb\fc\xC2\x85"
                     "d\xE2\x80\xA8"
                     "e\xE2\x80\xA9"
                     "f") == Lines{"a", "b", "c", "d", "e", "f"});
}

TEST_CASE("colours, titles, links and character sets are taken out of a line, wherever a read cuts them") {
  CHECK(split_anyhow("\x1b[32mINFO\x1b[0m val: \x1b[1;38;5;196m0.5000\x1b[m\n") == Lines{"INFO val: 0.5000"});
  CHECK(split_anyhow("\x1b]0;title\aloss=1\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n") ==
        Lines{"loss=1link"});
  CHECK(split_anyhow("\x1b(B\x1b[mloss\x1b=\x1b"
                     "7=\x1b[01;31m\x1b[K2\x1b[m\x1b[K\n") == Lines{"loss=2"});
  CHECK(split_anyhow("\x1bPq#0;2\x1b\\loss=3\x1b_app\x1b\\\n") == Lines{"loss=3"});
}

TEST_CASE("the eight-bit forms of control sequences are taken out, and letters with the same bytes are not") {
  CHECK(split_anyhow("\xC2\x9B"
                     "32mloss=1\xC2\x9B"
                     "0m\n") == Lines{"loss=1"});
  CHECK(split_anyhow("\x9B"
                     "32mloss=2\x9B"
                     "0m\n") == Lines{"loss=2"});
  CHECK(split_anyhow("\xC2\x9D"
                     "0;title\xC2\x9Closs=3\n") == Lines{"loss=3"});
  const std::string letters =
      "\xE2\x96\x88\xE2\xA0\x9B\xC3\x9B \xF0\x9F\x98\x9B \xC3\xA9=4";  // full block, braille, U+00DB, emoji
  CHECK(split_anyhow(letters + "\n") == Lines{letters});
}

TEST_CASE("after a backspace what comes next takes the place of what stood there") {
  CHECK(split_anyhow("45%\b\b\b46% loss=1\n") == Lines{"46% loss=1"});
  CHECK(split_anyhow("loss: 0.9\b\b\b0.5\n") == Lines{"loss: 0.5"});
  CHECK(split_anyhow("l\bl\x6F\bo\n") == Lines{"lo"});  // overstruck for bold
  CHECK(split_anyhow("abc\b\bx\n") == Lines{"axc"});
  CHECK(split_anyhow("abc\b\b\x1b[Kx\n") == Lines{"ax"});
  CHECK(split_anyhow("a\xE2\x96\x88z\b\bxy\n") == Lines{"axy"});
  CHECK(split_anyhow("abc\x1b[2Dx\n") == Lines{"axc"});
  CHECK(split_anyhow("\b\b\bok\n") == Lines{"ok"});
}

TEST_CASE("a bar that is redrawn by backspaces and a carriage return is a line each time") {
  CHECK(split_anyhow("1/2 loss: 0.5\b\b\b\b\b\b\b\b\b\b\b\b\b\r2/2 loss: 0.25\n") ==
        Lines{"1/2 loss: 0.5", "2/2 loss: 0.25"});
  // An epoch's bar of Keras is far over the limit when nothing is taken back.
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::string(80, 'x') + std::string(80, '\b');
  std::uint64_t cut = 0;
  CHECK(split({text + "loss: 0.5" + std::string(71, ' ') + "\n"}, &cut) ==
        Lines{"loss: 0.5" + std::string(71, ' ')});
  CHECK(cut == 0);
}

TEST_CASE("what is printed elsewhere on the screen is another line") {
  CHECK(split_anyhow("loss=1\x1b[1A\x1b[2Kloss=2\x1b[Hloss=3\n") == Lines{"loss=1", "loss=2", "loss=3"});
  CHECK(split_anyhow("loss=1\x1b[2K\rloss=2\n") == Lines{"loss=1", "loss=2"});
  CHECK(split_anyhow("epoch\x1b[3C1\n") == Lines{"epoch 1"});
}

TEST_CASE("control characters but the tab are taken out, as of UTF-16") {
  using namespace std::string_literals;
  CHECK(split_anyhow("l\0o\0s\0s\0=\0"
                     "1\0\n\0"s) == Lines{"loss=1"});
  CHECK(split_anyhow("a\tb\x07\x0f\x7f\n") == Lines{"a\tb"});
}

TEST_CASE("a sequence that its line does not finish swallows no text") {
  CHECK(split_anyhow("\x1b]0;loss=1\nloss=2\n") == Lines{"0;loss=1", "loss=2"});
  CHECK(split_anyhow("\x1b[32\nloss=2\n") == Lines{"loss=2"});
  CHECK(split_anyhow("\x1b[3\x1b[32mloss=3\n\x1b") == Lines{"loss=3"});
  CHECK(split_anyhow("\x1b]0;t loss=4") == Lines{"0;t loss=4"});
  CHECK(split_anyhow("\x1b[1\xC3\xA9 loss=5\n") == Lines{"\xC3\xA9 loss=5"});
}

TEST_CASE("who shows the lines may keep their colours, at their places, and empty lines") {
  const auto shown = [](std::string_view text, LineSplitter::Keep keep) {
    LineSplitter splitter(keep);
    std::string all;
    const auto add = [&](std::string_view line) { all.append(line).append("|"); };
    for (const char byte : text) splitter.feed(std::string_view(&byte, 1), add);
    splitter.finish(add);
    return all;
  };
  const LineSplitter::Keep colors{true, false}, empty{false, true};
  CHECK(shown("\x1b[1;32ma\x1b[0mb\n", colors) == "\x1b[1;32ma\x1b[0mb|");
  CHECK(shown("\x1b[31m\n\nred\x1b[m\n\x1b[0m", colors) == "\x1b[31mred\x1b[m|");
  CHECK(shown("9\x1b[31m\b\xC3\xA9z\n", colors) == "\xC3\xA9\x1b[31mz|");
  CHECK(shown("\x1b[>4;2ma\x1b[2Jb\x1b]0;t\x07\n", colors) == "ab|");
  CHECK(shown("\x1b[" + std::string(100, '1') + "ma\n", colors) == "a|");
  CHECK(shown("\x1b[32ma\x1b[0m\n", {}) == "a|");
  CHECK(shown("a\n\nb\r\n\r\nc\r\rd\n\x1b[1A\n", empty) == "a||b||c|d||");
  CHECK(shown("\r10%\r20%\n", empty) == "10%|20%|");
  CHECK(shown("a\n\nb\n", {}) == "a|b|");
}

TEST_CASE("a line is cut at 64 kB once, and the cut is counted") {
  std::uint64_t cut = 0;
  const std::string huge(300'000, 'x');
  const auto lines = split({"start\n", huge, huge, "tail\nnext\n" + huge}, &cut);
  REQUIRE(lines.size() == 4);
  CHECK(lines[1].size() == kLineLimit);
  CHECK(lines[2] == "next");
  CHECK(lines[3].size() == kLineLimit);
  CHECK(cut == 2);
  split({std::string(kLineLimit, 'x') + "\n"}, &cut);
  CHECK(cut == 0);
  split({std::string(kLineLimit, 'x') + "\x1b[0m\b\b\by\n"}, &cut);
  CHECK(cut == 0);
}

TEST_CASE("hostile sequences keep memory bounded") {
  std::uint64_t cut = 0;
  const auto lines = split({"\x1b]", std::string(1'000'000, 't'), "\x1b[", std::string(1'000'000, '9'), "D",
                            std::string(1'000'000, '\b'), "loss=1\n"},
                           &cut);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() == kLineLimit);
  CHECK(lines[0].starts_with("loss=1"));
}

}  // namespace
}  // namespace tune
