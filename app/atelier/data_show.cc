// atelier data show NAME[@VERSION]: what a dataset holds, as a table or a page.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "app/atelier/text_table.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/dataset.h"
#include "data/profile.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class DataShow : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &ref_, "NAME, or NAME@3 for its third version", true);
    cli.Int("--head", &head_, "print so many records, one JSON object a line, instead of the summary", 0, 1'000'000);
    cli.Flag("--rejects", &rejects_, "print what was not taken, and why, one JSON object a line");
    cli.Text("--html", &html_, "write a page: histograms, frequent values, duplicates, samples");
    cli.Text("--lang", &language_, "of the page: zh or en (default: by LANG)");
    cli.Flag("--verify", &verify_, "read every shard and hold it against its hash");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    const data::Datasets datasets(studio.Path("data"));
    const data::DatasetReader reader(datasets, ref_);
    if (rejects_) {
      reader.ReadRejects([&](std::string_view lines) {
        std::cout << lines;
        return static_cast<bool>(std::cout);
      });
      return 0;
    }
    if (head_ > 0) {
      int64_t left = head_;
      reader.ReadAll([&](std::string_view lines) {
        for (size_t begin = 0; begin < lines.size() && left > 0; --left) {
          const size_t end = lines.find('\n', begin) + 1;
          std::cout << lines.substr(begin, end - begin);
          begin = end;
        }
        return left > 0 && std::cout;
      });
      return 0;
    }
    if (!html_.empty()) {
      WritePage(reader, globals);
      if (globals.json) return 0;
    }
    if (verify_) reader.ReadAll([](std::string_view) { return true; });
    if (globals.json) {
      Json body = data::ToJson(reader.manifest());
      if (verify_) body["verified"] = true;
      std::cout << ToText(body) << "\n";
      return 0;
    }
    PrintVersion(reader.manifest());
    if (verify_) std::cout << "every shard holds what was written\n";
    return 0;
  }

 private:
  void WritePage(const data::DatasetReader& reader, const Globals& globals) {
    const std::string language = PageLanguage(language_);
    data::Profile profile;
    {
      Progress progress(Cat("reading ", reader.manifest().Reference()), ProgressUnit::kBytes,
                        globals.quiet || globals.json);
      profile = data::MakeProfile(reader, 8, progress.Callback());
    }
    WriteFileAtomic(html_, data::ProfilePage(profile, language));
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", reader.manifest().Reference()},
                               {"page", html_},
                               {"duplicates", profile.duplicates},
                               {"estimated", profile.duplicates_estimated}})
                << "\n";
    } else {
      std::cerr << "The page is " << html_ << ".\n";
    }
  }

  std::string ref_, html_, language_;
  int64_t head_ = 0;
  bool rejects_ = false, verify_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataShow() { return Make<DataShow>(); }

}  // namespace atelier::app
