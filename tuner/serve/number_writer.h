#pragma once
// Long arrays of numbers as JSON, for charts of all trials: without a value for each number in memory.
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

namespace tune::serve {

// "[1,null,0.5]". One for each array, on the stack of who writes it.
class NumberArray {
 public:
  explicit NumberArray(std::string& out) : out_(out) { out_ += '['; }
  ~NumberArray() { out_ += ']'; }
  NumberArray(const NumberArray&) = delete;
  NumberArray& operator=(const NumberArray&) = delete;

  void add(double number) {
    if (!std::isfinite(number)) return add_text("null");
    char text[32];
    const auto [end, problem] = std::to_chars(text, text + sizeof text, number);
    add_text({text, static_cast<std::size_t>(end - text)});
  }
  void add(std::int64_t number) { add_text(std::to_string(number)); }
  void add_none() { add_text("null"); }

 private:
  void add_text(std::string_view text) {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_ += text;
  }

  std::string& out_;
  bool is_first_ = true;
};

}  // namespace tune::serve
