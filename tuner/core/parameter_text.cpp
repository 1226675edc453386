#include "tuner/core/parameter_text.h"

#include "tuner/core/enum_text.h"

namespace tune {
namespace {

constexpr EnumTexts<ParameterType, 3> kTypes{{{ParameterType::kFloat, "float"},
                                              {ParameterType::kInt, "int"},
                                              {ParameterType::kCategorical, "categorical"}}};
constexpr EnumTexts<Scale, 3> kScales{
    {{Scale::kLinear, "linear"}, {Scale::kLog, "log"}, {Scale::kReverseLog, "reverse_log"}}};

}  // namespace

const char* parameter_type_text(ParameterType type) { return text_of(kTypes, type); }
ParameterType parameter_type_from(const std::string& text) { return value_of(kTypes, text, "type"); }
const char* scale_text(Scale scale) { return text_of(kScales, scale); }
Scale scale_from(const std::string& text) { return value_of(kScales, text, "scale"); }

}  // namespace tune
