#include "operators/model_loop.h"

#include "base/error.h"
#include "base/str.h"

namespace atelier::operators {
namespace {

// Null where it is not here and need not be.
std::shared_ptr<artefact::Generator> Find(recipe::Run& run, const ModelLoop& loop, const std::string& name) {
  try {
    return run.Model(name);
  } catch (const Error& e) {
    if (!loop.optional || e.code() != Code::kNotFound) throw e.Within(Cat("step ", loop.step));
    run.Note(Cat("left out: ", e.Line()));
    return nullptr;
  }
}

}  // namespace

void ForEachBatch(recipe::Run& run, const ModelLoop& loop, std::span<const size_t> records, size_t most,
                  const BatchFn& work, const std::function<bool(const recipe::Record&)>& wanted) {
  uint64_t done = 0;
  for (const auto& [lang, name] : loop.models) {
    const std::string& model_name = name;  // clang 14 lets no lambda have a structured binding
    const artefact::StreamFn going = [&](int, const artefact::StreamPiece&) {
      run.Report(done, records.size(), model_name);
      return true;
    };
    std::shared_ptr<artefact::Generator> model;
    std::vector<recipe::Record*> batch;
    bool here = true;
    const auto flush = [&] {
      if (batch.empty()) return;
      if (!model) here = (model = Find(run, loop, model_name)) != nullptr;
      if (here) work(*model, model_name, batch, going);
      done += batch.size();
      batch.clear();
    };
    for (const size_t index : records) {
      if (!here) break;
      recipe::Record& record = run.records().at(index);
      if (record.lang != lang) continue;
      run.Report(done, records.size(), name);
      if (!record.needs_person.empty() || (wanted && !wanted(record))) {
        ++done;
        continue;
      }
      batch.push_back(&record);
      if (batch.size() == most) flush();
    }
    flush();
  }
}

void ForEachRecord(recipe::Run& run, const ModelLoop& loop, std::span<const size_t> records, const WorkFn& work,
                   const std::function<bool(const recipe::Record&)>& wanted) {
  ForEachBatch(
      run, loop, records, 1,
      [&](artefact::Generator& model, const std::string& name, std::span<recipe::Record* const> batch,
          const artefact::StreamFn& going) { work(model, name, *batch[0], going); },
      wanted);
}

}  // namespace atelier::operators
