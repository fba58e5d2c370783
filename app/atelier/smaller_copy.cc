#include "app/atelier/smaller_copy.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "app/atelier/decode_speed.h"
#include "app/atelier/divergence_report.h"
#include "app/atelier/studio_here.h"
#include "artefact/hf_decoder.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/perplexity.h"
#include "runtime/local_generator.h"
#include "text/unicode.h"

namespace atelier::app {

// A folder's model as a file beside another, under a name that nobody has; gone at the end.
class SmallerCopy::Unpacked {
 public:
  Unpacked(const std::string& folder, const std::string& beside) : path_(Cat(beside, ".", RandomHex(8), ".unpacked")) {
    artefact::ConvertHfDecoder(folder, artefact::ModelNameFrom(folder), "", path_);
  }
  ~Unpacked() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void SmallerCopy::Declare(Cli& cli) {
  cli.Text("model", &model_, "a registered name, a GGUF file's path, or a folder with config.json and safetensors",
           true);
  cli.Text("out", &out_, "the GGUF file to write", true);
  cli.Text("--calibration", &calibration_, "a text like those the model is for: what it uses least there goes first");
  cli.Text("--evaluate", &evaluate_, "a text on which copy and original are compared afterwards");
  cli.Int("--ctx", &context_, "tokens per window of both texts", 4, 1 << 20);
  cli.Flag("--overwrite", &overwrite_, "replace the file where there is one");
  cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
}

void SmallerCopy::Open(const Globals& globals) {
  if (FileExists(out_) && !overwrite_)
    throw Error(Code::kConflict, Cat(out_, " is there already"), "--overwrite replaces it");
  if (!evaluate_.empty()) text_ = ReadFile(evaluate_);
  if (artefact::IsHfFolder(model_)) unpacked_ = std::make_shared<Unpacked>(model_, out_);
  entry_ = OpenHere(globals)->models->Resolve(unpacked_ ? unpacked_->path() : model_);
  if (unpacked_) entry_.name = artefact::ModelNameFrom(model_);
  if (SameFile(entry_.path, out_)) throw Error(Code::kConflict, Cat(out_, " is the model itself"), "name another file");
  file_ = artefact::GgufFile::Open(entry_.path);
  // What cannot be compared is told before the work is done.
  if (!evaluate_.empty()) {
    original_ = runtime::LoadGenerator(entry_.path, entry_.name, "", {.threads = threads()});
    evaluate::TextWindows(*original_, text_, std::min<int64_t>(context_, original_->info().context_length));
  }
  if (calibration_.empty()) return;
  Progress progress("calibrating", ProgressUnit::kItems, globals.quiet);
  importance_ = runtime::MeasureImportance(file_, ReadFile(calibration_), context_, threads(), progress.Callback());
}

void SmallerCopy::Compare(const Globals& globals) {
  if (!original_) return;
  const int64_t context = std::min<int64_t>(context_, original_->info().context_length);
  const auto copy = runtime::LoadGenerator(out_, "", "", {.threads = threads()});
  Progress progress("comparing", ProgressUnit::kItems, globals.quiet);
  Comparison comparison;
  if (copy->info().vocabulary == original_->info().vocabulary) {
    comparison.divergence = evaluate::MeasureDivergence(*original_, *copy, text_, context, progress.Callback());
  } else {
    const auto bits = [&](artefact::Generator& model) {
      const evaluate::Perplexity p = evaluate::MeasurePerplexity(model, text_, context, progress.Callback());
      return std::log2(p.perplexity) * static_cast<double>(p.tokens) / static_cast<double>(text_.size());
    };
    comparison.original_bits = bits(*original_);
    comparison.copy_bits = bits(*copy);
  }
  constexpr int kTokens = 64, kRounds = 3;
  std::vector<double> original_tps, copy_tps;
  for (int round = -1; round < kRounds; ++round) {  // by turns; the first one warms up
    const double first = DecodeSpeed(*original_, kTokens), second = DecodeSpeed(*copy, kTokens);
    if (round < 0) continue;
    original_tps.push_back(first);
    copy_tps.push_back(second);
  }
  comparison.original_tps = Median(original_tps), comparison.copy_tps = Median(copy_tps);
  comparison_ = comparison;
}

void SmallerCopy::AddTo(Json* out) const {
  if (!comparison_) return;
  Json& comparison = (*out)["comparison"];
  if (comparison_->divergence) {
    comparison = DivergenceJson(*comparison_->divergence);
  } else {
    comparison["bits_per_byte"] = {{"original", comparison_->original_bits}, {"copy", comparison_->copy_bits}};
  }
  comparison["decode_tps"] = {{"original", comparison_->original_tps}, {"copy", comparison_->copy_tps}};
}

std::string SmallerCopy::Ending(uint64_t bytes_before, uint64_t bytes_after, int64_t again) const {
  std::string out =
      Cat(text::ForTerminal(out_), ": ", FormatBytes(bytes_after), ", before ", FormatBytes(bytes_before), "\n");
  if (again > 0)
    out += Cat(again, " matrices were quantised before; made of the full model, the copy would be closer.\n");
  if (comparison_) {
    const std::string distance = comparison_->divergence
                                     ? DivergenceText(*comparison_->divergence)
                                     : Cat("a byte of the text costs it ", FormatFixed(comparison_->copy_bits, 3),
                                           " bits, the original ", FormatFixed(comparison_->original_bits, 3), "\n");
    out += Cat("\n", distance, "writes ", FormatFixed(comparison_->copy_tps, 1), " tokens/s, the original ",
               FormatFixed(comparison_->original_tps, 1), "\n");
  }
  return out;
}

}  // namespace atelier::app
