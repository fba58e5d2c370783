#include <algorithm>

#include "base/str.h"
#include "report/chart_canvas.h"

namespace atelier::report {

std::string Draw(const Calibration& chart) {
  Canvas canvas(chart.frame);
  const bool zh = canvas.chinese();
  Frame frame = chart.frame;
  if (frame.y.empty()) frame.y = zh ? "实际比例" : "observed share";
  const std::string x_title = frame.x.empty() ? zh ? "预测概率" : "predicted probability" : frame.x;
  frame.x = "";
  const double top = canvas.Header(frame.title, {}, true);
  const Ticks unit = NiceTicks(0, 1, 6, true, true);
  const Plot plot = DrawAxes(&canvas, frame, top, canvas.width() * 0.62, unit, unit);
  canvas.Dashed(plot.x(0), plot.y(0), plot.x(1), plot.y(1));
  std::string path, said;
  double most = 0;
  for (const CalibrationBin& bin : chart.bins) {
    most = std::max(most, static_cast<double>(bin.count));
    if (bin.count <= 0 || !Drawable(bin.predicted) || !Drawable(bin.observed)) continue;
    path += Cat(path.empty() ? "M" : "L", Pixels(plot.x(bin.predicted)), " ", Pixels(plot.y(bin.observed)));
  }
  if (!path.empty()) canvas.Line(path, 0);
  for (const CalibrationBin& bin : chart.bins) {
    if (bin.count <= 0 || !Drawable(bin.predicted) || !Drawable(bin.observed)) continue;
    const std::string tip =
        Cat(NumberLabel(bin.predicted, 3), " → ", NumberLabel(bin.observed, 3), " (", bin.count, ")");
    canvas.Dot(plot.x(bin.predicted), plot.y(bin.observed), 4, 0, 1, tip);
    if (said.size() < 1500) said += Cat(said.empty() ? "" : "; ", tip);
  }
  // How many cases stand behind each point.
  const Ticks counts = NiceTicks(0, std::max(1.0, most), 3, true);
  const double below = plot.bottom + 26, bottom = below + 22 + 70;
  canvas.Fitted(2, below + 10, canvas.width() - 4, zh ? "样本数" : "cases", Anchor::kStart, Tone::kSoft);
  const Scale y(counts.low, counts.high, bottom, below + 22);
  for (size_t i = 0; i < counts.at.size(); ++i) {
    canvas.Grid(plot.left, y(counts.at[i]), plot.right, y(counts.at[i]));
    // Counts may be longer than shares.
    canvas.Fitted(plot.left - 6, y(counts.at[i]) + 4, plot.left - 6, counts.labels[i], Anchor::kEnd, Tone::kSoft,
                  std::min(kFontSize, (plot.left - 6) / std::max(1.0, TextWidth(counts.labels[i], 1.05))));
  }
  for (const CalibrationBin& bin : chart.bins) {
    if (bin.count <= 0 || !Drawable(bin.low) || !Drawable(bin.high)) continue;
    const double from = plot.x(bin.low), to = plot.x(bin.high), high = y(static_cast<double>(bin.count));
    canvas.Box(from + 0.5, high, std::max(0.5, to - from - 1), bottom - high, 0, 0.6,
               Cat(NumberLabel(bin.low, 3), "–", NumberLabel(bin.high, 3), ": ", bin.count));
  }
  canvas.Axis(plot.left, bottom, plot.right, bottom);
  canvas.Fitted((plot.left + plot.right) / 2, bottom + 18, plot.right - plot.left, x_title, Anchor::kMiddle,
                Tone::kSoft);
  return canvas.Finish(bottom + 24, said);
}

}  // namespace atelier::report
