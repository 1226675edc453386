#include "store/model_registry.h"

#include "store/connection.h"
#include "store/schema.h"
#include "store/shape.h"
#include "store/write_transaction.h"
#include "tuner/core/error.h"
#include "tuner/core/objective_text.h"

namespace tune::store {

namespace {

// The file, ready for readers: a writer that died in the middle of a commit leaves a journal that only a
// writer can roll back.
const std::filesystem::path& rolled_back(const std::filesystem::path& file, OpenMode mode,
                                         Milliseconds busy_timeout) {
  std::error_code ignored;
  if (mode != OpenMode::kRead || !std::filesystem::exists(file.string() + "-journal", ignored)) return file;
  try {
    Connection(file, OpenMode::kWrite, busy_timeout).text("SELECT count(*) FROM sqlite_schema");
  } catch (const Error&) {
    // Where that is not possible, the reader's own error says why.
  }
  return file;
}

}  // namespace

struct ModelRegistry::Impl {
  Impl(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout)
      : connection(rolled_back(file, mode, busy_timeout), mode, busy_timeout) {
    if (mode == OpenMode::kRead) {
      require_newest(connection, registry_schema());
      check_shape(connection, registry_schema());
      return;
    }
    connection.execute("PRAGMA synchronous = FULL");
    connection.execute("PRAGMA foreign_keys = ON");
    if (mode == OpenMode::kCreate && schema_version(connection, registry_schema()) == 0)
      create_tables(connection, registry_schema());
    if (schema_version(connection, registry_schema()) == 0) require_newest(connection, registry_schema());
    migrate(connection, registry_schema());
    check_shape(connection, registry_schema());
  }

  int current_number(const std::string& model) {
    Query query(connection, "SELECT version FROM current WHERE model = ?");
    return query.bind(model).step() ? query.small() : 0;
  }

  std::vector<ModelFile> files(const std::string& model, int version) {
    Query query(connection,
                "SELECT path, bytes, sha256 FROM files WHERE model = ? AND version = ? ORDER BY path");
    query.bind(model).bind(version);
    std::vector<ModelFile> list;
    while (query.step()) {
      ModelFile file;
      file.path = query.text();
      file.bytes = query.bytes();
      file.sha256 = query.text();
      list.push_back(std::move(file));
    }
    return list;
  }

  Connection connection;
};

namespace {

std::string version_name(int version) { return version == 0 ? "none" : "version " + std::to_string(version); }

}  // namespace

ModelRegistry::ModelRegistry(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout)
    : impl_(std::make_unique<Impl>(file, mode, busy_timeout)) {}
ModelRegistry::~ModelRegistry() = default;
ModelRegistry::ModelRegistry(ModelRegistry&&) noexcept = default;

int ModelRegistry::next_version(const std::string& model) const {
  Query query(impl_->connection, "SELECT coalesce(max(version), 0) + 1 FROM versions WHERE model = ?");
  TUNE_CHECK(query.bind(model).step(), model);
  return query.small();
}

void ModelRegistry::insert_version(const ModelVersion& version) {
  WriteTransaction transaction(impl_->connection);
  Query insert(
      impl_->connection,
      "INSERT INTO versions (model, version, created_ms, study, trial, metric, goal, reduce, value, lineage)"
      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (model, version) DO NOTHING");
  insert.bind(version.model)
      .bind(version.version)
      .bind(version.created)
      .bind(version.study)
      .bind(version.trial)
      .bind(version.objective.metric)
      .bind(goal_text(version.objective.goal))
      .bind(reduce_text(version.objective.reduce))
      .bind(version.value)
      .bind(version.lineage)
      .run();
  if (impl_->connection.changes() == 0)
    throw Error(ExitCode::kConflict,
                version.model + " has a version " + std::to_string(version.version) + " already",
                "another study has promoted in between; promote again");
  Query insert_file(impl_->connection,
                    "INSERT INTO files (model, version, path, bytes, sha256) VALUES (?, ?, ?, ?, ?)");
  for (const ModelFile& file : version.files)
    insert_file.bind(version.model)
        .bind(version.version)
        .bind(file.path)
        .bind(file.bytes)
        .bind(file.sha256)
        .run();
  transaction.commit();
}

void ModelRegistry::promote(const Promotion& promotion) {
  WriteTransaction transaction(impl_->connection);
  const int current = impl_->current_number(promotion.model);
  if (current != promotion.from)
    throw Error(ExitCode::kConflict,
                "the current version of " + promotion.model + " is " + version_name(current) + ", not " +
                    version_name(promotion.from) + " any more",
                "another study has promoted in between; promote again");
  Query known(impl_->connection, "SELECT 1 FROM versions WHERE model = ? AND version = ?");
  if (!known.bind(promotion.model).bind(promotion.to).step())
    throw Error(ExitCode::kNotFound, promotion.model + " has no version " + std::to_string(promotion.to),
                "`tune models " + promotion.model + "` lists them");
  Query(impl_->connection,
        "INSERT INTO current (model, version) VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET version = "
        "excluded.version")
      .bind(promotion.model)
      .bind(promotion.to)
      .run();
  Query(impl_->connection,
        "INSERT INTO promotions (model, from_version, to_version, reason, evidence, time_ms) VALUES (?, ?, "
        "?, ?, ?, ?)")
      .bind(promotion.model)
      .bind(promotion.from)
      .bind(promotion.to)
      .bind(promotion.reason)
      .bind(promotion.evidence)
      .bind(promotion.time)
      .run();
  transaction.commit();
}

std::vector<std::string> ModelRegistry::models() const {
  Query query(impl_->connection, "SELECT DISTINCT model FROM versions ORDER BY model");
  std::vector<std::string> names;
  while (query.step()) names.push_back(query.text());
  return names;
}

std::vector<ModelVersion> ModelRegistry::versions(const std::string& model) const {
  const ReadTransaction transaction(impl_->connection);
  Query query(
      impl_->connection,
      "SELECT model, version, created_ms, study, trial, metric, goal, reduce, value, lineage FROM versions"
      " WHERE model = ? ORDER BY version DESC");
  query.bind(model);
  std::vector<ModelVersion> list;
  while (query.step()) {
    ModelVersion version;
    version.model = query.text();
    version.version = query.count();
    version.created = query.time();
    version.study = query.text();
    version.trial = query.count();
    version.objective.metric = query.text();
    version.objective.goal = query.cell(goal_from);
    version.objective.reduce = query.cell(reduce_from);
    version.value = query.real();
    version.lineage = query.object();
    version.files = impl_->files(model, version.version);
    list.push_back(std::move(version));
  }
  return list;
}

std::optional<ModelVersion> ModelRegistry::current(const std::string& model) const {
  // Versions never go, so the one that is current now is among those read a moment later.
  const int number = impl_->current_number(model);
  if (number == 0) return std::nullopt;
  for (ModelVersion& version : versions(model))
    if (version.version == number) return std::move(version);
  throw DamagedFile(impl_->connection.name() + ": the current version of " + model + ", " +
                    std::to_string(number) + ", is missing");
}

std::vector<Promotion> ModelRegistry::promotions(const std::string& model) const {
  Query query(
      impl_->connection,
      "SELECT model, from_version, to_version, reason, evidence, time_ms FROM promotions WHERE model = ?"
      " ORDER BY id");
  query.bind(model);
  std::vector<Promotion> list;
  while (query.step()) {
    Promotion promotion;
    promotion.model = query.text();
    promotion.from = query.small();
    promotion.to = query.small();
    promotion.reason = query.text();
    promotion.evidence = query.object();
    promotion.time = query.time();
    list.push_back(std::move(promotion));
  }
  return list;
}

}  // namespace tune::store
