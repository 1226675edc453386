#pragma once
// Endpoints as pages show them, and the sandbox's way to them.
#include <filesystem>
#include <functional>
#include <string>

#include "tuner/core/json.h"
#include "tuner/http/message.h"

namespace tune::serve {

OrderedJson endpoints_json(const std::filesystem::path& store);  // all, in short
// What was asked, and where it stands. Throws Error(kNotFound).
OrderedJson endpoint_json(const std::filesystem::path& store, const std::string& endpoint);

// Hands the request's body to the endpoint, at ?path= (/invocations), with its token, which no page ever
// sees; the answer comes back as it is, streamed where it is streamed. Only paths that an endpoint has are
// taken, and only the endpoint's own address is asked. Throws Error(kNotFound), HttpError(400),
// HttpError(502) when nobody answers there, or not to the end.
http::Response invoke_endpoint(const std::filesystem::path& store, const std::string& endpoint,
                               const http::Request& request, const std::function<bool()>& is_interrupted);

}  // namespace tune::serve
