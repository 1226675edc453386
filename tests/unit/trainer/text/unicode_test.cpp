#include "trainer/text/unicode.h"

#include "support/catch.h"
#include "trainer/text/utf8.h"

using tune::trainer::text::Trait;
using tune::trainer::text::Unicode;
using tune::trainer::text::valid_utf8;
using Form = Unicode::Form;

TEST_CASE("each maximal part of a character that is no UTF-8 becomes one U+FFFD") {
  CHECK(valid_utf8("plain") == "plain");
  CHECK(valid_utf8("caf\xC3\xA9") == "café");
  CHECK(valid_utf8("a\xE2\x82") == "a\uFFFD");
  CHECK(valid_utf8("\xF0\x9F\x98x") == "\uFFFDx");
  CHECK(valid_utf8("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
  CHECK(valid_utf8("\xC0\xAF") == "\uFFFD\uFFFD");            // "/" in two bytes
  CHECK(valid_utf8("\xF4\x90\x80\x80") == "\uFFFD\uFFFD\uFFFD\uFFFD");
  CHECK(valid_utf8("\xFF\xFE") == "\uFFFD\uFFFD");
  CHECK(valid_utf8("ab\xC3") == "ab\uFFFD");
}

TEST_CASE("normalization forms decompose, order marks and compose again") {
  const Unicode& unicode = Unicode::tables();
  CHECK(unicode.normalized("Å", Form::kNfd) == "A\u030A");
  CHECK(unicode.normalized("A\u030A", Form::kNfc) == "Å");
  CHECK(unicode.normalized("\u212B", Form::kNfc) == "Å");  // the sign of angstrom goes for good
  CHECK(unicode.normalized("s\u0307\u0323", Form::kNfc) == "\u1E69");
  CHECK(unicode.normalized("s\u0307\u0323", Form::kNfd) == "s\u0323\u0307");
  CHECK(unicode.normalized("\u1112\u1161\u11AB", Form::kNfc) == "한");
  CHECK(unicode.normalized("한", Form::kNfd) == "\u1112\u1161\u11AB");
  CHECK(unicode.normalized("ﬁ²", Form::kNfkc) == "fi2");
  CHECK(unicode.normalized("ﬁ²", Form::kNfc) == "ﬁ²");
  CHECK(unicode.normalized("\u0958", Form::kNfc) == "\u0915\u093C");  // excluded from composition
  CHECK(unicode.normalized("a\u0315\u0300\u05AE", Form::kNfc) == "à\u05AE\u0315");
}

TEST_CASE("what is a letter, a space or punctuation is what Python's library takes for one") {
  const Unicode& unicode = Unicode::tables();
  CHECK(unicode.category_of('A') == Unicode::category_bit("Lu"));
  CHECK(unicode.category_of(0x4E00) == Unicode::category_bit("Lo"));
  CHECK(unicode.category_of(0x0378) == Unicode::category_bit("Cn"));
  CHECK(unicode.category_of(0x7FFFFFFF) == Unicode::category_bit("Cn"));
  CHECK(unicode.has(0x85, Trait::kSpace));
  CHECK_FALSE(unicode.has(0x1C, Trait::kSpace));
  CHECK(unicode.has('$', Trait::kPunctuation));
  CHECK(unicode.has(0x166D, Trait::kPunctuation));        // since Unicode 12 it is a symbol
  CHECK_FALSE(unicode.has(0x2E43, Trait::kPunctuation));  // of Unicode 9
  CHECK(unicode.has(0xBD, Trait::kNumber));
  CHECK_FALSE(unicode.has(0x4E00, Trait::kNumber));  // one, as a word
  CHECK_FALSE(unicode.has(0x2B820, Trait::kBertIdeograph));
  CHECK(unicode.lower("ÀİẞＡΣ") == "ài\u0307ßａσ");
}
