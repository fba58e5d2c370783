// atelier evaluate form --input items.csv --form rubric.toml --out form.html
#include <iostream>
#include <optional>

#include "app/atelier/command.h"
#include "app/atelier/report_option.h"
#include "base/config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/str.h"
#include "data/records.h"
#include "evaluate/rating_form.h"

namespace atelier::app {
namespace {

std::string CsvCell(const std::string& text) { return Cat("\"", ReplaceAll(text, "\"", "\"\""), "\""); }

class FormCommand final : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--input", &input_, "items: CSV or JSON lines", true);
    cli.Text("--form", &form_, "the rubric, a TOML file: what is shown, and the criteria", true);
    cli.Text("--out", &out_, "the page to write", true);
    cli.Text("--lang", &lang_, "the page's language: en or zh");
    cli.Flag("--blind", &blind_, "leave out what made an item, and name items by codes; the key goes to OUT.key.csv");
    cli.Int("--seed", &seed_,
            "of each rater's order of the items, and of the codes (blind: drawn by default, and not for raters)", 0,
            INT64_MAX);
  }

  int Run(const Globals& globals) override {
    if (lang_ != "en" && lang_ != "zh") throw Error(Code::kUsage, Cat("--lang is ", Quote(lang_)), "en or zh");
    const std::string key = Cat(out_, ".key.csv");
    for (const std::string& input : {input_, form_}) {
      MustNotReplace(out_, input);
      if (blind_) MustNotReplace(key, input);
    }
    if (!seed_) seed_ = blind_ ? std::stoll(RandomHex(7), nullptr, 16) : 1;
    evaluate::FormRubric rubric = evaluate::ReadFormRubric(Table::Load(form_));
    data::ImportOptions options;
    options.list_fields = rubric.lists;
    const std::vector<data::Record> records = data::ReadRecords(input_, options).records;
    const evaluate::RatingForm form =
        evaluate::MakeForm(std::move(rubric), records, input_, blind_, static_cast<uint64_t>(*seed_));
    const std::string page = evaluate::FormPage(form, lang_ == "zh");
    if (blind_) {
      std::string rows = "item,id,system\n";
      for (const evaluate::FormItem& item : form.items)
        rows += Cat(item.id, ",", CsvCell(item.source), ",", CsvCell(item.system), "\n");
      WriteFileAtomic(key, rows);
    }
    WriteFileAtomic(out_, page);
    if (globals.json) {
      std::cout << ToText({{"out", out_},
                           {"key", blind_ ? Json(key) : Json()},
                           {"form", form.hash},
                           {"seed", *seed_},
                           {"items", form.items.size()},
                           {"criteria", form.rubric.criteria.size()},
                           {"bytes", page.size()}})
                << "\n";
      return 0;
    }
    std::cout << out_ << ": " << form.items.size() << " items, " << form.rubric.criteria.size() << " criteria, "
              << FormatBytes(page.size()) << "\n";
    if (blind_) std::cout << key << ": which item is which; not for raters, nor is the seed " << *seed_ << "\n";
    std::cout << "Raters open it, rate, save, and send the file back: atelier evaluate agreement --form " << out_
              << " --ratings FILE --ratings FILE\n";
    return 0;
  }

 private:
  std::string input_, form_, out_, lang_ = "en";
  bool blind_ = false;
  std::optional<int64_t> seed_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateForm() { return Make<FormCommand>(); }

}  // namespace atelier::app
