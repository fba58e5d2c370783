// atelier-learn classify --run DIR --input DATASET_OR_FILE --out PREDICTIONS.jsonl [--datasets DIR]
//          [--threads N]
//
// A line for each record, in their order: text, label (where the record has one), predicted, probabilities by class.
// `atelier evaluate classification PREDICTIONS.jsonl` reports on them.
#include <torch/torch.h>

#include <algorithm>
#include <numeric>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/opened.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/str.h"
#include "model/classifier.h"
#include "train/settings.h"
#include "train/token_rows.h"

namespace atelier::learn {
namespace {

constexpr int64_t kBatch = 64;

struct Inputs {
  train::TokenRows rows;
  std::vector<Json> lines;  // text and label
  int64_t empty = 0, truncated = 0;
};

Inputs ReadInputs(const model::OpenedModel& opened, train::DataSettings data, const train::Records& records,
                  const train::SpecialIds& ids) {
  Inputs in;
  data.long_records = "truncate";  // every record gets an answer
  records.ForEach([&](int64_t index, const Json& fields) {
    const std::string where = records.Describe(index);
    const std::string text = train::TextField(fields, data.text, where);
    Json line = {{"text", text}};
    if (fields.contains(data.label)) line["label"] = train::TextField(fields, data.label, where);
    train::Fit fit;
    std::vector<int32_t> row = train::EncodeRow(text, data, *opened.tokenizer, ids, &fit);
    if (fit == train::Fit::kCut) ++in.truncated;
    if (row.empty()) {
      ++in.empty;
      row.push_back(static_cast<int32_t>(data.characters ? 0 : ids.padding));
    }
    in.rows.Add(row, index);
    in.lines.push_back(std::move(line));
  });
  if (in.lines.empty()) throw Error(Code::kInvalidInput, Cat(records.name(), ": there is no record in it"));
  return in;
}

}  // namespace

int Classify(const Options& options, const std::atomic<bool>& stop) {
  const int64_t threads = Whole(options, "threads", 0, 0, 256);
  const model::OpenedModel opened = OpenAsked(options);
  if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  Table config = Table::Parse(opened.about.config, "the model's configuration");
  const train::TrainSettings settings = train::ReadTrainSettings(config);
  auto* classifier = dynamic_cast<model::Classifier*>(opened.model.get());
  if (classifier == nullptr || opened.tokenizer == nullptr || opened.architecture->data != model::DataKind::kLabelled) {
    throw Error(Code::kUnsupported, Cat("a ", opened.architecture->name, " does not name classes of texts"));
  }
  const train::SpecialIds ids = train::FindSpecialIds(*opened.tokenizer);
  const double started = MonotonicSeconds();
  Inputs in = ReadInputs(opened, settings.data, train::Records(options.at("input"), Given(options, "datasets")), ids);

  const torch::NoGradGuard no_gradient;
  const auto n = static_cast<int64_t>(in.lines.size());
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return in.rows.Length(a) < in.rows.Length(b); });
  int64_t labelled = 0, right = 0;
  for (int64_t at = 0; at < n; at += kBatch) {
    if (stop) throw Error(Code::kCancelled, "interrupted; nothing was written");
    const auto rows = std::span(order).subspan(static_cast<size_t>(at), static_cast<size_t>(std::min(kBatch, n - at)));
    const torch::Tensor probabilities =
        classifier->Logits(in.rows.Lay(rows, ids.padding)).to(torch::kFloat64).softmax(-1).contiguous();
    for (size_t i = 0; i < rows.size(); ++i) {
      const double* p = probabilities.const_data_ptr<double>() + static_cast<int64_t>(i) * probabilities.size(1);
      const std::vector<std::string>& classes = opened.shape.classes;
      Json& line = in.lines[static_cast<size_t>(rows[i])];
      const std::string& best = classes[static_cast<size_t>(std::max_element(p, p + classes.size()) - p)];
      line["predicted"] = best;
      for (size_t c = 0; c < classes.size(); ++c) line["probabilities"][classes[c]] = p[c];
      if (line.contains("label")) {
        ++labelled;
        right += line["label"] == best;
      }
    }
    Tell("step", {{"step", std::min(at + kBatch, n)}, {"steps", n}, {"values", Json::object()}});
  }
  const double seconds = MonotonicSeconds() - started;
  std::string text;
  for (const Json& line : in.lines) text += ToText(line) + "\n";
  WriteFileAtomic(options.at("out"), text);
  Json done = {{"path", options.at("out")}, {"records", n},
               {"empty", in.empty},         {"truncated", in.truncated},
               {"labelled", labelled},      {"milliseconds_per_text", 1e3 * seconds / static_cast<double>(n)}};
  if (labelled > 0) done["accuracy"] = static_cast<double>(right) / static_cast<double>(labelled);
  Tell("done", done);
  return 0;
}

}  // namespace atelier::learn
