#include "train/run.h"

#include <torch/torch.h>

#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "text/tokenizer_json.h"
#include "train/examples_pairs.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

std::unique_ptr<Examples> MakeExamples(const Run& run, const Records& records, ExamplesReport* report) {
  switch (run.architecture->data) {
    case model::DataKind::kTokens: return TokenExamples(records, run.settings.data, *run.tokenizer, report);
    case model::DataKind::kPairs:
      return PairExamples(records, run.settings.data, run.source_tokenizer ? *run.source_tokenizer : *run.tokenizer,
                          *run.tokenizer, report);
    default: throw Error(Code::kInternal, "no examples of this kind");
  }
}

// The one that stands in the run's folder, or one that is put there.
text::TokenizerSpec KeptTokenizer(const RunOptions& options, const std::string& name, const TokenizerSettings& settings,
                                  const Records& records, const std::vector<std::string>& fields, int threads) {
  const std::string path = Cat(options.folder, "/", name, ".json");
  if (FileExists(path)) return artefact::ReadTokenizerJson(path);
  text::TokenizerSpec spec = TokenizerFor(settings, records, fields, threads, options.progress);
  artefact::WriteTokenizerJson(spec, path);
  return spec;
}

void SetUpTokenizer(const RunOptions& options, const Records& records, Run* run) {
  const TrainSettings& s = run->settings;
  const bool pairs = run->architecture->data == model::DataKind::kPairs;
  std::vector<std::string> fields = {pairs ? s.data.target : s.data.text};
  if (pairs && !s.source_tokenizer) fields.push_back(s.data.source);
  run->tokenizer_spec = KeptTokenizer(options, "tokenizer", s.tokenizer, records, fields, s.threads);
  run->about.tokenizer = text::ToTokenizerJson(run->tokenizer_spec);
  run->tokenizer = text::MakeTokenizer(run->tokenizer_spec);
  const SpecialIds ids = FindSpecialIds(*run->tokenizer);
  run->shape.vocabulary = run->tokenizer->vocab_size();
  run->shape.padding = ids.padding;
  run->shape.begin = ids.begin;
  run->shape.end = ids.end;
  run->shape.mask = ids.mask;
  run->shape.sequence_length = s.data.sequence_length;
  if (!pairs) return;
  run->shape.sequence_length = std::max(s.data.sequence_length, s.data.source_length);
  run->shape.source_vocabulary = run->shape.vocabulary;
  if (!s.source_tokenizer) return;
  const text::TokenizerSpec spec =
      KeptTokenizer(options, "source_tokenizer", *s.source_tokenizer, records, {s.data.source}, s.threads);
  run->about.source_tokenizer = text::ToTokenizerJson(spec);
  run->source_tokenizer = text::MakeTokenizer(spec);
  run->shape.source_vocabulary = run->source_tokenizer->vocab_size();
}

}  // namespace

Run PrepareRun(const RunOptions& options) {
  Run run;
  Table table = Table::Parse(options.config, options.file);
  run.settings = ReadTrainSettings(table);
  Table model_table = table.Sub("model");
  table.Done();
  run.architecture = &model::FindArchitecture(model_table.String("architecture"), model_table);

  if (run.settings.source_tokenizer && run.architecture->data != model::DataKind::kPairs) {
    table.Refuse("source_tokenizer", Cat(run.architecture->name, " has no source to cut into tokens"));
  }
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
