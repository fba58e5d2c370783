#include "app/atelier/report_option.h"

#include <iostream>

#include "app/atelier/data_print.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "report/page.h"
#include "text/unicode.h"

namespace atelier::app {

void MustNotReplace(const std::string& out, const std::string& input) {
  if (!SameFile(out, input)) return;
  throw Error(Code::kUsage, Cat(Quote(out, 200), " is an input of this command"), "name another file to write");
}

void ReportOption::Declare(Cli& cli) {
  cli.Text("--report", &file_.path, "a file for people: a page (.html), or pictures (.svg, .png)");
  cli.Text("--report-lang", &language_, "of the report: zh or en (default: by LANG)");
  cli.Text("--report-figure", &file_.figure, "of a picture only this figure, for papers: scores, roc ...");
  cli.Double("--report-scale", &scale_, "pixels of a PNG per point of the picture", 0.1, 16);
}

void ReportOption::Check(const std::vector<std::string>& files) {
  if (!language_.empty() && language_ != "zh" && language_ != "en") {
    throw Error(Code::kUsage, Cat("--report-lang ", Quote(language_)), "zh or en");
  }
  if (!wanted()) {
    if (!language_.empty() || !file_.figure.empty() || scale_)
      throw Error(Code::kUsage, "--report-lang, --report-figure and --report-scale say how, --report says where",
                  "--report FILE");
    return;
  }
  file_.scale = scale_.value_or(file_.scale);
  for (const std::string& file : files) MustNotReplace(file_.path, file);
  chinese_ = PageLanguage(language_) == "zh";
  report::MustBeWritable(file_);
  for (const std::string& file : files) {
    if (!file.empty()) about_ += Cat(about_.empty() ? "" : " · ", "<bdi>", report::Html(file, 300), "</bdi>");
  }
}

void ReportOption::Write(report::Report report, const Notes& notes, const Globals& globals, Json* body,
                         const char* key) const {
  report.before = Cat("<p>", about_, "</p>\n", report.before);
  for (const Note& note : notes) report.before += Cat("<p><bdi>", report::Html(note.In(chinese_)), "</bdi></p>\n");
  report::WriteReport(report, file_);
  (*body)[key] = file_.path;
  if (!globals.json && !globals.quiet) std::cerr << "report: " << text::ForTerminal(file_.path) << "\n";
}

}  // namespace atelier::app
