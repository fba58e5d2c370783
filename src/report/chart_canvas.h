// What all charts draw with: marks as SVG, texts that fit, a legend, two axes. Inside this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/axis.h"
#include "report/chart.h"

namespace atelier::report {

// Text from outside for SVG: escaped, valid XML, without what turns directions; at most `most` characters.
std::string SvgText(std::string_view text, size_t most = 400);
// About how wide a text is in pixels, in the widest of the usual fonts.
double TextWidth(std::string_view text, double size);
// The text, or its begin and "…", within `width` pixels; marks upon one character are bounded, too. Not escaped.
std::string FitText(std::string_view text, double width, double size);
// A coordinate: two decimals at most.
std::string Pixels(double value);

constexpr int kColours = 7;
constexpr double kFontSize = 12;

enum class Anchor { kStart, kMiddle, kEnd };
enum class Tone { kInk, kSoft, kOnDark };

class Canvas {
 public:
  explicit Canvas(const Frame& frame);
  double width() const { return width_; }
  bool chinese() const { return chinese_; }

  void Text(double x, double y, std::string_view text, Anchor anchor = Anchor::kStart, Tone tone = Tone::kInk,
            double size = kFontSize, bool bold = false);
  // Text within `width` pixels; where it was cut the whole of it is the tip.
  void Fitted(double x, double y, double width, std::string_view text, Anchor anchor = Anchor::kStart,
              Tone tone = Tone::kInk, double size = kFontSize, bool bold = false);
  // Text that climbs from (x, y), within `height` pixels.
  void Upward(double x, double y, double height, std::string_view text, double size);
  void Grid(double x1, double y1, double x2, double y2);
  void Axis(double x1, double y1, double x2, double y2);
  void Dashed(double x1, double y1, double x2, double y2);  // what is only there to compare with
  void Mark(double x1, double y1, double x2, double y2);    // of an interval
  void Box(double x, double y, double width, double height, size_t colour, double opacity, std::string_view tip);
  // A cell of a matrix: one blue, on which the tones can be read in the light and in the dark.
  void Cell(double x, double y, double width, double height, double opacity, std::string_view tip);
  void Dot(double x, double y, double radius, size_t colour, double opacity, std::string_view tip);
  // `path` is SVG's: M and L commands.
  void Line(const std::string& path, size_t series);
  void Area(const std::string& path, size_t series, double opacity);

  // The title, below it the legend (for several names) in rows; returns where the rest may begin.
  double Header(const std::string& title, const std::vector<std::string>& legend, bool lines);
  // A note at the foot, to be drawn by Finish.
  void Note(std::string_view text);
  void NoteLeftOut(size_t values);
  // The whole picture, `height` pixels of it drawn so far.
  std::string Finish(double height, const std::string& description);

 private:
  void Rect(const std::string& name, const char* hex, double x, double y, double width, double height, double opacity,
            std::string_view tip);

  double width_;
  bool chinese_;
  std::string title_, description_, body_;
  std::vector<std::string> notes_;
};

// Where a chart of two axes lies.
struct Plot {
  double left = 0, right = 0, top = 0, bottom = 0;  // pixels
  double below = 0;                                 // where the numbers and the title of x end
  Scale x{0, 1, 0, 1}, y{0, 1, 0, 1};
};
// Draws both axes with grid, numbers and titles below `top`, the plot itself `height` high, 0: as high as wide. Of
// `x_ticks` those are written that fit.
Plot DrawAxes(Canvas* canvas, const Frame& frame, double top, double height, const Ticks& x_ticks,
              const Ticks& y_ticks);

}  // namespace atelier::report
