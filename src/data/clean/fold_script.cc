// fold_script: traditional to simplified Chinese and the like, by OpenCC's dictionaries.
//
//   to = "t2s"               t2s, s2t, tw2s, s2tw, tw2sp, s2twp, hk2s, s2hk, t2tw, tw2t, t2hk, hk2t, t2jp, jp2t
#include <algorithm>

#include "base/str.h"
#include "data/clean/operation.h"
#include "data/clean/script_folder.h"

namespace atelier::data::clean {
namespace {

class FoldScript : public Operation {
 public:
  explicit FoldScript(Table* table) : fields_(table), folder_(Config(table)) {}

  void Mark(CharTable* table) const override {
    for (const char32_t c : folder_.triggers()) table->MarkFold(c);
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    fields_.Texts(row, [&](Field* field) {
      if ((worker->SurveyOf(field).trouble & kFold) == 0) return;
      worker->scratch.clear();
      folder_.Convert(field->text, &worker->scratch);
      if (worker->scratch != field->text) row->SetText(field, row->arena()->Copy(worker->scratch));
    });
    return "";
  }

 private:
  static std::string Config(Table* table) {
    std::string config = table->String("to");
    const auto& known = ScriptFolder::Configs();
    if (std::find(known.begin(), known.end(), config) == known.end()) {
      table->Refuse("to", Cat("'", config, "' is not a folding"), Cat("one of ", Join(known, ", ")));
    }
    return config;
  }

  FieldChoice fields_;
  ScriptFolder folder_;
};

}  // namespace

std::unique_ptr<Operation> MakeFoldScript(Table* table) { return std::make_unique<FoldScript>(table); }

}  // namespace atelier::data::clean
