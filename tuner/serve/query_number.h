#pragma once
// Whole numbers that a request's query may have.
#include <cstdint>
#include <optional>

#include "tuner/http/message.h"

namespace tune::serve {

// ?NAME=; nullopt where it is absent or empty. Throws HttpError(400) for what is no whole number of the
// range.
std::optional<std::int64_t> query_number(const http::Request& request, const char* name, std::int64_t least,
                                         std::int64_t most);

}  // namespace tune::serve
