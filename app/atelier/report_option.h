// --report FILE and its companions, for commands whose results are worth a picture.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/atelier/command.h"
#include "app/atelier/notes.h"
#include "base/json.h"
#include "report/report.h"

namespace atelier::app {

// Throws kUsage where `out`, which is to be written, is the file `input`.
void MustNotReplace(const std::string& out, const std::string& input);

class ReportOption {
 public:
  void Declare(Cli& cli);
  bool wanted() const { return !file_.path.empty(); }
  // Throws where the report could not be written or would replace one of `files`: before the work, not after it. They
  // are what it is about, for its head; empty names are passed over.
  void Check(const std::vector<std::string>& files);
  bool chinese() const { return chinese_; }
  // Writes the file and says where: for machines as `key` in `body`, for people on standard error.
  // `notes` stand below what the report begins with, in its language.
  void Write(report::Report report, const Notes& notes, const Globals& globals, Json* body,
             const char* key = "report") const;

 private:
  report::ReportFile file_;
  std::string language_, about_;
  std::optional<double> scale_;
  bool chinese_ = false;
};

}  // namespace atelier::app
