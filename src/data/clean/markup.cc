// markup: plain text out of text with HTML, addresses and mail footers in it. The functions are in markup_text.h.
//
//   tags = true, entities = true
//   urls = "keep", mails = "keep"      or "drop", or what stands in their place: "[URL]"
//   mail_footers = false               cut signatures and quoted mails
#include "base/str.h"
#include "data/clean/markup_text.h"
#include "data/clean/operation.h"

namespace atelier::data::clean {
namespace {

class Markup : public Operation {
 public:
  explicit Markup(Table* table) : fields_(table) {
    tags_ = table->BoolOr("tags", true);
    entities_ = table->BoolOr("entities", true);
    urls_ = table->StringOr("urls", "keep");
    mails_ = table->StringOr("mails", "keep");
    footers_ = table->BoolOr("mail_footers", false);
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    fields_.Texts(row, [&](Field* field) {
      const std::string_view whole = field->text;
      const bool markup = (worker->SurveyOf(field).trouble & kMarkup) != 0;
      std::string* now = &worker->scratch;
      std::string* next = &worker->scratch2;
      bool made = false;  // `now` holds the text
      const auto step = [&](const auto& change) {
        next->clear();
        change(made ? std::string_view(*now) : whole, next);
        std::swap(now, next);
        made = true;
      };
      if (tags_ && markup) step([](std::string_view text, std::string* out) { StripTags(text, out); });
      if (entities_ && markup) step([](std::string_view text, std::string* out) { DecodeEntities(text, out); });
      if (footers_) step([](std::string_view text, std::string* out) { StripMail(text, out); });
      // Mail addresses first: nothing of "a@www.b.org" is an address of a page.
      if (mails_ != "keep" && whole.find('@') != std::string_view::npos) {
        step([&](std::string_view text, std::string* out) { ReplaceMails(text, Mark(mails_), out); });
      }
      if (urls_ != "keep") step([&](std::string_view text, std::string* out) { ReplaceUrls(text, Mark(urls_), out); });
      if (made && *now != whole) row->SetText(field, row->arena()->Copy(*now));
    });
    return "";
  }

 private:
  static std::string_view Mark(const std::string& way) { return way == "drop" ? std::string_view() : way; }

  FieldChoice fields_;
  bool tags_, entities_, footers_;
  std::string urls_, mails_;
};

}  // namespace

std::unique_ptr<Operation> MakeMarkup(Table* table) { return std::make_unique<Markup>(table); }

}  // namespace atelier::data::clean
