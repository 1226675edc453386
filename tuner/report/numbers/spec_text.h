#pragma once
// A spec is stored twice: as the text that was written, and as the document that it says.
#include "store/study_store.h"

namespace tune::report {

// Whether the text is still the one that the document was made from.
bool is_text_of_study(const store::StudyRow& study);

}  // namespace tune::report
