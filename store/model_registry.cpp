#include "store/model_registry.h"

#include <algorithm>

#include "store/connection.h"
#include "store/schema.h"
#include "store/shape.h"
#include "store/write_transaction.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/enum_text.h"
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

// Of the table "versions AS v".
#define NOT_DELETED                                                                                          \
  " AND NOT EXISTS (SELECT 1 FROM remarks AS r WHERE r.model = v.model AND r.version = v.version AND r.kind" \
  " = 'deleted')"

constexpr EnumTexts<Approval, 3> kApprovals{
    {{Approval::kPending, "pending"}, {Approval::kApproved, "approved"}, {Approval::kRejected, "rejected"}}};
constexpr EnumTexts<PromotionOutcome, 3> kOutcomes{{{PromotionOutcome::kMoved, "moved"},
                                                    {PromotionOutcome::kRemoved, "removed"},
                                                    {PromotionOutcome::kRefused, "refused"}}};
constexpr EnumTexts<RemarkKind, 5> kRemarkKinds{{{RemarkKind::kNote, "note"},
                                                 {RemarkKind::kPending, "pending"},
                                                 {RemarkKind::kApproved, "approved"},
                                                 {RemarkKind::kRejected, "rejected"},
                                                 {RemarkKind::kDeleted, "deleted"}}};

std::string version_name(int version) { return version == 0 ? "none" : "version " + std::to_string(version); }

}  // namespace

const char* to_string(Approval approval) { return text_of(kApprovals, approval); }
const char* to_string(PromotionOutcome outcome) { return text_of(kOutcomes, outcome); }
const char* to_string(RemarkKind kind) { return text_of(kRemarkKinds, kind); }

Error unknown_model(const std::string& name, const std::vector<std::string>& known) {
  const auto guess = nearest_name(name, known);
  return {ExitCode::kNotFound, "there is no model \"" + name + "\"",
          guess ? "did you mean \"" + *guess + "\"?" : "`tune models` lists them"};
}

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

  // 0 where the alias names nothing.
  int named(const std::string& model, const std::string& alias) {
    Query query(connection, "SELECT version FROM aliases WHERE model = ? AND alias = ?");
    return query.bind(model).bind(alias).step() ? query.small() : 0;
  }

  std::string alias_of(const std::string& model, int version) {
    Query query(connection, "SELECT alias FROM aliases WHERE model = ? AND version = ? ORDER BY alias");
    return query.bind(model).bind(version).step() ? query.text() : std::string();
  }

  bool is_there(const std::string& model, int version) {
    Query query(connection, "SELECT 1 FROM versions AS v WHERE model = ? AND version = ?" NOT_DELETED);
    return query.bind(model).bind(version).step();
  }

  void require_version(const std::string& model, int version) {
    if (is_there(model, version)) return;
    throw Error(ExitCode::kNotFound, model + " has no version " + std::to_string(version),
                "`tune models " + model + "` lists them");
  }

  Approval approval(const std::string& model, int version) {
    Query query(connection,
                "SELECT kind FROM remarks WHERE model = ? AND version = ? AND kind IN ('pending', "
                "'approved', 'rejected') ORDER BY id DESC LIMIT 1");
    if (!query.bind(model).bind(version).step()) return Approval::kPending;
    return query.cell([](const std::string& text) { return value_of(kApprovals, text, "approval"); });
  }

  void require_named(const Promotion& promotion) {
    const int current = named(promotion.model, promotion.alias);
    if (current == promotion.from) return;
    throw Error(ExitCode::kConflict,
                "the " + promotion.alias + " version of " + promotion.model + " is " + version_name(current) +
                    ", not " + version_name(promotion.from) + " any more",
                "somebody else has promoted in between; look at `tune models " + promotion.model +
                    "`, and promote again");
  }

  void log(const Promotion& promotion) {
    Query(connection,
          "INSERT INTO promotions (model, alias, from_version, to_version, outcome, who, reason, evidence, "
          "time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(promotion.model)
        .bind(promotion.alias)
        .bind(promotion.from)
        .bind(promotion.to)
        .bind(to_string(promotion.outcome))
        .bind(promotion.who)
        .bind(promotion.reason)
        .bind(promotion.evidence)
        .bind(promotion.time)
        .run();
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

  // Newest first, without those that were deleted.
  std::vector<ModelVersion> versions(const std::string& model) {
    Query query(
        connection,
        "SELECT model, version, created_ms, study, trial, metric, goal, reduce, value, lineage FROM versions"
        " AS v WHERE model = ?" NOT_DELETED " ORDER BY version DESC");
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
      version.files = files(model, version.version);
      version.approval = approval(model, version.version);
      list.push_back(std::move(version));
    }
    return list;
  }

  std::optional<ModelVersion> version(const std::string& model, int number) {
    for (ModelVersion& each : versions(model))
      if (each.version == number) return std::move(each);
    return std::nullopt;
  }

  std::vector<std::string> models() {
    Query query(connection, "SELECT DISTINCT model FROM versions AS v WHERE 1" NOT_DELETED " ORDER BY model");
    std::vector<std::string> names;
    while (query.step()) names.push_back(query.text());
    return names;
  }

  std::vector<ModelAlias> aliases(const std::string& model) {
    Query query(connection, "SELECT alias, version FROM aliases WHERE model = ? ORDER BY alias");
    query.bind(model);
    std::vector<ModelAlias> list;
    while (query.step()) {
      ModelAlias alias;
      alias.alias = query.text();
      alias.version = query.count();
      list.push_back(std::move(alias));
    }
    return list;
  }

  Connection connection;
};

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
  impl_->require_named(promotion);
  impl_->require_version(promotion.model, promotion.to);
  if (impl_->approval(promotion.model, promotion.to) == Approval::kRejected)
    throw Error(ExitCode::kConflict,
                "version " + std::to_string(promotion.to) + " of " + promotion.model + " was rejected",
                "`tune models show " + promotion.model + "@" + std::to_string(promotion.to) +
                    "` says by whom and why; `tune models approve` takes that back");
  Query(impl_->connection,
        "INSERT INTO aliases (model, alias, version) VALUES (?, ?, ?) ON CONFLICT (model, alias) DO UPDATE "
        "SET version = excluded.version")
      .bind(promotion.model)
      .bind(promotion.alias)
      .bind(promotion.to)
      .run();
  Promotion logged = promotion;
  logged.outcome = PromotionOutcome::kMoved;
  impl_->log(logged);
  transaction.commit();
}

void ModelRegistry::remove_alias(const Promotion& promotion) {
  WriteTransaction transaction(impl_->connection);
  impl_->require_named(promotion);
  if (promotion.from == 0)
    throw Error(ExitCode::kNotFound, promotion.model + " has no alias " + promotion.alias,
                "`tune models " + promotion.model + "` lists them");
  Query(impl_->connection, "DELETE FROM aliases WHERE model = ? AND alias = ?")
      .bind(promotion.model)
      .bind(promotion.alias)
      .run();
  Promotion logged = promotion;
  logged.outcome = PromotionOutcome::kRemoved;
  logged.to = 0;
  impl_->log(logged);
  transaction.commit();
}

void ModelRegistry::record_refusal(const Promotion& promotion) {
  WriteTransaction transaction(impl_->connection);
  impl_->require_version(promotion.model, promotion.to);
  Promotion logged = promotion;
  logged.outcome = PromotionOutcome::kRefused;
  impl_->log(logged);
  transaction.commit();
}

void ModelRegistry::remark(const Remark& remark) {
  WriteTransaction transaction(impl_->connection);
  impl_->require_version(remark.model, remark.version);
  const bool needs_no_alias = remark.kind == RemarkKind::kRejected || remark.kind == RemarkKind::kDeleted;
  const std::string alias = needs_no_alias ? impl_->alias_of(remark.model, remark.version) : std::string();
  if (!alias.empty())
    throw Error(ExitCode::kConflict,
                "version " + std::to_string(remark.version) + " of " + remark.model + " is its " + alias +
                    " version, and cannot be " + to_string(remark.kind),
                "`tune models rollback " + remark.model + " --alias " + alias +
                    "` goes back to the one before, `tune models alias remove " + remark.model + " " + alias +
                    "` leaves none");
  Query(impl_->connection,
        "INSERT INTO remarks (model, version, kind, text, who, time_ms) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(remark.model)
      .bind(remark.version)
      .bind(to_string(remark.kind))
      .bind(remark.text)
      .bind(remark.who)
      .bind(remark.time)
      .run();
  transaction.commit();
}

std::vector<std::string> ModelRegistry::models() const { return impl_->models(); }

std::vector<ModelVersion> ModelRegistry::versions(const std::string& model) const {
  const ReadTransaction transaction(impl_->connection);
  return impl_->versions(model);
}

std::optional<ModelVersion> ModelRegistry::version(const std::string& model, int number) const {
  const ReadTransaction transaction(impl_->connection);
  return impl_->version(model, number);
}

std::vector<int> ModelRegistry::deleted_versions(const std::string& model) const {
  Query query(impl_->connection,
              "SELECT version FROM remarks WHERE model = ? AND kind = 'deleted' ORDER BY version");
  query.bind(model);
  std::vector<int> list;
  while (query.step()) list.push_back(query.count());
  return list;
}

std::vector<ModelAlias> ModelRegistry::aliases(const std::string& model) const {
  return impl_->aliases(model);
}

int ModelRegistry::alias(const std::string& model, const std::string& alias) const {
  return impl_->named(model, alias);
}

std::optional<ModelVersion> ModelRegistry::current(const std::string& model) const {
  const ReadTransaction transaction(impl_->connection);
  const int number = impl_->named(model, kCurrentAlias);
  if (number == 0) return std::nullopt;
  if (auto found = impl_->version(model, number)) return found;
  throw DamagedFile(impl_->connection.name() + ": the current version of " + model + ", " +
                    std::to_string(number) + ", is missing");
}

ModelVersion ModelRegistry::resolve(const ModelReference& reference) const {
  const ReadTransaction transaction(impl_->connection);
  const std::vector<std::string> known = impl_->models();
  if (std::find(known.begin(), known.end(), reference.model) == known.end())
    throw unknown_model(reference.model, known);
  const int number =
      reference.version > 0 ? reference.version : impl_->named(reference.model, reference.alias);
  if (number == 0) {
    std::vector<std::string> names;
    for (const ModelAlias& alias : impl_->aliases(reference.model)) names.push_back(alias.alias);
    throw Error(ExitCode::kNotFound, reference.model + " has no " + reference.alias + " version",
                names.empty() ? "name one by its number: " + reference.model + "@1"
                              : name_hint(reference.alias, names, "its aliases"));
  }
  if (auto found = impl_->version(reference.model, number)) return *std::move(found);
  if (reference.version == 0)
    throw DamagedFile(impl_->connection.name() + ": the " + reference.alias + " version of " +
                      reference.model + ", " + std::to_string(number) + ", is missing");
  throw Error(ExitCode::kNotFound, reference.model + " has no version " + std::to_string(number),
              "`tune models " + reference.model + "` lists them");
}

std::vector<Promotion> ModelRegistry::promotions(const std::string& model) const {
  Query query(impl_->connection,
              "SELECT model, from_version, to_version, reason, evidence, time_ms, alias, who, outcome FROM "
              "promotions WHERE model = ? ORDER BY id");
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
    promotion.alias = query.text();
    promotion.who = query.text();
    promotion.outcome =
        query.cell([](const std::string& text) { return value_of(kOutcomes, text, "outcome"); });
    list.push_back(std::move(promotion));
  }
  return list;
}

std::vector<Remark> ModelRegistry::remarks(const std::string& model) const {
  Query query(impl_->connection,
              "SELECT model, version, kind, text, who, time_ms FROM remarks WHERE model = ? ORDER BY id");
  query.bind(model);
  std::vector<Remark> list;
  while (query.step()) {
    Remark remark;
    remark.model = query.text();
    remark.version = query.count();
    remark.kind = query.cell([](const std::string& text) { return value_of(kRemarkKinds, text, "remark"); });
    remark.text = query.text();
    remark.who = query.text();
    remark.time = query.time();
    list.push_back(std::move(remark));
  }
  return list;
}

}  // namespace tune::store
