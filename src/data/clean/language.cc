// language: writes which language a text is in, and can keep only some.
//
//   fields = ["text"]        whose texts together decide
//   into = "language"        the field that gets "zh", "en" or "other"; "" writes none
//   keep = ["zh", "en"]      optional: records of other languages are dropped
//   unknown = "other"        what a text without letters is called
#include "base/str.h"
#include "data/clean/language_id.h"
#include "data/clean/operation.h"

namespace atelier::data::clean {
namespace {

class LanguageOperation : public Operation {
 public:
  explicit LanguageOperation(Table* table) : fields_(table) {
    into_ = table->StringOr("into", "language");
    if (into_.find_first_of("\"\\") != std::string::npos || into_.starts_with('_')) {
      table->Refuse("into", "is not a field's name", "letters, digits, no quotes, no _ in front");
    }
    unknown_ = table->StringOr("unknown", "other");
    if (!IsLanguage(unknown_)) table->Refuse("unknown", "is not zh, en or other");
    for (const std::string& language : table->StringsOr("keep", {})) {
      if (!IsLanguage(language)) table->Refuse("keep", Cat("'", language, "' is not zh, en or other"));
      keep_.push_back(language);
    }
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    LanguageEvidence evidence;
    fields_.Texts(row, [&](Field* field) {
      if (field->key == into_) return;
      evidence.Add(worker->SurveyOf(field), worker->TokensOf(field));
    });
    std::string_view language = evidence.Decide();
    if (language.empty()) language = unknown_;
    if (!keep_.empty()) {
      bool kept = false;
      for (const std::string& one : keep_) kept |= one == language;
      if (!kept) return language == "zh" ? "in Chinese" : language == "en" ? "in English" : "in another language";
    }
    if (!into_.empty()) row->AddText(into_, Padded(language));
    return "";
  }

 private:
  static bool IsLanguage(std::string_view name) { return name == "zh" || name == "en" || name == "other"; }

  // A constant with the padding that texts of a row have.
  static std::string_view Padded(std::string_view language) {
    static constexpr char kZh[kPadding + 8] = "zh", kEn[kPadding + 8] = "en", kOther[kPadding + 8] = "other";
    return language == "zh"   ? std::string_view(kZh, 2)
           : language == "en" ? std::string_view(kEn, 2)
                              : std::string_view(kOther, 5);
  }

  FieldChoice fields_;
  std::string into_, unknown_;
  std::vector<std::string> keep_;
};

}  // namespace

std::unique_ptr<Operation> MakeLanguage(Table* table) { return std::make_unique<LanguageOperation>(table); }

}  // namespace atelier::data::clean
