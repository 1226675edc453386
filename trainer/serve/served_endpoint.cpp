#include "trainer/serve/served_endpoint.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <new>
#include <ostream>

#include "trainer/serve/protocols/answer_json.h"
#include "trainer/serve/protocols/completions.h"
#include "trainer/serve/protocols/inference_v2.h"
#include "trainer/serve/protocols/invocations.h"
#include "trainer/serve/written_answers.h"
#include "trainer/torch_compat.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"

namespace tune::trainer::serve {
namespace {

constexpr const char *kJson = "application/json", *kBytes = "application/octet-stream";
constexpr const char* kBinaryHeader = "Inference-Header-Content-Length";

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool speaks_openai(std::string_view path) { return path == "/v1" || path.starts_with("/v1/"); }

std::string text_of(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

http::Response json_response(const OrderedJson& json, int status = 200) {
  return http::Response::text(text_of(json), kJson, status);
}

http::Response error_response(std::string_view path, int status, const std::string& message,
                              const std::string& param = {}, const std::string& code = {}) {
  return json_response(
      speaks_openai(path) ? openai_error_json(status, message, param, code) : OrderedJson{{"error", message}},
      status);
}

// What went wrong, as a refusal: its status and a sentence for whoever asked. Causes that are ours go to the
// log, not over the wire.
Refusal refusal_of(const std::exception_ptr& failure, std::ostream& notes) {
  try {
    std::rethrow_exception(failure);
  } catch (const Refusal& refusal) {
    return refusal;
  } catch (const Error& error) {
    if (error.code() == ExitCode::kBadData || error.code() == ExitCode::kUsage)
      return Refusal(error.hint().empty() ? error.what() : error.what() + (": " + error.hint()));
    notes << "error: " << error.what() << std::endl;
  } catch (const std::bad_alloc&) {
    notes << "error: out of memory" << std::endl;
    return Refusal::busy("there is not enough memory for this request now", 5);
  } catch (const c10::Error& error) {
    const std::string what = error.what_without_backtrace();
    notes << "error: " << what << std::endl;
    if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
        what.find("can't allocate memory") != std::string::npos)
      return Refusal::busy("there is not enough memory for this request now", 5);
  } catch (const std::exception& error) {
    notes << "error: " << error.what() << std::endl;
  }
  return Refusal::with_status(500, "the model failed on this request; the endpoint's log says how",
                              "internal_error");
}

http::Response refused(std::string_view path, const Refusal& refusal) {
  http::Response response =
      error_response(path, refusal.status(), refusal.what(), refusal.param(), refusal.code());
  if (refusal.retry_after_s())
    return std::move(response).with("Retry-After", std::to_string(*refusal.retry_after_s()));
  return response;
}

void need(const served::Facts& facts, bool generates, const char* instead) {
  if ((facts.input == served::InputKind::kPrompts) == generates) return;
  throw Refusal::with_status(404, "this endpoint serves a model of the task " + facts.task + ": " + instead,
                             "model_not_found");
}

// The prompts of a request as tokens, each with room for an answer, and each `copies` times.
std::vector<served::GenerationRequest> generations_of(const LoadedVersion& version,
                                                      const std::vector<served::Prompt>& prompts,
                                                      std::size_t copies,
                                                      const served::GenerationSettings& settings,
                                                      const std::string& adapter, int alternatives,
                                                      const char* param) {
  const served::Generator& model = *version.model.generator;
  const std::int64_t context = model.facts().context;
  std::vector<served::GenerationRequest> requests;
  for (const served::Prompt& prompt : prompts) {
    served::GenerationRequest request{model.tokens_of(prompt), adapter, settings, 0, alternatives};
    const auto length = static_cast<std::int64_t>(request.prompt.size());
    if (length == 0) throw Refusal("the prompt is empty", param);
    if (length >= context)
      throw Refusal("the prompt has " + std::to_string(length) + " tokens, and this model's context is " +
                        std::to_string(context) + " tokens with the answer: shorten the prompt",
                    param, "context_length_exceeded");
    if (request.settings.max_new_tokens == 0) request.settings.max_new_tokens = context - length;
    for (std::size_t copy = 0; copy < copies; ++copy) {
      request.stream = requests.size();
      requests.push_back(request);
    }
  }
  return requests;
}

SteadyTime after(Milliseconds patience) { return std::chrono::steady_clock::now() + patience; }

}  // namespace

ServedEndpoint::ServedEndpoint(EndpointSettings settings, std::ostream& notes)
    : settings_(std::move(settings)),
      notes_(notes),
      metrics_(settings_.name),
      created_(seconds_now()),
      retiring_([this] { retire(); }) {}

ServedEndpoint::~ServedEndpoint() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  retiring_.join();
}

void ServedEndpoint::load(const VersionRequest& request) {
  const std::lock_guard one_at_a_time(loading_);
  std::shared_ptr<LoadedVersion> fresh = load_version(request, settings_.limits, metrics_, notes_);
  {
    const std::lock_guard lock(mutex_);
    if (std::shared_ptr<LoadedVersion> old = std::exchange(current_, std::move(fresh)))
      old_.push_back(std::move(old));
  }
  metrics_.loaded(request.version);
  changed_.notify_all();
}

// On a thread of its own: an old version is let go, and its memory with it, when no request holds it and all
// that it began is answered.
void ServedEndpoint::retire() {
  constexpr std::chrono::milliseconds kBetweenLooks{5};
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !old_.empty(); });
    if (old_.empty()) return;
    const auto done = std::find_if(old_.begin(), old_.end(), [](const std::shared_ptr<LoadedVersion>& one) {
      return one.use_count() == 1 && one->waiting() == 0;
    });
    std::shared_ptr<LoadedVersion> gone;
    if (done != old_.end()) {
      gone = std::move(*done);
      old_.erase(done);
    }
    lock.unlock();
    if (gone)
      gone.reset();
    else
      std::this_thread::sleep_for(kBetweenLooks);
    lock.lock();
  }
}

void ServedEndpoint::give_up() {
  const std::lock_guard lock(mutex_);
  current_->give_up();
  for (const std::shared_ptr<LoadedVersion>& one : old_) one->give_up();
}

std::size_t ServedEndpoint::running() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = current_->waiting();
  for (const std::shared_ptr<LoadedVersion>& one : old_) count += one->waiting();
  return count;
}

std::shared_ptr<LoadedVersion> ServedEndpoint::current() const {
  const std::lock_guard lock(mutex_);
  TUNE_CHECK(current_ != nullptr);
  return current_;
}

std::vector<std::string> ServedEndpoint::names(const LoadedVersion& version) const {
  std::vector<std::string> names{settings_.name};
  const std::vector<std::string>& adapters = version.facts().adapters;
  names.insert(names.end(), adapters.begin(), adapters.end());
  return names;
}

std::string ServedEndpoint::adapter_of(const LoadedVersion& version, const std::string& name) const {
  const std::vector<std::string> known = names(version);
  for (const std::string& one : known)
    if (one == name) return one == settings_.name ? "" : one;
  throw Refusal::with_status(
      404, "there is no model \"" + name + "\" here: " + name_hint(name, known, "models"), "model_not_found");
}

std::string ServedEndpoint::asked_adapter(const LoadedVersion& version, const http::Request& request) const {
  for (const auto& [part, asked] : request.parts)
    if (part == "version" && asked != version.label)
      throw Refusal::with_status(
          404, "version " + asked + " does not answer here: version " + version.label + " does");
  return adapter_of(version, request.part("model"));
}

http::Handler ServedEndpoint::handler(Answering answer) const {
  return [this, answer = std::move(answer)](const http::Request& request) {
    const std::shared_ptr<LoadedVersion> version = current();
    if (request.method == "POST") metrics_.arrived();
    http::Response response;
    try {
      response = answer(request, version);
    } catch (...) {
      response = refused(request.path, refusal_of(std::current_exception(), notes_));
    }
    return std::move(response).with("X-Tune-Model", settings_.name + "@" + version->label);
  };
}

std::vector<std::string> ServedEndpoint::written(const http::Request& asking, LoadedVersion& version,
                                                 const std::vector<std::string>& prompts,
                                                 const served::GenerationSettings& settings,
                                                 const std::string& adapter) const {
  const auto answers = std::make_shared<WholeAnswers>(prompts.size(), asking.is_client_gone);
  std::vector<GenerationQueue::Order> orders;
  for (served::GenerationRequest& request :
       generations_of(version, {prompts.begin(), prompts.end()}, 1, settings, adapter, -1, ""))
    orders.push_back({std::move(request), WholeAnswers::listener(answers, orders.size())});
  version.generations->start(std::move(orders), after(settings_.patience));
  std::int64_t tokens = 0;
  std::vector<std::string> texts;
  for (Choice& choice : answers->wait(tokens)) texts.push_back(std::move(choice.text));
  return texts;
}

http::Response ServedEndpoint::invoke(const http::Request& request,
                                      const std::shared_ptr<LoadedVersion>& version) const {
  const served::Facts& facts = version->facts();
  const std::string* accept = request.header("Accept");
  const Invocation invocation = read_invocation(facts, request.media_type(), request.body);
  const AnswerShape shape = shape_of(accept == nullptr ? "" : *accept);
  if (facts.input == served::InputKind::kPrompts) {
    const std::vector<std::string> texts =
        written(request, *version, invocation.prompts, invocation.settings, "");
    OrderedJson list = OrderedJson::array();
    for (std::size_t i = 0; i < texts.size(); ++i)
      list.push_back(
          {{"generated_text", (invocation.repeats_prompt ? invocation.prompts[i] : "") + texts[i]}});
    return json_response(list);
  }
  const std::vector<served::Answer> answers =
      version->answers->ask(invocation.inputs, after(settings_.patience));
  OrderedJson list = OrderedJson::array();
  for (const served::Answer& answer : answers)
    list.push_back(answer_json(shape, facts, answer, settings_.name, version->label));
  http::Response response = json_response(invocation.is_list ? OrderedJson{{"predictions", list}} : list[0]);
  if (shape != AnswerShape::kOwn) return response;
  return http::Response::text(std::move(response.body), kOwnMediaType);
}

http::Response ServedEndpoint::infer(const http::Request& request,
                                     const std::shared_ptr<LoadedVersion>& version) const {
  const served::Facts& facts = version->facts();
  const std::string& name = request.part("model");
  const std::string adapter = asked_adapter(*version, request);
  // KServe's own clients name no type.
  const std::string type = request.media_type();
  if (!type.empty() && type != kJson && type != kBytes)
    throw Refusal::with_status(
        415, "tensors come as " + std::string(kJson) + " or " + kBytes + ", not as " + type);
  std::optional<std::size_t> json_bytes;
  if (const std::string* header = request.header(kBinaryHeader)) {
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(header->data(), header->data() + header->size(), size);
    if (error != std::errc() || end != header->data() + header->size())
      throw Refusal(std::string(kBinaryHeader) + " is no number of bytes");
    json_bytes = size;
  }
  const InferRequest asked = read_infer(facts, request.body, json_bytes);
  const InferResponse answer =
      facts.input == served::InputKind::kPrompts
          ? infer_response(asked, written(request, *version, asked.prompts, asked.settings, adapter), name,
                           version->label)
          : infer_response(facts, asked, version->answers->ask(asked.inputs, after(settings_.patience)), name,
                           version->label);
  if (!answer.json_bytes) return http::Response::text(answer.body, kJson);
  return http::Response::text(answer.body, kBytes).with(kBinaryHeader, std::to_string(*answer.json_bytes));
}

http::Response ServedEndpoint::complete(const http::Request& request,
                                        const std::shared_ptr<LoadedVersion>& version, bool is_chat) const {
  need(version->facts(), /*generates=*/true, "POST /invocations asks it");
  const CompletionRequest asked = read_completion(request.body, is_chat);
  const std::string adapter = adapter_of(*version, asked.model);
  std::vector<served::GenerationRequest> requests =
      generations_of(*version, asked.prompts, asked.choices, asked.settings, adapter, asked.alternatives,
                     is_chat ? "messages" : "prompt");
  const CompletionHead head{is_chat, (is_chat ? "chatcmpl-" : "cmpl-") + random_token(), asked.model,
                            settings_.name + "@" + version->label, seconds_now()};
  Usage usage;
  for (const served::GenerationRequest& one : requests)
    usage.prompt_tokens += static_cast<std::int64_t>(one.prompt.size());
  usage.prompt_tokens /= static_cast<std::int64_t>(asked.choices);  // a prompt counts once
  const std::size_t count = requests.size();
  const bool has_scores = asked.alternatives >= 0;
  const auto start = [&](const std::function<Listener(std::size_t)>& listener) {
    std::vector<GenerationQueue::Order> orders;
    for (served::GenerationRequest& one : requests)
      orders.push_back({std::move(one), listener(orders.size())});
    version->generations->start(std::move(orders), after(settings_.patience));
  };
  if (asked.streams) {
    StreamedAnswers::Form form;
    form.piece_of = [head, has_scores, wanted = asked.reports_usage,
                     offsets = std::vector<std::size_t>(count)](
                        std::size_t place, const served::Written& piece, bool is_first) mutable {
      const OrderedJson json = piece_json(head, place, piece, {is_first, has_scores, wanted, offsets[place]});
      for (const served::WrittenToken& token : piece.scores) offsets[place] += token.chosen.token.size();
      return json;
    };
    form.last = [head, usage, wanted = asked.reports_usage](std::int64_t tokens) {
      return wanted ? usage_piece_json(head, {usage.prompt_tokens, tokens}) : OrderedJson();
    };
    form.failure_of = [this](const std::exception_ptr& failure) {
      const Refusal refusal = refusal_of(failure, notes_);
      return openai_error_json(refusal.status(), refusal.what(), refusal.param(), refusal.code());
    };
    const auto answers = std::make_shared<StreamedAnswers>(count, std::move(form));
    start([&](std::size_t place) { return StreamedAnswers::listener(answers, place); });
    return http::Response::streamed(
        "text/event-stream",
        [answers](std::shared_ptr<http::ResponseStream> stream) { answers->attach(std::move(stream)); });
  }
  const auto answers = std::make_shared<WholeAnswers>(count, request.is_client_gone);
  start([&](std::size_t place) { return WholeAnswers::listener(answers, place); });
  const std::vector<Choice> choices = answers->wait(usage.completion_tokens);
  return json_response(completion_json(head, choices, usage, has_scores));
}

std::vector<http::Route> ServedEndpoint::routes() {
  using Request = http::Request;
  using Current = std::shared_ptr<LoadedVersion>;
  const std::uint64_t most = settings_.most_body_bytes;
  // What is open to everybody does not say which model it is.
  const auto healthy = [](const OrderedJson& json) {
    return [json](const Request&) { return json_response(json); };
  };
  const auto server = [](const Request&, const Current&) {
    return json_response(
        {{"name", "tune-train"}, {"version", TUNE_VERSION}, {"extensions", {"binary_tensor_data"}}});
  };
  const auto metadata = [this](const Request& request, const Current& now) {
    asked_adapter(*now, request);
    return json_response(model_metadata(now->facts(), request.part("model"), now->label));
  };
  const auto is_ready = [this](const Request& request, const Current& now) {
    asked_adapter(*now, request);
    return json_response({{"name", request.part("model")}, {"ready", true}});
  };
  const auto list = [this](const Request&, const Current& now) {
    return json_response(models_json(names(*now), created_));
  };
  const auto one = [this](const Request& request, const Current& now) {
    adapter_of(*now, request.part("model"));
    return json_response(model_json(request.part("model"), created_));
  };
  const auto numbers = [this](const Request&) {
    return http::Response::text(metrics_.prometheus_text(running()),
                                "text/plain; version=0.0.4; charset=utf-8");
  };
  const auto invoked = [this](const Request& request, const Current& now) { return invoke(request, now); };
  const auto inferred = [this](const Request& request, const Current& now) { return infer(request, now); };
  const auto chat = [this](const Request& request, const Current& now) {
    return complete(request, now, true);
  };
  const auto completed = [this](const Request& request, const Current& now) {
    return complete(request, now, false);
  };
  std::vector<http::Route> routes{
      {"GET", "/ping", healthy(OrderedJson::object()), /*is_open=*/true},
      {"GET", "/v2/health/live", healthy(OrderedJson{{"live", true}}), true},
      {"GET", "/v2/health/ready", healthy(OrderedJson{{"ready", true}}), true},
      {"POST", "/invocations", handler(invoked), false, most},
      {"GET", "/v2", handler(server)},
      {"GET", "/v1/models", handler(list)},
      {"GET", "/v1/models/{model}", handler(one)},
      {"POST", "/v1/chat/completions", handler(chat), false, most, {kJson}},
      {"POST", "/v1/completions", handler(completed), false, most, {kJson}},
      {"GET", "/metrics", numbers},
  };
  for (const std::string model : {"/v2/models/{model}", "/v2/models/{model}/versions/{version}"}) {
    routes.push_back({"GET", model, handler(metadata)});
    routes.push_back({"GET", model + "/ready", handler(is_ready)});
    routes.push_back({"POST", model + "/infer", handler(inferred), false, most});
  }
  return routes;
}

http::ServerSettings ServedEndpoint::server_settings() {
  http::ServerSettings settings;
  // A thread waits with each request: there are as many as may wait, and some for what is refused at once.
  constexpr std::size_t kSpareThreads = 8;
  settings.limits.threads = settings_.limits.most_waiting + kSpareThreads;
  settings.limits.queued = settings_.limits.most_waiting;
  settings.limits.connections = 1024;
  settings.error_form = [](const http::Request& request, int status, const std::string& message,
                           const std::string& hint) {
    return error_response(request.path, status, hint.empty() ? message : message + ": " + hint, "",
                          status == 401 ? "invalid_api_key" : "");
  };
  settings.on_answered = [this](const http::Answered& answered) {
    const bool asks_model = answered.route != nullptr && answered.route->method == "POST";
    metrics_.answered(answered.route == nullptr ? "" : answered.route->pattern, answered.status,
                      answered.took, asks_model);
  };
  return settings;
}

}  // namespace tune::trainer::serve
