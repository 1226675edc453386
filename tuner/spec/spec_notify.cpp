// The section `notify` of a spec, and of a comparison.
#include <algorithm>
#include <array>

#include "tuner/core/enum_text.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

constexpr EnumTexts<NotifyOn, 4> kEvents{{{NotifyOn::kFinished, "finished"},
                                          {NotifyOn::kFailed, "failed"},
                                          {NotifyOn::kBest, "best"},
                                          {NotifyOn::kBudget, "budget"}}};

bool is_set_by_tune(const std::string& name) {
  constexpr std::array<std::string_view, 5> kSet{kEventVariable, kEventFileVariable, kMessageVariable,
                                                 kStudyVariable, kStoreVariable};
  return std::find(kSet.begin(), kSet.end(), name) != kSet.end();
}

Notification read_one(const std::string& pointer, SpecProblems& problems) {
  Notification notification;
  if (problems.is_sound(pointer + "/on"))
    if (const OrderedJson* on = problems.find(pointer + "/on"))
      for (const OrderedJson& word : *on) {
        const auto event = value_of(kEvents, word.get<std::string>(), "event");
        if (std::find(notification.on.begin(), notification.on.end(), event) == notification.on.end())
          notification.on.push_back(event);
      }
  const std::string command = pointer + "/command";
  if (problems.is_sound(command))
    if (const OrderedJson* elements = problems.find(command)) {
      for (const OrderedJson& element : *elements) notification.command.push_back(element.get<std::string>());
      for (std::size_t i = 0; i < notification.command.size(); ++i)
        check_no_nul(notification.command[i], element_pointer(command, i), problems);
      if (notification.command[0].empty()) problems.add(command + "/0", "the program's name is empty");
    }
  notification.environment = read_environment(
      pointer + "/environment", is_set_by_tune, [](const std::string&) { return "choose another name"; },
      problems);
  if (const auto limit = read_value<std::string>(problems, pointer + "/time_limit"))
    notification.time_limit = parse_duration(*limit);
  constexpr Milliseconds kLongest{600'000};
  if (notification.time_limit > kLongest)
    problems.add(pointer + "/time_limit", "a command that tells somebody has 10m at most",
                 "start what takes longer in the background of a script");
  return notification;
}

}  // namespace

const char* to_string(NotifyOn on) { return text_of(kEvents, on); }

std::vector<Notification> read_notify(SpecProblems& problems) {
  std::vector<Notification> notify;
  const OrderedJson* list = problems.find("/notify");
  if (list == nullptr) return notify;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = element_pointer("/notify", i);
    if (problems.find(pointer) != nullptr) notify.push_back(read_one(pointer, problems));
  }
  return notify;
}

}  // namespace tune
