#pragma once
// `tune serve` beside a search, as a process of its own.
#include <sys/types.h>

#include <filesystem>
#include <iosfwd>

namespace tune::cli {

// Shows a store for as long as it lives. The search shares no thread, no memory and no Ctrl-C with it. Owned
// by the command that runs the search. Throws Error(kEnvironment) with what `tune serve` said when it did not
// begin.
class DashboardProcess {
 public:
  // Makes the store's folder where there is none yet, and prints where to look.
  DashboardProcess(const std::filesystem::path& store, std::ostream& out);
  ~DashboardProcess();
  DashboardProcess(const DashboardProcess&) = delete;
  DashboardProcess& operator=(const DashboardProcess&) = delete;

 private:
  pid_t process_ = -1;
};

}  // namespace tune::cli
