#pragma once
// The storage that Optuna 5.0.0 has made (tests/golden/optuna), as a database.
#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace tune::tests {

inline void restore_golden_optuna(const std::filesystem::path& database) {
  std::ostringstream sql;
  sql << std::ifstream(std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/optuna/optuna5.sql").rdbuf();
  SQLite::Database(database, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql.str());
}

}  // namespace tune::tests
