#pragma once
// A spec in the making, and where each part of it comes from.
#include <map>
#include <string>

#include "tuner/import/import_report.h"

namespace tune::amt {

// Made for one search of an import, on the stack; keeps references to the report.
class SearchDraft {
 public:
  SearchDraft(std::string study, ImportReport& report);

  // `to` and `from` are pointers in the spec and in the request, or an option of the command.
  void put(const std::string& to, OrderedJson value, const std::string& from, std::string note = {});
  // Where a part of what was put lies in the request.
  void locate(const std::string& to, const std::string& from) { origins_[to] = from; }
  bool contains(const std::string& to) const { return origins_.contains(to); }

  void ignore(const std::string& from, OrderedJson value, std::string reason);
  void leave_out(const std::string& from, OrderedJson value, std::string reason);  // unmapped

  // The origin of the value at `to`, or of what holds it; "" where it has none.
  std::string origin_of(std::string to) const;

  // Its sections in the order that people write them in, without empty ones.
  OrderedJson spec() const;

 private:
  std::string study_;
  ImportReport& report_;
  OrderedJson spec_;
  std::map<std::string, std::string> origins_;
};

}  // namespace tune::amt
