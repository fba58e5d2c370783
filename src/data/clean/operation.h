// One step of cleaning. An operation is made from its TOML table, optionally fitted on the records that reach it, and
// then applied to every record by several threads at once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/json.h"
#include "data/clean/row.h"
#include "data/clean/tokens.h"

namespace atelier::data::clean {

// What one thread works with.
class Worker {
 public:
  explicit Worker(const CharTable* table) : table_(table), tokeniser_(table) {}
  const CharTable& table() const { return *table_; }
  Arena& arena() { return arena_; }
  Tokeniser& tokeniser() { return tokeniser_; }
  // Measured once per text, by whoever asks first.
  const Survey& SurveyOf(Field* field);
  const Tokens& TokensOf(Field* field);
  std::string scratch, scratch2;  // an operation's own, for the length of a call

 private:
  const CharTable* table_;
  Tokeniser tokeniser_;
  Arena arena_;
};

// What a block of records adds to a fit. Absorbed in the blocks' order, so that the result does not depend on threads.
class Observations {
 public:
  virtual ~Observations() = default;
};

class Operation {
 public:
  virtual ~Operation() = default;

  // Changes the row, or says why it goes: a view that outlives the operation's call. "" keeps it. Const and
  // thread-safe: everything that changes is in the row and the worker.
  virtual std::string_view Apply(Row* row, Worker* worker) const = 0;

  // A text as a report may show it: without what this operation takes out, where that must not be seen.
  virtual bool conceals() const { return false; }
  virtual std::string Conceal(std::string_view text) const { return std::string(text); }

  // Characters that it looks for are marked in the table that all operations of the list share.
  virtual void Mark(CharTable* /*table*/) const {}

  // Fitting. An operation that fits sees all records that the operations before it let through, then is applied.
  virtual bool fits() const { return false; }
  virtual std::unique_ptr<Observations> NewObservations() const { return nullptr; }
  virtual void Observe(Row* /*row*/, Worker* /*worker*/, Observations* /*to*/) const {}
  virtual void Absorb(const Observations& /*from*/) {}
  virtual void FinishFit() {}                       // throws Error(kInvalidInput) where there was nothing to fit on
  virtual Json Fitted() const { return Json(); }    // everything that the fit found
  virtual void Restore(const Json& /*fitted*/) {}   // the same from another run
  virtual Json Findings() const { return Json(); }  // more for the report, e.g. label counts
};

// Which fields an operation works on: those named, or every text field that is not ours.
class FieldChoice {
 public:
  FieldChoice() = default;
  explicit FieldChoice(Table* table) : names_(table->Has("fields") ? table->StringOrStrings("fields") : NoNames()) {}
  explicit FieldChoice(std::vector<std::string> names) : names_(std::move(names)) {}
  const std::vector<std::string>& names() const { return names_; }

  template <typename Visit>
  void Texts(Row* row, const Visit& visit) const {
    if (names_.empty()) {
      for (size_t i = 0; i < row->fields.size(); ++i) {
        if (row->fields[i].kind == Kind::kText && !row->fields[i].ours()) visit(&row->fields[i]);
      }
      return;
    }
    for (const std::string& name : names_) {
      size_t hint = 0;
      Field* field = row->Find(name, &hint);
      if (field != nullptr && field->kind == Kind::kText) visit(field);
    }
  }

 private:
  static std::vector<std::string> NoNames() { return {}; }
  std::vector<std::string> names_;
};

struct OperationEntry {
  std::string_view name;
  std::unique_ptr<Operation> (*make)(Table* table);  // reads its keys; the caller refuses the others
};
std::span<const OperationEntry> AllOperations();  // operations.cc, the visible list

}  // namespace atelier::data::clean
