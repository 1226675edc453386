#pragma once
// A study's bill as people and programs read it.
#include <string>

#include "tuner/report/numbers/bill.h"

namespace tune::report {

// "  completed trials: device time 1.25 h, $3.83" and so on, a line each; parts of nothing are left out.
std::string bill_lines(const StudyBill& bill);
Json bill_json(const StudyBill& bill);

}  // namespace tune::report
