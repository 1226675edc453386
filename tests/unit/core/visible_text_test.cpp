#include "tuner/core/visible_text.h"

#include "support/catch.h"

namespace tune {

TEST_CASE("text of a stranger moves no cursor and turns no direction", "[visible]") {
  CHECK(visible_text("Größe 3 \xF0\x9F\x9A\x80 שלום") == "Größe 3 \xF0\x9F\x9A\x80 שלום");
  CHECK(visible_text("\x1b[2J\t\n") == "\\u001b[2J\\t\\n");
  CHECK(visible_text("a\nb", LineBreaks::kKeep) == "a\nb");
  CHECK(visible_text("\xC2\x9B") == "\\u009b");
  CHECK(visible_text("cod\xE2\x80\xAEgpj.x") == "cod\\u202egpj.x");
  CHECK(visible_text("\xE2\x81\xA6x\xE2\x81\xA9") == "\\u2066x\\u2069");
  // What joins letters and marks a direction is a part of names.
  CHECK(visible_text("\xE2\x80\x8D\xE2\x80\x8F") == "\xE2\x80\x8D\xE2\x80\x8F");
}

TEST_CASE("bytes that are not UTF-8 are told apart", "[visible]") {
  CHECK(visible_text("bad\xff.jpg bad\xfe.jpg") == "bad\\xff.jpg bad\\xfe.jpg");
  CHECK(visible_text("caf\xe9") == "caf\\xe9");
  CHECK(visible_text("\x9b[2J") == "\\x9b[2J");
  for (const char* broken : {"\xC3", "\xE2\x82", "\xF0\x9F\x9A", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80",
                             "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80"}) {
    const std::string visible = visible_text(broken);
    INFO(visible);
    CHECK(visible.size() == 4 * std::string_view(broken).size());
  }
  CHECK(visible_text("\xED\x9F\xBF\xF4\x8F\xBF\xBF") == "\xED\x9F\xBF\xF4\x8F\xBF\xBF");
}

}  // namespace tune
