#include "report/report.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "base/str.h"
#include "report/chart_canvas.h"
#include "report/page.h"

namespace atelier::report {
namespace {

constexpr double kMostPixels = 20'000;
constexpr const char* kProgram = "rsvg-convert";
constexpr const char* kHowToInstall = "install librsvg2-bin, or write .svg or .html";

bool Ends(const ReportFile& file, std::string_view with) { return ToLowerAscii(file.path).ends_with(with); }

// The number of an attribute of our own SVG's first tag.
double Size(std::string_view svg, std::string_view name) {
  const size_t at = svg.find(Cat(" ", name, "=\""));
  if (at == std::string_view::npos) return 0;
  const std::string_view rest = svg.substr(at + name.size() + 3);
  return ParseDouble(rest.substr(0, rest.find('"'))).value_or(0);
}

}  // namespace

void MustBeWritable(const ReportFile& file) {
  const bool page = Ends(file, ".html"), png = Ends(file, ".png");
  if (!page && !png && !Ends(file, ".svg")) {
    throw Error(Code::kUsage, Cat("a report cannot be written to ", Quote(file.path, 200)),
                "name a file that ends in .html, .svg or .png");
  }
  if (page && !file.figure.empty()) {
    throw Error(Code::kUsage, "a page has all figures", "--report-figure is for .svg and .png");
  }
  const size_t slash = file.path.rfind('/');
  if (slash != std::string::npos && slash > 0 && !FolderExists(file.path.substr(0, slash))) {
    throw Error(Code::kNotFound, Cat("there is no folder ", Quote(file.path.substr(0, slash), 200), " for the report"));
  }
  if (FolderExists(file.path)) throw Error(Code::kUsage, Cat(Quote(file.path, 200), " is a folder"), "name a file");
  AtomicFile probe(file.path);  // never committed: it shows that the folder can be written
  if (!png) return;
  try {
    RunProcess({kProgram, "--version"});
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) throw;
    throw Error(Code::kNotFound, Cat(file.path, ": PNG needs ", kProgram, ", which is not installed"), kHowToInstall);
  }
}

std::string ReportPage(const Report& report) {
  std::string out =
      Cat(PageHead(report.title, report.chinese), "<h1><bdi>", Html(report.title), "</bdi></h1>\n", report.before);
  if (!report.figures.empty()) {
    out += "<div class=\"charts\">\n";
    for (const Figure& figure : report.figures) {
      if (!figure.above.empty()) out += Cat("</div>\n", figure.above, "<div class=\"charts\">\n");
      out += Cat("<figure id=\"", Html(figure.name), "\">", figure.svg, "</figure>\n");
    }
    out += "</div>\n";
  }
  return out + report.after + PageEnd();
}

std::string ReportSvg(const Report& report, std::string_view figure) {
  constexpr double kMargin = 12, kGap = 16;
  double width = 0, height = kMargin;
  std::string body;
  std::vector<std::string> names;
  for (const Figure& one : report.figures) {
    names.push_back(one.name);
    if (!figure.empty() && one.name != figure) continue;
    if (!body.empty()) height += kGap;
    body += Cat("<svg x=\"", Pixels(kMargin), "\" y=\"", Pixels(height), "\" ", one.svg.substr(5));
    width = std::max(width, Size(one.svg, "width"));
    height += Size(one.svg, "height");
  }
  if (body.empty()) {
    throw Error(Code::kUsage,
                figure.empty() ? "this report has no figures" : Cat("this report has no figure ", Quote(figure)),
                names.empty() ? "write it as .html" : Cat("it has ", Join(names, ", ")));
  }
  const std::string wide = Pixels(width + 2 * kMargin), tall = Pixels(height + kMargin);
  return Cat("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"", wide, "\" height=\"", tall, "\" viewBox=\"0 0 ",
             wide, " ", tall, "\" role=\"img\">\n<title>", SvgText(report.title),
             "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", body, "</svg>\n");
}

std::string SvgToPng(const std::string& svg, double scale) {
  const double width = Size(svg, "width") * scale, height = Size(svg, "height") * scale;
  if (!(width >= 1 && height >= 1 && width <= kMostPixels && height <= kMostPixels)) {
    throw Error(Code::kUsage,
                Cat("the picture would have ", std::llround(width), " x ", std::llround(height), " pixels"),
                Cat("at most ", std::llround(kMostPixels), " either way: choose a smaller --report-scale"));
  }
  ProcessOptions options;
  options.input = svg;
  options.timeout_seconds = 120;
  options.max_output = 256u << 20;
  options.max_memory = uint64_t{4} << 30;
  const ProcessResult done = RunProcess({kProgram, "--format=png", Cat("--zoom=", scale)}, options);
  if (done.exit_code != 0 || !done.output.starts_with("\x89PNG")) {
    throw Error(Code::kInternal, Cat(kProgram, " ended with ", done.exit_code, ": ", Quote(Trim(done.error_text), 300)),
                "write .svg instead");
  }
  return done.output;
}

void WriteReport(const Report& report, const ReportFile& file) {
  std::string bytes;
  if (Ends(file, ".html")) {
    bytes = ReportPage(report);
  } else {
    bytes = ReportSvg(report, file.figure);
    if (Ends(file, ".png")) bytes = SvgToPng(bytes, file.scale);
  }
  WriteFileAtomic(file.path, bytes);
}

}  // namespace atelier::report
