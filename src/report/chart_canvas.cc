#include "report/chart_canvas.h"

#include <algorithm>
#include <cmath>

#include "base/str.h"
#include "report/page.h"
#include "text/unicode.h"

namespace atelier::report {
namespace {

// Okabe and Ito 2008, the darkest first; black last. Their yellow cannot be seen on white and is left out.
constexpr const char* kHex[kColours] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
// One fewer than colours: a colour that comes again has another dash.
constexpr const char* kDashes[] = {"", "6 3", "2 3", "8 3 2 3", "12 4", "4 2"};
constexpr const char* kInk = "#222";
constexpr const char* kSoft = "#666";

bool TurnsDirection(char32_t c) {
  return c == 0x61C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

// In pictures nothing breaks a line and nothing is hidden.
char32_t Plain(char32_t c) {
  if (c == '\n' || c == '\r' || c == '\t' || c == 0x2028 || c == 0x2029) return ' ';
  const bool in_xml = c >= 0x20 && !(c >= 0x7F && c <= 0x9F) && (c & 0xFFFE) != 0xFFFE;
  return in_xml && !TurnsDirection(c) ? c : text::kReplacement;
}

double CharWidth(char32_t c) {
  if (c < 0x80) {
    if (std::string_view("iljtfI.,:;'|!()[] ").find(static_cast<char>(c)) != std::string_view::npos) return 0.4;
    if (std::string_view("mwMW@%").find(static_cast<char>(c)) != std::string_view::npos) return 0.97;
    return c >= 'A' && c <= 'Z' ? 0.73 : 0.635;
  }
  std::string one;
  text::AppendUtf8(&one, c);
  const int columns = text::DisplayWidth(one);
  return columns == 2 ? 1.02 : columns * 0.66;
}

const char* AnchorName(Anchor anchor) {
  return anchor == Anchor::kMiddle ? " text-anchor=\"middle\"" : anchor == Anchor::kEnd ? " text-anchor=\"end\"" : "";
}

std::string Tip(std::string_view tip) { return tip.empty() ? "" : Cat("<title>", SvgText(tip), "</title>"); }

std::string Ends(double x1, double y1, double x2, double y2) {
  return Cat("x1=\"", Pixels(x1), "\" y1=\"", Pixels(y1), "\" x2=\"", Pixels(x2), "\" y2=\"", Pixels(y2), "\"");
}

}  // namespace

std::string SvgText(std::string_view text, size_t most) {
  std::string clean;
  size_t characters = 0, at = 0;
  for (; at < text.size() && characters < most; ++characters) {
    const text::DecodedChar d = text::DecodeChar(text.substr(at));
    text::AppendUtf8(&clean, Plain(d.c));
    at += d.length;
  }
  return Cat(Html(clean, clean.size()), at < text.size() ? "…" : "");
}

double TextWidth(std::string_view text, double size) {
  double width = 0;
  for (const char32_t c : text::DecodeUtf8(text)) width += CharWidth(c);
  return width * size;
}

std::string FitText(std::string_view text, double width, double size) {
  std::string out;
  size_t at = 0, kept = 0;
  double used = 0;
  const double dots = CharWidth(U'…') * size;
  int marks = 0;
  while (at < text.size()) {
    const text::DecodedChar d = text::DecodeChar(text.substr(at));
    const char32_t c = Plain(d.c);
    const double wide = CharWidth(c) * size;
    marks = wide == 0 ? marks + 1 : 0;
    if (used + wide > width + 0.01 || out.size() > 2000) {
      out.resize(kept);
      return out + "…";
    }
    at += d.length;
    if (marks > 4) continue;  // heaps of marks would climb over what stands above
    text::AppendUtf8(&out, c);
    used += wide;
    if (used + dots <= width) kept = out.size();
  }
  return out;
}

std::string Pixels(double value) {
  std::string text = FormatFixed(value, 2);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : text;
}

Canvas::Canvas(const Frame& frame)
    : width_(std::max(240, frame.width)),
      chinese_(frame.chinese),
      title_(frame.title),
      description_(frame.description) {}

void Canvas::Text(double x, double y, std::string_view text, Anchor anchor, Tone tone, double size, bool bold) {
  const char* colour = tone == Tone::kInk ? kInk : tone == Tone::kSoft ? kSoft : "#fff";
  const char* name = tone == Tone::kInk ? "ink" : tone == Tone::kSoft ? "soft" : "bright";
  body_ += Cat("<text class=\"", name, "\" x=\"", Pixels(x), "\" y=\"", Pixels(y), "\" fill=\"", colour, "\"",
               AnchorName(anchor), size == kFontSize ? "" : Cat(" font-size=\"", Pixels(size), "\""),
               bold ? " font-weight=\"bold\"" : "", ">", SvgText(text), "</text>\n");
}

void Canvas::Fitted(double x, double y, double width, std::string_view text, Anchor anchor, Tone tone, double size,
                    bool bold) {
  const std::string fitted = FitText(text, width, size);
  const bool cut = fitted.ends_with("…") && !text.ends_with("…");
  if (cut) body_ += Cat("<g>", Tip(text));
  Text(x, y, fitted, anchor, tone, size, bold);
  if (cut) body_ += "</g>";
}

void Canvas::Upward(double x, double y, double height, std::string_view text, double size) {
  body_ += Cat("<g transform=\"translate(", Pixels(x), " ", Pixels(y), ") rotate(-90)\">");
  Fitted(0, 0, height, text, Anchor::kStart, Tone::kInk, size);
  body_ += "</g>\n";
}

void Canvas::Grid(double x1, double y1, double x2, double y2) {
  body_ += Cat("<line class=\"grid\" ", Ends(x1, y1, x2, y2), " stroke=\"#e5e5e5\"/>\n");
}
void Canvas::Axis(double x1, double y1, double x2, double y2) {
  body_ += Cat("<line class=\"axis\" ", Ends(x1, y1, x2, y2), " stroke=\"#888\"/>\n");
}
void Canvas::Dashed(double x1, double y1, double x2, double y2) {
  body_ += Cat("<line class=\"axis\" ", Ends(x1, y1, x2, y2), " stroke=\"#888\" stroke-dasharray=\"4 4\"/>\n");
}
void Canvas::Mark(double x1, double y1, double x2, double y2) {
  body_ += Cat("<line class=\"mark\" ", Ends(x1, y1, x2, y2), " stroke=\"", kInk, "\" stroke-width=\"1.5\"/>\n");
}

void Canvas::Box(double x, double y, double width, double height, size_t colour, double opacity, std::string_view tip) {
  Rect(Cat("s", colour % kColours), kHex[colour % kColours], x, y, width, height, opacity, tip);
}

void Canvas::Cell(double x, double y, double width, double height, double opacity, std::string_view tip) {
  Rect("cell", kHex[0], x, y, width, height, opacity, tip);
}

void Canvas::Rect(const std::string& name, const char* hex, double x, double y, double width, double height,
                  double opacity, std::string_view tip) {
  body_ += Cat("<rect class=\"", name, "\" x=\"", Pixels(x), "\" y=\"", Pixels(y), "\" width=\"", Pixels(width),
               "\" height=\"", Pixels(height), "\" fill=\"", hex, "\"",
               opacity < 1 ? Cat(" fill-opacity=\"", Pixels(opacity), "\"") : "",
               tip.empty() ? "/>\n" : Cat(">", Tip(tip), "</rect>\n"));
}

void Canvas::Dot(double x, double y, double radius, size_t colour, double opacity, std::string_view tip) {
  body_ += Cat("<circle class=\"s", colour % kColours, "\" cx=\"", Pixels(x), "\" cy=\"", Pixels(y), "\" r=\"",
               Pixels(radius), "\" fill=\"", kHex[colour % kColours], "\"",
               opacity < 1 ? Cat(" fill-opacity=\"", Pixels(opacity), "\"") : "",
               tip.empty() ? "/>\n" : Cat(">", Tip(tip), "</circle>\n"));
}

void Canvas::Line(const std::string& path, size_t series) {
  const std::string_view dash = kDashes[series % std::size(kDashes)];
  body_ += Cat("<path class=\"l", series % kColours, "\" d=\"", path, "\" fill=\"none\" stroke=\"",
               kHex[series % kColours], "\" stroke-width=\"1.8\" stroke-linejoin=\"round\"",
               dash.empty() ? "" : Cat(" stroke-dasharray=\"", dash, "\""), "/>\n");
}

void Canvas::Area(const std::string& path, size_t series, double opacity) {
  body_ += Cat("<path class=\"s", series % kColours, "\" d=\"", path, "\" fill=\"", kHex[series % kColours],
               "\" fill-opacity=\"", Pixels(opacity), "\"/>\n");
}

double Canvas::Header(const std::string& title, const std::vector<std::string>& legend, bool lines) {
  constexpr double kSwatch = 22, kGap = 18, kRow = 18;
  double y = 8;
  if (!title.empty()) {
    y += 14;
    Fitted(2, y, width_ - 4, title, Anchor::kStart, Tone::kInk, 14, true);
    y += 10;
  }
  if (legend.size() < 2) return y + 4;
  double x = 2;
  y += 12;
  for (size_t i = 0; i < legend.size(); ++i) {
    const double most = width_ - 4 - kSwatch;
    const double wide = kSwatch + TextWidth(FitText(legend[i], most, kFontSize), kFontSize) + kGap;
    if (x > 2 && x + wide - kGap > width_) {
      x = 2;
      y += kRow;
    }
    if (lines) {
      Line(Cat("M", Pixels(x), " ", Pixels(y - 4), "L", Pixels(x + 17), " ", Pixels(y - 4)), i);
    } else {
      Box(x + 3, y - 10, 12, 12, i, 1, "");
    }
    Fitted(x + kSwatch, y, most, legend[i]);
    x += wide;
  }
  return y + 10;
}

void Canvas::Note(std::string_view text) { notes_.emplace_back(text); }

void Canvas::NoteLeftOut(size_t values) {
  if (values == 0) return;
  Note(chinese_ ? Cat(values, " 个值不是有限数，未画出")
                : Cat(values, values == 1 ? " value is no finite number and" : " values are no finite numbers and",
                      " left out"));
}

std::string Canvas::Finish(double height, const std::string& description) {
  for (const std::string& note : notes_) {
    height += 16;
    Fitted(2, height - 4, width_ - 4, note, Anchor::kStart, Tone::kSoft, 11);
  }
  const std::string tall = Pixels(std::ceil(height + 4)), wide = Pixels(width_);
  const std::string said = description_.empty() ? description : description_;
  return Cat("<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" width=\"", wide, "\" height=\"", tall,
             "\" viewBox=\"0 0 ", wide, " ", tall, "\" role=\"img\" xml:lang=\"", chinese_ ? "zh-CN" : "en",
             "\" font-family=\"'Noto Sans CJK SC','PingFang SC','Microsoft YaHei','WenQuanYi Micro "
             "Hei',system-ui,'DejaVu Sans',sans-serif\" font-size=\"",
             Pixels(kFontSize), "\">\n<title>", SvgText(title_), "</title>\n<desc>", SvgText(said, 2000), "</desc>\n",
             body_, "</svg>\n");
}

Plot DrawAxes(Canvas* canvas, const Frame& frame, double top, double height, const Ticks& x_ticks,
              const Ticks& y_ticks) {
  double widest = 0;
  for (const std::string& label : y_ticks.labels) widest = std::max(widest, TextWidth(label, kFontSize));
  Plot plot;
  plot.left = 12 + widest;
  const double last = x_ticks.labels.empty() ? 0 : TextWidth(x_ticks.labels.back(), kFontSize);
  plot.right = canvas->width() - std::max(14.0, std::min(last, 120.0) / 2 + 2);  // the last number has room
  plot.top = top + (frame.y.empty() ? 6 : 22);
  if (height == 0) height = plot.right - plot.left;
  plot.bottom = plot.top + height;
  plot.below = plot.bottom + (frame.x.empty() ? 22 : 42);
  plot.x = Scale(x_ticks.low, x_ticks.high, plot.left, plot.right);
  plot.y = Scale(y_ticks.low, y_ticks.high, plot.bottom, plot.top);
  if (!frame.y.empty()) canvas->Fitted(2, top + 10, canvas->width() - 4, frame.y, Anchor::kStart, Tone::kSoft);
  for (size_t i = 0; i < y_ticks.at.size(); ++i) {
    const double y = plot.y(y_ticks.at[i]);
    canvas->Grid(plot.left, y, plot.right, y);
    canvas->Text(plot.left - 6, y + 4, y_ticks.labels[i], Anchor::kEnd, Tone::kSoft);
  }
  canvas->Axis(plot.left, plot.bottom, plot.right, plot.bottom);
  double free_from = -1e9;  // labels stand only where the one before has ended
  for (size_t i = 0; i < x_ticks.at.size(); ++i) {
    const double x = plot.x(x_ticks.at[i]);
    const double room = std::min(120.0, 2 * std::min(x, canvas->width() - x));
    const std::string label = FitText(x_ticks.labels[i], std::max(room, 24.0), kFontSize);
    const double half = TextWidth(label, kFontSize) / 2;
    if (x - half < free_from) continue;
    canvas->Axis(x, plot.bottom, x, plot.bottom + 4);
    canvas->Fitted(x, plot.bottom + 17, std::max(room, 24.0), x_ticks.labels[i], Anchor::kMiddle, Tone::kSoft);
    free_from = x + half + 8;
  }
  if (!frame.x.empty()) {
    canvas->Fitted((plot.left + plot.right) / 2, plot.bottom + 35, plot.right - plot.left, frame.x, Anchor::kMiddle,
                   Tone::kSoft);
  }
  return plot;
}

}  // namespace atelier::report
