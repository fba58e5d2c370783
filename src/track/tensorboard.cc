#include "track/tensorboard.h"

#include "track/event_file.h"

namespace atelier::track {
namespace {

class TensorBoard : public Sink {
 public:
  explicit TensorBoard(AppendFile file) : file_(std::move(file)) {}

  void Scalars(double time, int64_t step, const std::vector<std::pair<std::string, double>>& values) override {
    file_.Append(TfRecord(ScalarsEvent(time, step, values)));
  }
  void Text(double time, int64_t step, const std::string& name, const std::string& text) override {
    file_.Append(TfRecord(TextEvent(time, step, name, text)));
  }
  void Image(double time, int64_t step, const std::string& name, const PngImage& image) override {
    file_.Append(TfRecord(ImageEvent(time, step, name, image)));
  }
  void Histogram(double time, int64_t step, const std::string& name, const HistogramData& histogram) override {
    file_.Append(TfRecord(HistogramEvent(time, step, name, histogram)));
  }
  void Finish(double time, int64_t, const std::string& status, const Json&) override {
    file_.Append(TfRecord(HparamsEndEvent(time, status == "done")));
  }

 private:
  AppendFile file_;
};

}  // namespace

std::unique_ptr<Sink> OpenTensorBoard(const TrackedRun& run, double time, std::optional<int64_t> resume) {
  std::string begin = TfRecord(FileVersionEvent(time));
  begin += TfRecord(SessionStartEvent(time, resume ? *resume + 1 : 0));
  if (!run.config.empty()) begin += TfRecord(HparamsStartEvent(time, run.config));
  return std::make_unique<TensorBoard>(CreateEventFile(run.folder, time, begin));
}

}  // namespace atelier::track
