#include "tuner/engine/loop/pause.h"

#include "tuner/core/attempt_layout.h"
#include "tuner/engine/attempt/attempt_log.h"

namespace tune::engine {

Pause pause_of(const PoisonGuard::Verdict& verdict, const std::filesystem::path& study_folder,
               const std::string& study) {
  Pause pause;
  std::vector<std::filesystem::path> folders;
  for (const PoisonGuard::Member& each : verdict.row)
    folders.push_back(attempt_folder(study_folder, {each.trial, each.attempt}));
  pause.log_end = shared_log_end(folders);
  pause.trial = verdict.row.back().trial;
  pause.attempt = verdict.row.back().attempt;
  pause.hint =
      "mend it, and run the same command again; `tune resume " + study +
      " --retry-failed` also runs the failed trials again; a study keeps its spec, so that a mistake "
      "in the spec itself (in its command, say) is mended for a study with another --name";
  if (verdict.is_silent)
    pause.hint += "; where a regex of the spec was wrong, `tune rescan " + study +
                  " --spec FILE` reads the logs again with the mended one";
  return pause;
}

}  // namespace tune::engine
