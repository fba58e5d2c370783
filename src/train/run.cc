#include "train/run.h"

#include <torch/torch.h>

#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/tokenizer_json.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

std::unique_ptr<Examples> MakeExamples(const Run& run, const Records& records, ExamplesReport* report) {
  switch (run.architecture->data) {
    case model::DataKind::kTokens: return TokenExamples(records, run.settings.data, *run.tokenizer, report);
    default: throw Error(Code::kInternal, "no examples of this kind");
  }
}

void SetUpTokenizer(const RunOptions& options, const Records& records, Run* run) {
  const std::string path = Cat(options.folder, "/tokenizer.json");
  if (FileExists(path)) {
    run->tokenizer_spec = artefact::ReadTokenizerJson(path);
  } else {
    run->tokenizer_spec = TokenizerFor(run->settings.tokenizer, records, {run->settings.data.text},
                                       run->settings.threads, options.progress);
    artefact::WriteTokenizerJson(run->tokenizer_spec, path);
  }
  run->about.tokenizer = text::ToTokenizerJson(run->tokenizer_spec);
  run->tokenizer = text::MakeTokenizer(run->tokenizer_spec);
  const SpecialIds ids = FindSpecialIds(*run->tokenizer);
  run->shape.vocabulary = run->tokenizer->vocab_size();
  run->shape.padding = ids.padding;
  run->shape.begin = ids.begin;
  run->shape.end = ids.end;
  run->shape.mask = ids.mask;
  run->shape.sequence_length = run->settings.data.sequence_length;
}

}  // namespace

Run PrepareRun(const RunOptions& options) {
  Run run;
  Table table = Table::Parse(options.config, options.file);
  run.settings = ReadTrainSettings(table);
  Table model_table = table.Sub("model");
  table.Done();
  run.architecture = &model::FindArchitecture(model_table.String("architecture"), model_table);

  const Records records(run.settings.data.train, options.datasets);
  MakeFolders(options.folder);
  SetUpTokenizer(options, records, &run);
  run.train = MakeExamples(run, records, &run.train_report);
  if (!run.settings.data.validation.empty()) {
    run.validation = MakeExamples(run, Records(run.settings.data.validation, options.datasets), &run.validation_report);
  }
  run.about.config = options.config;
  run.about.shape = model::ShapeToJson(run.shape);
  torch::manual_seed(static_cast<int64_t>(run.settings.seed));
  run.model = run.architecture->make(model_table, run.shape);
  model_table.Done();
  return run;
}

}  // namespace atelier::train
