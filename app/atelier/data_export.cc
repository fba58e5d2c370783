// atelier data export NAME --out FILE: a dataset as JSON lines or CSV.
#include <iostream>

#include "app/atelier/command.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/export.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataExport : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("name", &ref_, "NAME or NAME@VERSION", true);
    cli.Text("--out", &out_, "the file to write; - is standard output", true);
    cli.Text("--format", &format_, "jsonl or csv (default: by the file's name)");
    cli.Text("--split", &options_.split, "only the records of this split");
    cli.Text("--fields", &fields_, "these fields in this order, parted by commas (default: all)");
    cli.Flag("--ids", &options_.ours, "keep _id, _split and _from too");
    cli.Flag("--guard-formulas", &options_.guard_formulas,
             "CSV: put ' before a cell that a spreadsheet would run as a formula");
    cli.Flag("--bom", &options_.bom, "CSV: begin with a UTF-8 mark, so that Excel knows the encoding");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio, ".", store::Access::kReadIfMust);
    const bool piped = out_ == "-";
    if (piped && globals.json) throw Error(Code::kUsage, "--json and --out - would share standard output");
    options_.format = !format_.empty() ? format_ : ToLowerAscii(out_).ends_with(".csv") ? "csv" : "jsonl";
    for (const std::string& field : fields_.empty() ? std::vector<std::string>() : Split(fields_, ',')) {
      options_.fields.emplace_back(Trim(field));
    }
    const data::DatasetReader reader(data::Datasets(studio.Path("data")), ref_);
    data::ExportSums sums;
    {
      Progress progress(Cat("exporting ", reader.manifest().Reference()), ProgressUnit::kBytes,
                        globals.quiet || globals.json);
      options_.progress = progress.Callback();
      if (piped) {
        sums = data::Export(reader, options_, [](std::string_view bytes) {
          std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
          if (!std::cout) throw Error(Code::kIo, "standard output could not be written");
        });
      } else {
        AtomicFile file(out_);
        sums = data::Export(reader, options_, [&](std::string_view bytes) { file.Write(bytes); });
        file.Commit();
      }
    }
    if (globals.json) {
      std::cout << ToText(Json{{"dataset", reader.manifest().Reference()},
                               {"file", out_},
                               {"format", options_.format},
                               {"records", sums.records},
                               {"bytes", sums.bytes},
                               {"guarded", sums.guarded}})
                << "\n";
    } else if (!piped) {
      std::cout << sums.records << " records, " << FormatBytes(sums.bytes) << ": " << out_ << "\n";
      if (sums.guarded > 0) std::cout << sums.guarded << " cells got a ' before what looked like a formula\n";
    }
    return 0;
  }

 private:
  data::ExportOptions options_;
  std::string ref_, out_, format_, fields_;
};

}  // namespace

std::unique_ptr<Command> MakeDataExport() { return Make<DataExport>(); }

}  // namespace atelier::app
