#pragma once
// How a database file is opened.

namespace tune::store {

enum class OpenMode {
  kCreate,  // writes; makes what is not there
  kWrite,   // writes, and migrates an older file forward
  kRead,    // writes nothing
};

}  // namespace tune::store
