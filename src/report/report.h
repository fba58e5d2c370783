// A report: charts, and what stands around them, as one file that needs nothing else. A page for people, a picture for
// papers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::report {

struct Figure {
  std::string name;   // "roc": what --report-figure asks for
  std::string svg;    // of chart.h
  std::string above;  // HTML; on a page what it heads begins a new row
};

struct Report {
  std::string title;
  bool chinese = false;
  std::string before;  // HTML above the figures; page.h, Html escapes
  std::vector<Figure> figures;
  std::string after;  // HTML below them
};

// What to make of it.
struct ReportFile {
  std::string path;    // .html, .svg or .png
  std::string figure;  // in a picture only this one; "": all, below each other. A page has all
  double scale = 2;    // pixels of a PNG per CSS pixel
};

// Throws kUsage for another ending, a figure asked of a page and a path that is a folder; what a write there would
// throw; and kNotFound where what makes PNGs is not installed: before any work is done.
void MustBeWritable(const ReportFile& file);

std::string ReportPage(const Report& report);
// One picture on white. Throws kUsage, naming those that there are, for a figure that the report does not have.
std::string ReportSvg(const Report& report, std::string_view figure = "");
// SVG to PNG by rsvg-convert, a child process with limits. At most 20,000 pixels either way (kUsage).
std::string SvgToPng(const std::string& svg, double scale);

// Writes the file atomically.
void WriteReport(const Report& report, const ReportFile& file);

}  // namespace atelier::report
