// atelier data import SOURCE... --name NAME: files, folders and tables become the next version of a dataset.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/data_print.h"
#include "base/error.h"
#include "base/process.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/import/import.h"
#include "store/studio.h"

namespace atelier::app {
namespace {

class DataImport : public Command {
 public:
  void Declare(Cli& cli) override {
    std::vector<std::string> formats;
    for (const data::ReaderEntry& reader : data::AllReaders()) formats.emplace_back(reader.name);
    cli.Texts("sources", &request_.sources, "files, folders, - (standard input), or a postgresql:// address");
    cli.Text("--name", &name_, "the dataset's name", true);
    cli.Text("--format", &request_.format, Cat("instead of what the name says: ", Join(formats, ", ")));
    cli.Text("--encoding", &request_.encoding, "instead of the detected one: UTF-8, UTF-16LE, UTF-16BE, GB18030, Big5");
    cli.Flag("--strict", &request_.strict, "fail at the first bad record instead of putting it to the rejects");
    cli.Text("--delimiter", &request_.delimiter, "of CSV: one character or tab (default: found)");
    cli.Flag("--no-header", &no_header_, "the first row of CSV is data; columns are c1, c2 ...");
    cli.Texts("--type", &types_, "COLUMN=text or COLUMN=number, '*' for all others; repeat for more (default: found)");
    cli.Text("--unit", &request_.unit, "of plain text, one record each: paragraph, line or file (default: paragraph)");
    cli.Text("--table", &request_.table, "of a database");
    cli.Text("--query", &request_.query, "of a database, instead of --table: one SELECT");
    cli.Flag("--by-path", &request_.by_path, "leave pictures and sound where they are, instead of keeping a copy");
    cli.Text("--licence", &request_.licence, "what the data may be used for, for the manifest");
    cli.Text("--consent", &request_.consent, "whose consent it stands on, for the manifest");
  }

  int Run(const Globals& globals) override {
    store::Studio studio = store::Studio::Require(globals.studio);
    request_.header = !no_header_;
    for (const std::string& type : types_) {
      const size_t at = type.rfind('=');
      if (at == std::string::npos || at == 0) {
        throw Error(Code::kUsage, Cat("--type ", Quote(type)), "write COLUMN=text or COLUMN=number");
      }
      request_.types[type.substr(0, at)] = type.substr(at + 1);
    }
    const store::Objects objects = studio.objects();
    data::ImportHelpers helpers;
    helpers.objects = &objects;
    helpers.program = OwnProgram();
    std::vector<std::string> notes;
    helpers.note = [&](const std::string& note) { notes.push_back(note); };
    data::Manifest made;
    {
      Progress progress(Cat("importing ", name_), ProgressUnit::kBytes, globals.quiet || globals.json);
      helpers.progress = progress.Callback();
      made = data::Import(data::Datasets(studio.Path("data")), name_, request_, helpers);
    }
    if (globals.json) {
      Json body = data::ToJson(made);
      body["notes"] = notes;
      std::cout << ToText(body) << "\n";
      return 0;
    }
    for (const std::string& note : notes) std::cerr << "note: " << note << "\n";
    PrintVersion(made);
    if (made.rejects > 0) {
      std::cerr << made.rejects << (made.rejects == 1 ? " record was" : " records were")
                << " not taken; `atelier data show " << made.Reference() << " --rejects` says which and why.\n";
    }
    return 0;
  }

 private:
  data::ImportRequest request_;
  std::vector<std::string> types_;
  std::string name_;
  bool no_header_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataImport() { return Make<DataImport>(); }

}  // namespace atelier::app
