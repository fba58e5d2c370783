// mask: personal data out of texts, as guard/personal.h finds it.
//
//   kinds = ["email", "phone"]    which; all of them where it is not written: email, phone, identity, card, iban,
//                                 passport, name, address, network
//   style = "label"               "[phone]"; or "shape": "138****5678"
//
// Reports show what such a text became, never what it was, whichever operation of the list they tell of. The version
// that was cleaned still has it all, and so have the rejects.
#include "base/error.h"
#include "base/str.h"
#include "data/clean/operation.h"
#include "data/clean/report.h"
#include "guard/personal.h"

namespace atelier::data::clean {
namespace {

class Mask : public Operation {
 public:
  explicit Mask(Table* table) : fields_(table) {
    for (const std::string& name : table->StringsOr("kinds", {})) {
      const std::optional<guard::Personal> kind = guard::PersonalFrom(name);
      if (!kind) table->Refuse("kinds", Cat(Quote(name), " is none"), Cat("there are ", Join(Names(), ", ")));
      kinds_.push_back(*kind);
    }
    if (kinds_.empty()) kinds_.assign(guard::AllPersonal().begin(), guard::AllPersonal().end());
    const std::string style = table->StringOr("style", "label");
    if (style != "label" && style != "shape") table->Refuse("style", Cat(Quote(style), " is neither label nor shape"));
    options_.style = style == "shape" ? guard::MaskStyle::kShape : guard::MaskStyle::kLabel;
  }

  std::string_view Apply(Row* row, Worker* /*worker*/) const override {
    fields_.Texts(row, [&](Field* field) {
      const std::vector<guard::PersonalSpan> spans = guard::FindPersonal(field->text, kinds_);
      if (spans.empty()) return;
      row->SetText(field, row->arena()->Copy(guard::MaskPersonal(field->text, spans, options_)));
      row->before = kNotShown;
    });
    return "";
  }

  bool conceals() const override { return true; }
  std::string Conceal(std::string_view text) const override {
    return guard::MaskPersonal(text, guard::FindPersonal(text, kinds_), options_);
  }

 private:
  static std::vector<std::string> Names() {
    std::vector<std::string> names;
    for (const guard::Personal kind : guard::AllPersonal()) names.emplace_back(guard::Name(kind));
    return names;
  }

  FieldChoice fields_;
  std::vector<guard::Personal> kinds_;
  guard::MaskOptions options_;
};

}  // namespace

std::unique_ptr<Operation> MakeMask(Table* table) { return std::make_unique<Mask>(table); }

}  // namespace atelier::data::clean
