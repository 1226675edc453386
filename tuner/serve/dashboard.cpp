#include "tuner/serve/dashboard.h"

#include <charconv>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/http/token_file.h"
#include "tuner/live/study_place.h"
#include "tuner/live/study_request.h"
#include "tuner/serve/comparison_view.h"
#include "tuner/serve/endpoint_view.h"
#include "tuner/serve/model_view.h"
#include "tuner/serve/pages.h"
#include "tuner/serve/query_number.h"
#include "tuner/serve/request_body.h"
#include "tuner/serve/study_views.h"
#include "tuner/serve/timeline.h"
#include "tuner/serve/trial_query.h"
#include "tuner/serve/trial_view.h"

namespace tune::serve {
namespace {

constexpr std::uint64_t kMostRequestBytes = 1 << 20, kMostInvokeBytes = 32 << 20;
constexpr std::int64_t kMostTrial = 1'000'000'000;  // a number that no trial has
constexpr Milliseconds kGrace{3'000};
// A sandbox's answer holds a thread for as long as it lasts, so do a promotion and what is asked of a study.
constexpr std::size_t kThreads = 8, kMostLongAnswers = 5;

http::Access::Settings access_settings(const DashboardSettings& settings, const http::Address& address) {
  http::Access::Settings access;
  access.token = http::token_of(settings.token_file, "name a file that can be written: --token-file FILE");
  access.hosts = http::hosts_of(address, settings.more_hosts);
  access.more_hosts = "else start the server with --allow-host NAME:PORT";
  access.has_sessions = true;
  access.port = address.port;
  return access;
}

int trial_in(const http::Request& request) {
  const std::string& text = request.part("trial");
  int trial = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), trial);
  if (problem != std::errc() || end != text.data() + text.size() || trial < 1)
    throw http::HttpError(404, in_quotes(text) + " is no trial's number");
  return trial;
}

}  // namespace

Dashboard::Dashboard(DashboardSettings settings)
    : settings_(std::move(settings)),
      listener_(http::listen_on(settings_.address)),
      address_(listener_.address),
      access_(access_settings(settings_, address_)),
      book_(settings_.store),
      overview_(book_, settings_.version),
      importance_(book_),
      hub_(book_),
      routes_(make_routes()) {}

Dashboard::~Dashboard() { stop(); }

void Dashboard::start() {
  http::ServerSettings server;
  server.limits.threads = kThreads;
  server_ = std::make_unique<http::Server>(std::move(listener_), routes_, access_, std::move(server));
  server_->start();
}

void Dashboard::stop() {
  is_stopping_ = true;
  hub_.stop();
  if (server_) server_->stop(kGrace);
}

std::string Dashboard::one_time_url() {
  // A browser cannot open 0.0.0.0 everywhere; the machine itself is one of the addresses that it stands for.
  const bool is_every = address_.host == "0.0.0.0" || address_.host == "::";
  const http::Address shown{is_every ? "127.0.0.1" : address_.host, address_.port};
  return "http://" + shown.text() + access_.one_time_path();
}

std::vector<http::Route> Dashboard::make_routes() {
  std::vector<http::Route> routes = access_.routes();
  const auto get = [&routes](const char* pattern, http::Handler handler) {
    routes.push_back({"GET", pattern, std::move(handler)});
  };
  // An answer of a study is kept under the whole of what was asked.
  const auto of_study = [&](const char* pattern, auto make) {
    get(pattern, [this, make](const http::Request& request) {
      std::string key = request.path;
      for (const auto& [name, value] : request.query)
        key += (key.size() == request.path.size() ? '?' : '&') + http::percent_encoded(name) + '=' +
               http::percent_encoded(value);
      return book_.answer(request.part("study"), key,
                          [&](StudyTable& table) { return make(table, request); });
    });
  };
  get("/api/overview", [this](const http::Request&) { return http::Response::json(overview_.make()); });
  get("/api/events", [this](const http::Request& request) { return stream_events(request); });
  of_study("/api/studies/{study}",
           [](StudyTable& table, const http::Request&) { return http::Response::json(study_json(table)); });
  of_study("/api/studies/{study}/trials", [](StudyTable& table, const http::Request& request) {
    return http::Response::json(trials_page(table, trial_query_of(request)));
  });
  of_study("/api/studies/{study}/points", [](StudyTable& table, const http::Request& request) {
    const auto after = static_cast<int>(query_number(request, "after", 0, kMostTrial).value_or(0));
    return http::Response::text(points_text(table, after), "application/json");
  });
  of_study("/api/studies/{study}/curves", [](StudyTable& table, const http::Request& request) {
    return http::Response::json(curves_json(table, request));
  });
  get("/api/studies/{study}/importance",
      [this](const http::Request& request) { return importance_.answer(request.part("study")); });
  of_study("/api/studies/{study}/timeline", [](StudyTable& table, const http::Request&) {
    return http::Response::json(timeline_json(table));
  });
  of_study("/api/studies/{study}/trials/{trial}", [](StudyTable& table, const http::Request& request) {
    return http::Response::json(trial_json(table, trial_in(request)));
  });
  get("/api/studies/{study}/trials/{trial}/log", [this](const http::Request& request) {
    http::Response response;
    book_.with(request.part("study"), [&](StudyTable& table) {
      response = http::Response::json(log_json(table, trial_in(request), request));
    });
    return response;
  });
  get("/api/comparisons/{comparison}", [this](const http::Request& request) {
    return http::Response::json(
        comparison_json(settings_.store, request.part("comparison"), settings_.version));
  });
  get("/api/models/{model}", [this](const http::Request& request) {
    return http::Response::json(model_json(settings_.store, request.part("model")));
  });
  get("/api/endpoints/{endpoint}", [this](const http::Request& request) {
    return http::Response::json(endpoint_json(settings_.store, request.part("endpoint")));
  });
  const std::function<bool()> is_interrupted = [this] { return is_stopping_.load(); };
  routes.push_back({"POST",
                    "/api/studies/{study}/requests",
                    long_handler([this](const http::Request& request) { return take_request(request); }),
                    /*is_open=*/false,
                    kMostRequestBytes,
                    {"application/json"}});
  routes.push_back({"POST",
                    "/api/models/{model}/aliases",
                    long_handler([this, is_interrupted](const http::Request& request) {
                      return promote_model(settings_.store, request.part("model"), request.body,
                                           is_interrupted);
                    }),
                    /*is_open=*/false,
                    kMostRequestBytes,
                    {"application/json"}});
  routes.push_back({"POST", "/api/endpoints/{endpoint}/invoke",
                    long_handler([this, is_interrupted](const http::Request& request) {
                      return invoke_endpoint(settings_.store, request.part("endpoint"), request,
                                             is_interrupted);
                    }),
                    /*is_open=*/false, kMostInvokeBytes});
  for (http::Route& route : page_routes(settings_.assets)) routes.push_back(std::move(route));
  return routes;
}

// Of all threads some are left to the pages.
http::Handler Dashboard::long_handler(http::Handler handler) {
  return [this, handler = std::move(handler)](const http::Request& request) {
    // Given back by its last owner: this call, or the producer of what is streamed.
    const std::shared_ptr<void> turn(nullptr, [this](void*) { --long_answers_; });
    if (++long_answers_ > kMostLongAnswers)
      throw http::HttpError(503,
                            "as many answers that take long are on their way as this server gives at once",
                            "wait for one of them to end, or end it");
    http::Response response = handler(request);
    if (response.producer)
      response.producer = [turn, produce = std::move(response.producer)](
                              const std::shared_ptr<http::ResponseStream>& stream) { produce(stream); };
    return response;
  };
}

http::Response Dashboard::stream_events(const http::Request& request) {
  const std::string* asked = request.parameter("study");
  const std::string study = asked == nullptr ? "" : *asked;
  hub_.require_room();
  if (!study.empty()) book_.with(study, [](StudyTable&) {});  // an unknown one is an error, not a stream
  std::int64_t last_event = 0;
  if (const std::string* last = request.header("Last-Event-ID"))
    std::from_chars(last->data(), last->data() + last->size(), last_event);
  return http::Response::streamed("text/event-stream",
                                  [this, study, last_event](std::shared_ptr<http::ResponseStream> stream) {
                                    hub_.add(study, last_event, std::move(stream));
                                  });
}

http::Response Dashboard::take_request(const http::Request& request) {
  StudyRequest asked = study_request_of(request.body);
  const std::string& study = request.part("study");
  book_.with(study, [](StudyTable&) {});  // one that the store lists
  const std::string done = live::ask_study(settings_.store, study, asked.command, std::move(asked.arguments),
                                           [this] { return is_stopping_.load(); });
  book_.expire(study);
  return http::Response::json({{"schema", 1}, {"study", study}, {"done", done}});
}

}  // namespace tune::serve
