#pragma once
// A request that is not answered, and why.
#include <optional>
#include <stdexcept>
#include <string>

namespace tune::trainer::serve {

// `type`, `code` and `param` are OpenAI's words for programs; other protocols show the sentence alone.
class Refusal : public std::runtime_error {
 public:
  explicit Refusal(const std::string& message, std::string param = {}, std::string code = {})
      : std::runtime_error(message), param_(std::move(param)), code_(std::move(code)) {}

  // Everything but 400 names itself.
  static Refusal with_status(int status, const std::string& message, std::string code = {}) {
    Refusal refusal(message, {}, std::move(code));
    refusal.status_ = status;
    return refusal;
  }
  // 503: the queue is full, or a wait was too long.
  static Refusal busy(const std::string& message, int retry_after_s) {
    Refusal refusal = with_status(503, message, "overloaded");
    refusal.retry_after_s_ = retry_after_s;
    return refusal;
  }

  int status() const { return status_; }
  const std::string& param() const { return param_; }  // "messages[0].content"; "" for none
  const std::string& code() const { return code_; }
  std::optional<int> retry_after_s() const { return retry_after_s_; }

 private:
  int status_ = 400;
  std::string param_, code_;
  std::optional<int> retry_after_s_;
};

}  // namespace tune::trainer::serve
