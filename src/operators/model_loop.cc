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

void ForEachRecord(recipe::Run& run, const ModelLoop& loop, std::span<const size_t> records, const WorkFn& work,
                   const std::function<bool(const recipe::Record&)>& wanted) {
  uint64_t done = 0;
  for (const auto& [lang, name] : loop.models) {
    const std::string& model_name = name;  // clang 14 lets no lambda have a structured binding
    const artefact::StreamFn going = [&](int, const artefact::StreamPiece&) {
      run.Report(done, records.size(), model_name);
      return true;
    };
    std::shared_ptr<artefact::Generator> model;
    for (const size_t index : records) {
      recipe::Record& record = run.records().at(index);
      if (record.lang != lang) continue;
      run.Report(done++, records.size(), name);
      if (!record.needs_person.empty() || (wanted && !wanted(record))) continue;
      if (!model && !(model = Find(run, loop, name))) break;
      work(*model, name, record, going);
    }
  }
}

}  // namespace atelier::operators
