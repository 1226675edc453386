#include "store/comparison_store.h"

#include <algorithm>
#include <stdexcept>

#include "store/schema.h"
#include "store/shape.h"
#include "store/write_transaction.h"
#include "tuner/core/error.h"

namespace tune::store {
namespace {

// Its approaches are looked for by name.
Json document_from(const std::string& text) {
  Json document = Json::parse(text);
  if (!document.is_object()) throw std::invalid_argument("it is not a JSON object");
  for (const Json& approach : document.value("approaches", Json::array()))
    approach.at("name").get<std::string>();
  return document;
}

}  // namespace

struct ComparisonStore::Impl {
  Impl(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout)
      : connection(file, mode, busy_timeout) {
    if (mode == OpenMode::kRead) {
      require_newest(connection, comparison_schema());
      check_shape(connection, comparison_schema());
      return;
    }
    connection.execute("PRAGMA synchronous = FULL");
    connection.execute("PRAGMA foreign_keys = ON");
    if (mode == OpenMode::kCreate && schema_version(connection, comparison_schema()) == 0)
      create_tables(connection, comparison_schema());
    if (schema_version(connection, comparison_schema()) == 0) require_newest(connection, comparison_schema());
    migrate(connection, comparison_schema());
    check_shape(connection, comparison_schema());
  }

  Connection connection;
};

ComparisonStore::ComparisonStore(const std::filesystem::path& file, OpenMode mode, Milliseconds busy_timeout)
    : impl_(std::make_unique<Impl>(file, mode, busy_timeout)) {}
ComparisonStore::~ComparisonStore() = default;
ComparisonStore::ComparisonStore(ComparisonStore&&) noexcept = default;

std::optional<ComparisonRow> ComparisonStore::comparison() const {
  Query query(impl_->connection,
              "SELECT name, document, document_text, folder, created_ms, facts FROM comparison");
  if (!query.step()) return std::nullopt;
  ComparisonRow row;
  row.name = query.text();
  row.document = query.cell(document_from);
  row.text = query.text();
  row.folder = query.text();
  row.created = query.time();
  row.facts = query.object();
  return row;
}

void ComparisonStore::begin(const ComparisonRow& row) {
  TUNE_CHECK(models().empty(), impl_->connection.name());
  Query(impl_->connection,
        "INSERT OR REPLACE INTO comparison (id, name, document, document_text, folder, created_ms, facts)"
        " VALUES (1, ?, ?, ?, ?, ?, ?)")
      .bind(row.name)
      .bind(row.document)
      .bind(row.text)
      .bind(row.folder)
      .bind(row.created)
      .bind(row.facts)
      .run();
}

void ComparisonStore::update_facts(const Json& facts) {
  Query(impl_->connection, "UPDATE comparison SET facts = ?").bind(facts).run();
}

void ComparisonStore::freeze(const std::vector<FrozenModel>& models, const Json& facts) {
  WriteTransaction transaction(impl_->connection);
  if (impl_->connection.number("SELECT count(*) FROM models") > 0)
    throw Error(ExitCode::kConflict, impl_->connection.name() + ": its models are frozen already",
                "another tune has worked on this comparison; run it again");
  Query insert(impl_->connection,
               "INSERT INTO models (number, approach, role, study, trial, validation, folder, fingerprint)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const FrozenModel& model : models)
    insert.bind(model.number)
        .bind(model.approach)
        .bind(model.role)
        .bind(model.study)
        .bind(model.trial)
        .bind(model.validation)
        .bind(model.folder)
        .bind(model.fingerprint)
        .run();
  update_facts(facts);
  transaction.commit();
}

std::vector<FrozenModel> ComparisonStore::models() const {
  Query query(impl_->connection,
              "SELECT number, approach, role, study, trial, validation, folder, fingerprint FROM models"
              " ORDER BY number");
  std::vector<FrozenModel> list;
  while (query.step()) {
    FrozenModel model;
    model.number = query.count();
    model.approach = query.text();
    model.role = query.text();
    model.study = query.text();
    model.trial = query.count();
    model.validation = query.real();
    model.folder = query.text();
    model.fingerprint = query.text();
    list.push_back(std::move(model));
  }
  return list;
}

int ComparisonStore::begin_scoring(WallTime now) {
  WriteTransaction transaction(impl_->connection);
  if (impl_->connection.number("SELECT count(*) FROM scorings WHERE ended_ms IS NULL") > 0)
    throw Error(ExitCode::kConflict, impl_->connection.name() + ": a scoring has not ended yet",
                "run the comparison again: it goes on with that one");
  const auto row = comparison();
  const int before = row ? row->facts.value(kLooksBefore, 0) : 0;
  const int number =
      std::max(before,
               static_cast<int>(impl_->connection.number("SELECT coalesce(max(number), 0) FROM scorings"))) +
      1;
  Query(impl_->connection, "INSERT INTO scorings (number, started_ms, result) VALUES (?, ?, 'null')")
      .bind(number)
      .bind(now)
      .run();
  transaction.commit();
  return number;
}

void ComparisonStore::insert_prediction(int scoring, const Prediction& prediction) {
  Query(impl_->connection,
        "INSERT OR REPLACE INTO predictions (scoring, model, sha256, seconds, facts) VALUES (?, ?, ?, ?, ?)")
      .bind(scoring)
      .bind(prediction.model)
      .bind(prediction.sha256)
      .bind(prediction.seconds)
      .bind(prediction.facts)
      .run();
}

std::vector<Prediction> ComparisonStore::predictions(int scoring) const {
  Query query(impl_->connection,
              "SELECT model, sha256, seconds, facts FROM predictions WHERE scoring = ? ORDER BY model");
  query.bind(scoring);
  std::vector<Prediction> list;
  while (query.step()) {
    Prediction prediction;
    prediction.model = query.count();
    prediction.sha256 = query.text();
    prediction.seconds = query.seconds();
    prediction.facts = query.json();
    list.push_back(std::move(prediction));
  }
  return list;
}

void ComparisonStore::end_scoring(int scoring, const Json& result, WallTime now) {
  Query(impl_->connection, "UPDATE scorings SET ended_ms = ?, result = ? WHERE number = ?")
      .bind(now)
      .bind(result)
      .bind(scoring)
      .run();
}

std::vector<Scoring> ComparisonStore::scorings() const {
  Query query(impl_->connection, "SELECT number, started_ms, ended_ms, result FROM scorings ORDER BY number");
  std::vector<Scoring> list;
  while (query.step()) {
    Scoring scoring;
    scoring.number = query.count();
    scoring.started = query.time();
    scoring.ended = query.maybe_time();
    scoring.result = query.json();
    list.push_back(std::move(scoring));
  }
  return list;
}

}  // namespace tune::store
