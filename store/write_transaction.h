#pragma once
// A write transaction that stands for itself; a study's own can be nested and ask for durability
// (StudyStore::Transaction). Internal to the store.
#include "store/connection.h"
#include "tuner/core/error.h"

namespace tune::store {

// BEGIN IMMEDIATE at once, so that no other writer comes between what is read and what is written. Rolled
// back unless commit() ran.
class WriteTransaction {
 public:
  explicit WriteTransaction(Connection& connection) : connection_(connection) {
    connection_.execute("BEGIN IMMEDIATE");
  }
  ~WriteTransaction() {
    if (done_) return;
    try {
      connection_.execute("ROLLBACK");
    } catch (const Error&) {
      // SQLite has rolled back by itself; the error that brought us here is the one to report.
    }
  }
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  void commit() {
    connection_.execute("COMMIT");
    done_ = true;
  }

 private:
  Connection& connection_;
  bool done_ = false;
};

}  // namespace tune::store
