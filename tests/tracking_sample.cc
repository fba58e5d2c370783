// tracking_sample FOLDER: a run that is tracked, dies, and is resumed, for tests/tracking_test.py to read with
// TensorBoard's and wandb's own readers. Its values are a pure function of the step, which the test knows, too.
#include <cmath>
#include <iostream>

#include "base/error.h"
#include "track/run_report.h"
#include "track/tracking.h"

namespace {

using namespace atelier;

void Tell(track::Tracker* tracker, int64_t step, double shift) {
  tracker->Scalars(
      step, {{"train/loss", 4.0 / static_cast<double>(step) + shift}, {"rate", 1e-3 * static_cast<double>(step)}});
  if (step % 4 == 0) {
    tracker->Text(step, "samples/春", "# 第" + std::to_string(step) + "步\n<b>床前明月光</b>，🌙");
    data::Picture picture = {3, 2, 3, {}};
    for (int i = 0; i < 18; ++i) picture.pixels.push_back(static_cast<uint8_t>(step * 10 + i));
    tracker->Image(step, "pictures", picture);
    std::vector<float> values;
    for (int i = 0; i < 100; ++i) values.push_back(static_cast<float>(i) * static_cast<float>(step));
    tracker->Histogram(step, "weights", values);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    track::TrackerOptions options;
    options.run.folder = argv[1];
    options.run.config = Json{{"seed", 7}, {"model", {{"kind", "gpt"}, {"dropout", 0.1}, {"bias", true}}}};
    options.run.versions = Json{{"atelier", "test"}};
    {
      track::Tracker tracker(options);
      for (int64_t step = 1; step <= 12; ++step) Tell(&tracker, step, 0);
      tracker.Scalars(12, {{"odd", NAN}, {"huge", -INFINITY}});
      tracker.Scalar(12, "only before", 1);
    }
    options.resume = 8;
    track::Tracker tracker(options);
    for (int64_t step = 9; step <= 16; ++step) Tell(&tracker, step, 100);
    tracker.Scalars(16, {{"odd", NAN}, {"huge", -INFINITY}});
    tracker.Finish(16, "done", Json{{"best", 0.5}});
    std::cout << track::WriteReportOfRun(argv[1], "zh") << "\n";
  } catch (const Error& error) {
    std::cerr << error.Line() << "\n";
    return 1;
  }
  return 0;
}
