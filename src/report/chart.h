// Charts as SVG text: no scripts, no fonts, nothing from elsewhere; the same chart is the same bytes.
//
// A chart is a plain struct and Draw makes the picture. Every element has its colours as attributes, for files and
// printers, and a class, by which a page (page.h) changes them where its reader prefers the dark. Colours are those of
// Okabe and Ito 2008, which colour-blind people can tell apart; lines differ by dashes, too. A picture has a title and
// a description for who cannot see it, and its marks tell their numbers under the pointer.
//
// Texts come from outside: they are escaped, cut where there is no room (their first 400 characters stay in the tip),
// and what turns directions or cannot stand in XML is U+FFFD. Numbers that are NaN, infinite or beyond 1e300 are left
// out; where that happens the chart says how many. No chart throws, and none grows without bound: what is too much is
// left out or added up, and said.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace atelier::report {

struct Frame {
  std::string title;
  std::string x, y;         // what the axes are
  std::string description;  // for who cannot see the picture; "": made of what the chart holds
  bool chinese = false;     // the language of the chart's own few words
  int width = 640;          // CSS pixels, at least 240; the height follows from the chart
};

inline constexpr double kMissing = NAN;

// Bars that lie, so that names have room: `groups` (metrics, classes) of one bar per series (systems).
struct BarValue {
  double value = kMissing;                 // kMissing: a dash instead of a bar
  double low = kMissing, high = kMissing;  // an interval around it
};
struct BarGroup {
  std::string name;
  std::vector<BarValue> values;  // [series]
};
struct Bars {
  Frame frame;
  std::vector<std::string> series;  // a legend where there are several
  std::vector<BarGroup> groups;     // the first 60 are drawn
  std::optional<double> low, high;  // the axis; without: 0 and what is drawn
  int decimals = 3;                 // of the numbers beside the bars
};
std::string Draw(const Bars& chart);

// Rows are the true classes, columns the predicted ones; colour is the share of its row. Up to 12 classes show counts
// and shares, up to 25 counts; of more than 40 classes the 39 with most cases are drawn and the others added up.
struct ConfusionMatrix {
  Frame frame;  // x: the columns' title, y: the rows'
  std::vector<std::string> classes;
  std::vector<int64_t> counts;  // [row][column]
};
std::string Draw(const ConfusionMatrix& chart);

// Values in [0, 1] of rows by columns as shades of one colour: attention, similarities. The first 100 of each are
// drawn.
struct HeatMap {
  Frame frame;  // x: the columns' title, y: the rows'
  std::vector<std::string> rows, columns;
  std::vector<double> values;  // [row][column]; what is beyond counts as 0 or 1
};
std::string Draw(const HeatMap& chart);

struct Point {
  double x = 0, y = kMissing;              // y missing: a gap
  double low = kMissing, high = kMissing;  // an interval, drawn as a band
};

// Lines: trends over runs, losses over steps, curves. At most 12 series are drawn.
struct LineSeries {
  std::string name;
  std::vector<Point> points;
  bool steps = false;  // goes along, then up: precision and recall
};
struct Lines {
  Frame frame;
  std::vector<LineSeries> series;
  std::vector<std::string> names;  // of x = 0, 1, 2 ...: runs; empty where x are numbers
  std::optional<double> x_low, x_high, y_low, y_high;
  std::optional<double> level;  // a dashed line across: a cut-off
  bool diagonal = false;        // a dashed line of x = y
  bool square = false;          // as high as wide
  bool markers = false;         // a dot on every point
};
std::string Draw(const Lines& chart);
// The frame of curves: both axes from 0 to 1, square. The areas belong into the names.
Lines RocChart(std::vector<LineSeries> series, bool chinese);
Lines PrecisionRecallChart(std::vector<LineSeries> series, bool chinese);

// Reliability: what was observed against what was predicted, and below it how many cases each bin holds.
struct CalibrationBin {
  double low = 0, high = 0;
  int64_t count = 0;
  double predicted = 0, observed = 0;  // mean probability, share that came true; of no meaning where count is 0
};
struct Calibration {
  Frame frame;  // x, y: "" for the usual words
  std::vector<CalibrationBin> bins;
};
std::string Draw(const Calibration& chart);

// Points, and through them the means of up to 12 parts that hold equally many (`trend`). Beyond 3,000 points their
// density is drawn in cells.
struct ScatterSeries {
  std::string name;
  std::vector<Point> points;
};
struct Scatter {
  Frame frame;
  std::vector<ScatterSeries> series;
  bool trend = true;
  bool diagonal = false;
};
std::string Draw(const Scatter& chart);

// How often values are how large: one series as bars, several as outlines.
struct HistogramSeries {
  std::string name;
  std::vector<double> values;
};
struct Histogram {
  Frame frame;
  std::vector<HistogramSeries> series;
  std::optional<double> low, high;  // of the axis
};
std::string Draw(const Histogram& chart);

}  // namespace atelier::report
