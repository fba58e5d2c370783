#include "train/run.h"

#include <torch/torch.h>

#include "base/error.h"
#include "base/str.h"
#include "train/tokenizer_setup.h"

namespace atelier::train {
namespace {

std::unique_ptr<Examples> MakeExamples(const Run& run, const std::string& said, const std::string& datasets,
                                       ExamplesReport* report) {
  const Records records(said, datasets);
  switch (run.architecture->data) {
    case model::DataKind::kTokens: return TokenExamples(records, run.settings.data, *run.tokenizer, report);
    default: throw Error(Code::kInternal, "no examples of this kind");
  }
}

}  // namespace

Run PrepareRun(const std::string& config, const std::string& file, const std::string& datasets) {
  Run run;
  run.config = config;
  Table table = Table::Parse(config, file);
  run.settings = ReadTrainSettings(table);
  Table model_table = table.Sub("model");
  table.Done();
  run.architecture = &model::FindArchitecture(model_table.String("architecture"), model_table);

  run.tokenizer_spec = ByteTokenizer();
  run.tokenizer = text::MakeTokenizer(run.tokenizer_spec);
  const SpecialIds ids = FindSpecialIds(*run.tokenizer);
  run.shape.vocabulary = run.tokenizer->vocab_size();
  run.shape.padding = ids.padding;
  run.shape.begin = ids.begin;
  run.shape.end = ids.end;
  run.shape.mask = ids.mask;
  run.shape.sequence_length = run.settings.data.sequence_length;

  run.train = MakeExamples(run, run.settings.data.train, datasets, &run.train_report);
  if (!run.settings.data.validation.empty()) {
    run.validation = MakeExamples(run, run.settings.data.validation, datasets, &run.validation_report);
  }
  torch::manual_seed(static_cast<int64_t>(run.settings.seed));
  run.model = run.architecture->make(model_table, run.shape);
  model_table.Done();
  return run;
}

}  // namespace atelier::train
