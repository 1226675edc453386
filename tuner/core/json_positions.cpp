#include "tuner/core/json_positions.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <optional>

#include "tuner/core/bounded_json.h"
#include "tuner/core/characters.h"
#include "tuner/core/json_syntax.h"
#include "tuner/core/visible_text.h"

namespace tune {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Feeds the parser and tells how much it has read.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* consumed) : at_(at), consumed_(consumed) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    ++at_;
    ++*consumed_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  std::size_t* consumed_;
};

// Where the tokens of a text lie, told by how much the parser has read at each of its events. Lives for one
// parse.
class Tokens {
 public:
  Tokens(std::string_view text, const std::size_t& consumed, std::string_view source = "file",
         bool is_spec = false)
      : text_(text), source_(source), consumed_(consumed), is_spec_(is_spec) {}

  // Where the token of this event starts: everything between two events is white space, commas and colons.
  std::size_t begin() {
    start_ = text_.find_first_not_of(" \t\r\n,:", end_);
    if (start_ == std::string_view::npos) start_ = text_.size();
    end_ = consumed_;
    after_key_ = false;
    return start_;
  }
  std::size_t begin_key() {
    begin();
    after_key_ = true;
    return start_;
  }
  std::size_t start() const { return start_; }

  // To find the end of a number the parser reads one character more.
  void end_number() {
    end_ = std::min(text_.find_first_not_of("+-.0123456789eE", start_), text_.size());
    const std::size_t first_digit = start_ + (text_[start_] == '-' ? 1 : 0);
    if (text_.substr(first_digit, 1) == "0" && first_digit + 1 < end_ && text_[first_digit + 1] >= '0' &&
        text_[first_digit + 1] <= '9')
      end_ = first_digit + 1;  // 01 is a 0 and something that does not belong there
  }

  SyntaxMistake explain(const std::string& parser_message, std::optional<std::size_t> open_bracket) const {
    SyntaxFailure failure;
    failure.text = text_;
    failure.source = source_;
    failure.token_end = end_;
    failure.consumed = consumed_;
    failure.after_key = after_key_;
    failure.open_bracket = open_bracket;
    failure.parser_message = parser_message;
    failure.is_spec = is_spec_;
    return explain_syntax(failure);
  }

 private:
  std::string_view text_, source_;
  const std::size_t& consumed_;
  bool is_spec_;
  std::size_t start_ = 0, end_ = 0;
  bool after_key_ = false;
};

std::string too_deep() { return "this is nested deeper than " + std::to_string(kDeepestJson) + " levels"; }
constexpr const char* kTooDeepCure = "flatten it";

Problem twice(Position place, Position first, std::string pointer, std::string_view key) {
  return {place.line, place.column, std::move(pointer), "the key " + in_quotes(key) + " is there twice",
          "it is first in line " + std::to_string(first.line) + "; keep one of the two"};
}

// Receives the parser's events, builds the value and notes where its parts begin. Lives for one parse.
class Builder {
 public:
  Builder(std::string_view text, std::string_view source, LineTable& lines, const std::size_t& consumed,
          PositionedJson& result)
      : tokens_(text, consumed, source, source == "file"), lines_(lines), result_(result) {}

  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(OrderedJson::number_integer_t value) { return number(value); }
  bool number_unsigned(OrderedJson::number_unsigned_t value) { return number(value); }
  bool number_float(OrderedJson::number_float_t value, const std::string&) { return number(value); }
  bool string(std::string& value) { return scalar(std::move(value)); }
  bool binary(OrderedJson::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(OrderedJson::object()); }
  bool start_array(std::size_t) { return open(OrderedJson::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    Level& level = levels_.back();
    level.pointer_of_next = member_pointer(level.pointer, name);
    level.key = name;
    level.is_duplicate = !level.is_discarded && result_.keys.contains(level.pointer_of_next);
    const Position place = lines_.at(tokens_.begin_key());
    if (level.is_duplicate) {
      const Position first = result_.keys.at(level.pointer_of_next);
      result_.problems.push_back(twice(place, first, level.pointer_of_next, name));
    } else if (!is_discarded()) {
      result_.keys.emplace(level.pointer_of_next, place);
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    const SyntaxMistake mistake =
        tokens_.explain(error.what(), levels_.empty() ? std::nullopt : std::optional(levels_.back().offset));
    report(mistake.offset, mistake.message, mistake.hint);
    return false;
  }

 private:
  // An object or array that is not closed yet.
  struct Level {
    OrderedJson* value;  // what to add to; stays valid, since its parent grows only after it is closed
    std::string pointer;
    std::size_t offset;
    std::string key, pointer_of_next;  // objects only
    bool is_duplicate = false;         // objects only: the next value is dropped
    bool is_discarded = false;         // within a dropped value
  };

  bool is_discarded() const { return !levels_.empty() && levels_.back().is_discarded; }

  void report(std::size_t offset, std::string message, std::string hint) {
    const Position place = lines_.at(offset);
    result_.problems.push_back({place.line, place.column, levels_.empty() ? "" : levels_.back().pointer,
                                std::move(message), std::move(hint)});
  }

  OrderedJson* add(OrderedJson value) {
    const Position place = lines_.at(tokens_.begin());
    if (levels_.empty()) {
      result_.values.emplace("", place);
      result_.value = std::move(value);
      return &result_.value;
    }
    Level& level = levels_.back();
    if (level.is_discarded || level.is_duplicate) {
      dropped_.push_back(std::move(value));
      return nullptr;
    }
    if (level.value->is_object()) {
      result_.values.emplace(level.pointer_of_next, place);
      // Past the object's own search for the key, which is linear: it is not there.
      auto& members = level.value->get_ref<OrderedJson::object_t&>();
      members.emplace_back(level.key, std::move(value));
      return &members.back().second;
    }
    level.pointer_of_next = element_pointer(level.pointer, level.value->size());
    result_.values.emplace(level.pointer_of_next, place);
    level.value->push_back(std::move(value));
    return &level.value->back();
  }

  bool scalar(OrderedJson value) {
    if (add(std::move(value)) == nullptr) dropped_.pop_back();
    return true;
  }

  bool number(OrderedJson value) {
    scalar(std::move(value));
    tokens_.end_number();
    return true;
  }

  bool open(OrderedJson empty) {
    if (levels_.size() == kDeepestJson) {
      report(tokens_.begin(), too_deep(), kTooDeepCure);
      return false;
    }
    OrderedJson* value = add(std::move(empty));
    Level level{value, levels_.empty() ? "" : levels_.back().pointer_of_next, tokens_.start(), "", "", false,
                false};
    // A dropped value is still parsed, into a place of its own, so that its syntax is checked.
    if (value == nullptr) level.value = &dropped_.back(), level.is_discarded = true;
    levels_.push_back(std::move(level));
    return true;
  }

  bool close() {
    tokens_.begin();
    if (levels_.back().is_discarded) dropped_.pop_back();
    levels_.pop_back();
    return true;
  }

  Tokens tokens_;
  LineTable& lines_;
  PositionedJson& result_;
  std::vector<Level> levels_;
  std::list<OrderedJson> dropped_;
};

// Receives the parser's events and stops at the first thing that is wrong. Holds no values, so that it goes
// through files of any size. Lives for one parse.
class FaultFinder {
 public:
  FaultFinder(std::string_view text, const std::size_t& consumed) : text_(text), tokens_(text, consumed) {}

  std::optional<JsonFault> take() { return std::move(fault_); }

  bool null() { return scalar(); }
  bool boolean(bool) { return scalar(); }
  bool number_integer(Json::number_integer_t) { return number(); }
  bool number_unsigned(Json::number_unsigned_t) { return number(); }
  bool number_float(Json::number_float_t, const std::string&) { return number(); }
  bool string(std::string&) { return scalar(); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(); }
  bool start_array(std::size_t) { return open(); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    const std::size_t offset = tokens_.begin_key();
    const auto [first, added] = levels_.back().keys.emplace(name, offset);
    if (added) return true;
    LineTable lines(text_);
    const Position before = lines.at(first->second);
    fault_ = {twice(lines.at(offset), before, "", name), false};
    return false;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) {
    const SyntaxMistake mistake =
        tokens_.explain(error.what(), levels_.empty() ? std::nullopt : std::optional(levels_.back().offset));
    report(mistake.offset, mistake.message, mistake.hint);
    fault_->is_syntax = true;
    return false;
  }

 private:
  // An object or array that is not closed yet.
  struct Level {
    std::size_t offset;
    std::map<std::string, std::size_t> keys;  // of an object, to where they stand
  };

  bool report(std::size_t offset, std::string message, std::string hint) {
    const Position place = LineTable(text_).at(offset);
    fault_ = {Problem{place.line, place.column, "", std::move(message), std::move(hint)}, false};
    return false;
  }
  bool scalar() {
    tokens_.begin();
    return true;
  }
  bool number() {
    tokens_.begin();
    tokens_.end_number();
    return true;
  }
  bool open() {
    tokens_.begin();
    if (levels_.size() == kDeepestJson) return report(tokens_.start(), too_deep(), kTooDeepCure);
    levels_.push_back({tokens_.start(), {}});
    return true;
  }
  bool close() {
    tokens_.begin();
    levels_.pop_back();
    return true;
  }

  std::string_view text_;
  Tokens tokens_;
  std::vector<Level> levels_;
  std::optional<JsonFault> fault_;
};

// Receives the parser's events and builds the value; gives up at a key that is there twice, or too deep.
// (The parser's own callback looks at each element of a list again whenever one has ended.) Lives for one
// parse.
class StrictBuilder {
 public:
  StrictBuilder(Json& root, std::string_view passed_over) : root_(root), passed_over_(passed_over) {}

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool number_integer(Json::number_integer_t value) { return add(value); }
  bool number_unsigned(Json::number_unsigned_t value) { return add(value); }
  bool number_float(Json::number_float_t value, const std::string&) { return add(value); }
  bool string(std::string& value) { return add(std::move(value)); }
  bool binary(Json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(Json::object()); }
  bool start_array(std::size_t) { return open(Json::array()); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(std::string& name) {
    if (passing_ > 0) return true;
    is_passed_over_ = !passed_over_.empty() && name == passed_over_;
    const auto [member, added] = levels_.back()->get_ref<Json::object_t&>().emplace(std::move(name), nullptr);
    member_ = &member->second;
    return added;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) { return false; }

 private:
  // Where the next value goes; a list grows only after its last element is whole.
  Json& place() {
    if (levels_.empty()) return root_;
    if (levels_.back()->is_object()) return *member_;
    auto& list = levels_.back()->get_ref<Json::array_t&>();
    return list.emplace_back();
  }

  bool add(Json value) {
    if (passing_ == 0 && !is_passed_over_) place() = std::move(value);
    if (passing_ == 0) is_passed_over_ = false;
    return true;
  }

  bool open(Json empty) {
    if (levels_.size() + passing_ == kDeepestJson) return false;
    if (passing_ > 0 || is_passed_over_) {
      ++passing_;
      return true;
    }
    Json& value = place();
    value = std::move(empty);
    levels_.push_back(&value);
    return true;
  }

  bool close() {
    if (passing_ == 0) {
      levels_.pop_back();
      return true;
    }
    if (--passing_ == 0) is_passed_over_ = false;
    return true;
  }

  Json& root_;
  const std::string_view passed_over_;
  std::vector<Json*> levels_;
  Json* member_ = nullptr;       // of the innermost object, whose value is next
  bool is_passed_over_ = false;  // that value is not kept
  std::size_t passing_ = 0;      // brackets open within such a value
};

// The parser takes a NUL byte for the end of the text, so what follows one would be passed over.
std::optional<SyntaxMistake> mistake_behind_nul(std::string_view text) {
  const std::size_t nul = text.find('\0');
  return nul == std::string_view::npos ? std::nullopt : std::optional(text_after_end(nul));
}

std::optional<Problem> encoding_problem(std::string_view text, std::string_view source) {
  const std::string cure =
      std::string(source == "file" ? "save" : "write") + " it as UTF-8 without a byte order mark";
  const std::string the = "the " + std::string(source);
  if (text.starts_with(kByteOrderMark))
    return Problem{1, 1, "", the + " starts with a byte order mark", cure};
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return Problem{1, 1, "", the + " is UTF-16", cure};
  return std::nullopt;
}

}  // namespace

LineTable::LineTable(std::string_view text) : text_(text), starts_{0} {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\n') starts_.push_back(i + 1);
}

Position LineTable::at(std::size_t offset) {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
  const std::size_t start = *(next - 1);
  if (last_offset_ < start || last_offset_ > offset) last_offset_ = start, last_column_ = 0;
  const std::string_view between = text_.substr(last_offset_, offset - last_offset_);
  last_column_ +=
      std::count_if(between.begin(), between.end(), [](char c) { return !continues_character(c); });
  last_offset_ = offset;
  return {static_cast<int>(next - starts_.begin()), static_cast<int>(last_column_) + 1};
}

PositionedJson parse_with_positions(std::string_view text, std::string_view source) {
  PositionedJson result;
  if (auto problem = encoding_problem(text, source)) {
    result.problems.push_back(*problem);
    if (!text.starts_with(kByteOrderMark)) return result;
    text.remove_prefix(kByteOrderMark.size());
  }
  LineTable lines(text);
  std::size_t consumed = 0;
  Builder builder(text, source, lines, consumed, result);
  result.is_complete =
      OrderedJson::sax_parse(CountingIterator(text.data(), &consumed),
                             CountingIterator(text.data() + text.size(), &consumed), &builder);
  const auto mistake = result.is_complete ? mistake_behind_nul(text) : std::nullopt;
  if (!mistake) return result;
  const Position place = lines.at(mistake->offset);
  result.problems.push_back({place.line, place.column, "", mistake->message, mistake->hint});
  result.is_complete = false;
  return result;
}

std::optional<JsonFault> first_json_fault(std::string_view text) {
  std::size_t consumed = 0;
  FaultFinder finder(text, consumed);
  const bool is_complete = Json::sax_parse(CountingIterator(text.data(), &consumed),
                                           CountingIterator(text.data() + text.size(), &consumed), &finder);
  const auto mistake = is_complete ? mistake_behind_nul(text) : std::nullopt;
  if (!mistake) return finder.take();
  const Position place = LineTable(text).at(mistake->offset);
  return JsonFault{Problem{place.line, place.column, "", mistake->message, mistake->hint}, true};
}

StrictJson parse_strictly(std::string_view text, std::string_view passed_over) {
  StrictJson result;
  StrictBuilder builder(result.value, passed_over);
  if (Json::sax_parse(text.begin(), text.end(), &builder) && !mistake_behind_nul(text)) return result;
  result.value = nullptr;
  result.fault = first_json_fault(text);
  TUNE_CHECK(result.fault);
  return result;
}

std::string member_pointer(const std::string& parent, std::string_view key) {
  std::string pointer = parent + "/";
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

std::string element_pointer(const std::string& parent, std::size_t index) {
  return parent + "/" + std::to_string(index);
}

}  // namespace tune
