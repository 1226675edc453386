#include "tuner/report/page/escape.h"

#include "support/catch.h"

namespace tune::report {
namespace {

TEST_CASE("text in a page is text, whatever it says", "[escape]") {
  CHECK(html_escaped("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;");
  CHECK(html_escaped("\" onload='x' & co") == "&quot; onload=&#39;x&#39; &amp; co");
  CHECK(html_escaped("&lt;") == "&amp;lt;");
  CHECK(html_escaped("two\nlines\x1b[31m") == "two lines [31m");
  CHECK(html_escaped("größer als µ") == "größer als µ");
  CHECK(html_escaped("\xff\xc3") == "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST_CASE("JSON inside a script element cannot end it and reads back the same", "[escape]") {
  const Json hostile = {{"a</script><script>alert(1)//", "<!-- <script>"}, {"b", "]]>\u2028\u2029"}};
  const std::string text = script_json(hostile);
  CHECK(text.find('<') == std::string::npos);
  CHECK(text.find('>') == std::string::npos);
  CHECK(Json::parse(text) == hostile);
  CHECK(script_json("\xff") == "\"\xef\xbf\xbd\"");
}

TEST_CASE("a cell of a Markdown table stays one cell and is no markup", "[escape]") {
  CHECK(markdown_escaped("a|b") == "a\\|b");
  CHECK(markdown_escaped("a\\|b") == "a\\\\\\|b");
  CHECK(markdown_escaped("first\nsecond\r\nthird") == "first second  third");
  CHECK(markdown_escaped("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)&gt;");
  CHECK(markdown_escaped("[x](javascript:alert(1))") == "\\[x\\](javascript:alert(1))");
  CHECK(markdown_escaped("`code` **bold** ~~gone~~ # title") ==
        "\\`code\\` \\*\\*bold\\*\\* \\~\\~gone\\~\\~ \\# title");
  CHECK(markdown_escaped("learning_rate=0.001") == "learning_rate=0.001");
  CHECK(markdown_escaped("_emphasis_") == "\\_emphasis\\_");
  CHECK(markdown_escaped("AT&amp;T") == "AT&amp;amp;T");
}

}  // namespace
}  // namespace tune::report
