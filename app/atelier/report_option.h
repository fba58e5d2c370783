// --report FILE and its companions, for commands whose results are worth a picture.
#pragma once

#include <string>
#include <vector>

#include "app/atelier/command.h"
#include "base/json.h"
#include "report/report.h"

namespace atelier::app {

class ReportOption {
 public:
  void Declare(Cli& cli);
  bool wanted() const { return !file_.path.empty(); }
  // Throws where the report could not be written: before the work, not after it. `files` are what it is about, for its
  // head; empty names are passed over. REQUIRES: wanted.
  void Check(const std::vector<std::string>& files);
  bool chinese() const { return chinese_; }
  // Writes the file and says where: for machines as `key` in `body`, for people on standard error.
  void Write(report::Report report, const Globals& globals, Json* body, const char* key = "report") const;

 private:
  report::ReportFile file_;
  std::string language_, about_;
  bool chinese_ = false;
};

}  // namespace atelier::app
