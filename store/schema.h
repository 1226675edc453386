#pragma once
// Tables, and the way from one version of them to the next. Internal to the store.
#include <string>
#include <vector>

#include "store/connection.h"

namespace tune::store {

// What brings a file from version `from` to `from` + 1.
struct Migration {
  int from;
  const char* sql;
};

// A kind of database file: its number in the file's header, its newest version, its tables, its migrations.
struct Schema {
  std::int32_t application_id;
  int version;
  const char* tables;  // of the newest version
  std::vector<Migration> migrations;
  const char* brought_up_to_date_by = "";  // the command that migrates
};

const Schema& study_schema();
const Schema& registry_schema();
const Schema& comparison_schema();

// Version of the file; 0 when it holds no tables yet (its creation was interrupted, or it is new).
// Error(kEnvironment) when it is another kind of database.
int schema_version(Connection& connection, const Schema& schema);
// Creates the tables in an empty file. One transaction; harmless when somebody else was faster.
void create_tables(Connection& connection, const Schema& schema);
// Migrates an older file forward in one transaction. Error(kEnvironment) for a newer one.
void migrate(Connection& connection, const Schema& schema);
// For readers: Error(kEnvironment) unless the file has exactly the newest version.
void require_newest(Connection& connection, const Schema& schema);

}  // namespace tune::store
