#include "tuner/report/text/bill_text.h"

#include "tuner/report/text/format.h"

namespace tune::report {

std::string bill_lines(const StudyBill& bill) {
  std::string text;
  const auto part = [&text](const char* name, const Cost& cost) {
    if (cost.device_hours > 0) text += std::string("  ") + name + ": " + cost_text(cost) + '\n';
  };
  if (bill.stopped.device_hours + bill.failed.device_hours > 0) part("completed trials", bill.completed);
  part("stopped trials", bill.stopped);
  part("failed trials", bill.failed);
  part("of these, attempts that were run again", bill.retried);
  part("of these, validating", bill.validating);
  part("beside these, probing", bill.probing);
  part("beside these, idle", bill.idle);
  return text;
}

Json bill_json(const StudyBill& bill) {
  return {{"total", cost_json(bill.total)},     {"completed", cost_json(bill.completed)},
          {"stopped", cost_json(bill.stopped)}, {"failed", cost_json(bill.failed)},
          {"retried", cost_json(bill.retried)}, {"validating", cost_json(bill.validating)},
          {"probing", cost_json(bill.probing)}, {"idle", cost_json(bill.idle)}};
}

}  // namespace tune::report
