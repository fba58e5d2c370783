#include "train/run.h"

#include <torch/torch.h>

#include "artefact/gguf_tokenizer.h"
#include "artefact/registry.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "model/bert_start.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_spec_json.h"
#include "train/examples_choices.h"
#include "train/examples_labelled.h"
#include "train/examples_masked.h"
#include "train/examples_pairs.h"
#include "train/examples_pictures.h"
#include "train/examples_preferences.h"
#include "train/examples_prompts.h"
#include "train/examples_replies.h"
#include "train/kept_text.h"
#include "train/rollout.h"
#include "train/run_tokenizer.h"

namespace atelier::train {
namespace {

// What classes and sizes the first records have is what the others must have: it goes into run->shape.
std::unique_ptr<Examples> MakeExamples(Run* run, const Records& records, ExamplesReport* report) {
  const DataSettings& data = run->settings.data;
  const text::Tokenizer* tokenizer = run->tokenizer.get();
  std::vector<std::string>* classes = &run->shape.classes;
  switch (run->data) {
    case model::DataKind::kTokens: return TokenExamples(records, data, *tokenizer, report);
    case model::DataKind::kPairs:
      return PairExamples(records, data, run->source_tokenizer ? *run->source_tokenizer : *tokenizer, *tokenizer,
                          report);
    case model::DataKind::kMasked: return MaskedExamples(records, data, *tokenizer, report);
    case model::DataKind::kLabelled: return LabelledExamples(records, data, *tokenizer, classes, report);
    case model::DataKind::kTagged: return TaggedExamples(records, data, *tokenizer, classes, report);
    case model::DataKind::kChoices: return ChoiceExamples(records, data, run->shape.start.file, *tokenizer, report);
    case model::DataKind::kPictures: return PictureExamples(records, data, &run->shape, report);
    case model::DataKind::kReplies:
    case model::DataKind::kPreferences:
    case model::DataKind::kJudged:
    case model::DataKind::kPrompts: {
      const ReplyFormat format(run->shape.start.file, *tokenizer, data);
      const auto make = run->data == model::DataKind::kReplies       ? &ReplyExamples
                        : run->data == model::DataKind::kPreferences ? &PreferenceExamples
                        : run->data == model::DataKind::kJudged      ? &JudgedExamples
                                                                     : &PromptExamples;
      return make(records, data, format, report);
    }
    default: throw Error(Code::kInternal, "no examples of this kind");
  }
}

// Whether what is learned lies beside a model of the engine's, whose file keeps the tokenizer.
bool TunesDecoder(const Run& run) {
  return run.data == model::DataKind::kReplies || run.data == model::DataKind::kPreferences ||
         run.data == model::DataKind::kJudged || run.data == model::DataKind::kPrompts;
}

// The one that stands in the folder of a run that goes on, else one that is put there.
text::TokenizerSpec KeptTokenizer(const RunOptions& options, const std::string& name, const TokenizerSettings& settings,
                                  const Records& records, const std::vector<std::string>& fields, int threads) {
  const std::string path = Cat(options.folder, "/", name, ".json");
  if (options.resume && FileExists(path)) return artefact::ReadTokenizerJson(path);
  text::TokenizerSpec spec = TokenizerFor(settings, records, fields, threads, options.progress);
  artefact::WriteTokenizerJson(spec, path);
  return spec;
}

void SetUpTokenizer(const RunOptions& options, const Records& records, Run* run) {
  const TrainSettings& s = run->settings;
  const bool pairs = run->data == model::DataKind::kPairs;
  std::vector<std::string> fields = {pairs ? s.data.target : s.data.text};
  if (pairs && !s.source_tokenizer) fields.push_back(s.data.source);
  const std::string& start = run->shape.start.file;
  if (start.empty()) {
    run->tokenizer_spec = KeptTokenizer(options, "tokenizer", s.tokenizer, records, fields, s.threads);
    run->about.tokenizer = text::ToTokenizerJson(run->tokenizer_spec);
  } else {  // what a model was trained with is what it goes on with
    run->tokenizer_spec = artefact::SpecFromGguf(*artefact::GgufFile::Open(start));
    // Where weights stay in that file, so does the tokenizer.
    if (run->shape.start.hash.empty()) run->about.tokenizer = text::ToSpecJson(run->tokenizer_spec);
  }
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
  run.data = run.architecture->data_of != nullptr ? run.architecture->data_of(model_table) : run.architecture->data;

  if (run.settings.source_tokenizer && run.data != model::DataKind::kPairs) {
    table.Refuse("source_tokenizer", Cat(run.architecture->name, " has no source to cut into tokens"));
  }
  if (run.architecture->starts) {
    if (const std::string init = model_table.StringOr("init", ""); !init.empty()) {
      run.shape.start.file = artefact::Registry(nullptr).Resolve(init).path;
      if (!TunesDecoder(run)) model::ReadStart(&run.shape.start);
      // What stays as it is, beside adapters that learn, is not written again.
      if (TunesDecoder(run) || model_table.Has("rank")) {
        run.shape.start.hash = Sha256HexOfFile(run.shape.start.file);
      }
    } else if (TunesDecoder(run)) {
      model_table.Refuse("init", "is missing: the model to tune", "a name or a GGUF file's path");
    }
  }
  std::vector<std::string> exact;  // a reply begins where its prompt ends, white space and all
  if (TunesDecoder(run)) {
    const DataSettings& data = run.settings.data;
    exact = {"messages", data.prompt, data.response, data.chosen, data.rejected};
    if (run.data == model::DataKind::kPrompts) exact = {Records::kAllFields};  // a scorer gets them as they are
  }
  if (run.data == model::DataKind::kChoices) exact = {Records::kAllFields};  // texts of lists, and features
  const Records records(run.settings.data.train, options.datasets, exact);
  MakeFolders(options.folder);
  if (run.data != model::DataKind::kPictures) SetUpTokenizer(options, records, &run);
  run.shape.classes = run.settings.data.classes;
  if (run.settings.data.characters) {
    if (run.data != model::DataKind::kLabelled) {
      throw Error(Code::kInvalidInput,
                  Cat(options.file, ": data.units = \"characters\" is for classifiers of texts alone"));
    }
    run.shape.vocabulary = 0x110000;
  }
  run.train = MakeExamples(&run, records, &run.train_report);
  if (!run.settings.data.validation.empty()) {
    run.validation =
        MakeExamples(&run, Records(run.settings.data.validation, options.datasets, exact), &run.validation_report);
  }
  run.about.config = options.config;
  run.about.shape = model::ShapeToJson(run.shape);
  torch::manual_seed(static_cast<int64_t>(run.settings.seed));
  run.model = run.architecture->make(model_table, run.shape);
  model_table.Done();
  if (TunesDecoder(run)) run.engine = std::make_shared<PolicyEngine>(run.shape.start.file);
  if (auto* student = dynamic_cast<model::Pretrained*>(run.model.get());
      student && student->objective().teacher.given()) {
    student->SetTeacher(model::OpenTeacher(student->objective().teacher));
  }
  if (!run.settings.keep.empty()) {
    if (!TunesDecoder(run)) {
      throw Error(Code::kInvalidInput, Cat(options.file, ": [keep] is of decoders that are tuned"));
    }
    auto& decoder = dynamic_cast<model::Pretrained&>(*run.model);
    decoder.SetKept(
        MakeKept(Records(run.settings.keep, options.datasets), run.settings, *run.tokenizer, decoder.context()),
        run.settings.keep_weight);
  }
  if (run.data != model::DataKind::kPrompts && !run.settings.scorer.empty()) {
    throw Error(Code::kInvalidInput, Cat(options.file, ": [rollout] is of objectives that eat prompts"));
  }
  if (run.data == model::DataKind::kPrompts) {
    const TrainSettings& s = run.settings;
    if (s.scorer.empty()) {
      throw Error(Code::kInvalidInput, Cat(options.file, ": [rollout] scorer is missing"),
                  "the program that says how good a reply is");
    }
    dynamic_cast<model::Pretrained&>(*run.model)
        .SetRollout(MakeRollout(run.engine, {s.rollout_samples, s.rollout_tokens, s.rollout_temperature},
                                ScorerProgram(s.scorer)));
  }
  return run;
}

}  // namespace atelier::train
