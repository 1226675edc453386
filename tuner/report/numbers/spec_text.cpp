#include "tuner/report/numbers/spec_text.h"

namespace tune::report {

bool is_text_of_study(const store::StudyRow& study) {
  const bool has_nul = study.spec_text.find('\0') != std::string::npos;  // where the parser would end
  return !has_nul && Json::parse(study.spec_text, nullptr, /*allow_exceptions=*/false) == study.spec;
}

}  // namespace tune::report
