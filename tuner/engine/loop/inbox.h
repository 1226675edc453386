#pragma once
// Requests from other terminals to the orchestrator of a study, as files in the study's folder: the database
// has one writer.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/json.h"

namespace tune::engine {

struct Request {
  std::string id;       // of its own, drawn by who made it
  std::string command;  // "set", "enqueue", "rerun", "stop", "pause", "continue"
  Json arguments = Json::object();
  std::string who;  // "ada@host"
  WallTime when;
};

// Who works on a study looks so often: a request is taken up well within a second.
inline constexpr Milliseconds kLookAtInbox{250};

// STORE/STUDY/inbox: ID.request, written whole or not at all, and ID.answer once it was obeyed. Names begin
// with the time, so that requests are read in the order in which they were made. A request that is answered
// is gone; the answer stays until who asked has read it, or for a day.
class Inbox {
 public:
  explicit Inbox(const std::filesystem::path& study_folder) : folder_(study_folder / "inbox") {}

  // Gives the request its id, and writes it. Throws Error(kEnvironment).
  std::string send(Request request) const;
  // What was asked for and not answered, the oldest first. A file that is no request is taken away, and said.
  std::vector<Request> requests(std::vector<std::string>& unreadable) const;
  // The answer is there before the request goes: a process that dies between both answers again.
  void answer(const Request& request, const Json& answer) const;
  void withdraw(const std::string& id) const;
  // The answer, which is removed; nullopt while there is none.
  std::optional<Json> take_answer(const std::string& id) const;

 private:
  std::filesystem::path folder_;
};

}  // namespace tune::engine
