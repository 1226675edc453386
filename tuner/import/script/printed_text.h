#pragma once
// What a call prints, as far as its source tells: texts and the values between them.
#include <string>
#include <vector>

#include "tuner/import/script/python_calls.h"

namespace tune::script {

struct Piece {
  bool is_value = false;  // of an expression, which only the running script knows
  std::string text;       // printed as it is; of a value its expression, as written
  std::string format;     // of a value: ".4f" of {x:.4f} and of %.4f; "" where it has none
};

// Neighbouring texts are one piece. Empty where nothing can be said: another form of call.
// f"...", "..." % (a, b), "...".format(a, b), print("a", a), logger.info("%s", a).
std::vector<Piece> printed_by(const Call& call);

}  // namespace tune::script
