// atelier-learn translate --model FILE.safetensors --input FILE.jsonl --out FILE.jsonl [--beam 4]
//               [--length-penalty 0.6] [--longest N] [--batch 32] [--attention DIR] [--pictures 20] [--zh]
//
// A line of the output per record: "source", "hypotheses" (best first: "text", "score", "log_probability"), "reference"
// where the record has the target's field. Pictures of attention are DIR/N.svg of the N-th record.
#include <torch/torch.h>

#include "app/learn/command.h"
#include "app/learn/events.h"
#include "app/learn/options.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/model_file.h"
#include "report/chart.h"
#include "train/records.h"
#include "train/translate.h"

namespace atelier::learn {
int Translate(const Options& options, const std::atomic<bool>& stop) {
  train::TranslateOptions wanted;
  wanted.beam = Whole(options, "beam", wanted.beam, 1, 1000);
  wanted.length_penalty = Number(options, "length-penalty", wanted.length_penalty, 0, 10);
  wanted.longest = Whole(options, "longest", 0, 1, 1 << 20);
  wanted.batch = Whole(options, "batch", wanted.batch, 1, 1 << 16);
  const int64_t pictures = Whole(options, "pictures", 20, 0, 1'000'000);
  const auto attention = options.find("attention");
  const std::string &input = options.at("input"), &out = options.at("out");
  if (SameFile(input, out)) throw Error(Code::kUsage, Cat("--out ", Quote(out), " is the input"));
  const model::OpenedModel opened = model::OpenModel(options.at("model"));
  auto* translator = dynamic_cast<model::Translator*>(opened.model.get());
  if (translator == nullptr) {
    throw Error(Code::kUnsupported, Cat("a model of ", opened.architecture->name, " does not translate"),
                "seq2seq and transformer do");
  }
  const text::Tokenizer* target = opened.tokenizer.get();
  const text::Tokenizer* source = opened.source_tokenizer ? opened.source_tokenizer.get() : target;
  if (target == nullptr) throw Error(Code::kCorrupt, Cat(options.at("model"), ": there is no tokenizer in it"));
  Table config = Table::Parse(opened.about.config, options.at("model"));
  const train::TrainSettings settings = train::ReadTrainSettings(config);
  if (settings.threads > 0) at::set_num_threads(settings.threads);
  const train::DataSettings& data = settings.data;
  const train::TranslatorView view{*translator, *source, *target, data};

  const train::Records records(input, "");
  std::vector<std::string> sources;
  std::vector<Json> lines;
  records.ForEach([&](int64_t index, const Json& fields) {
    sources.push_back(train::TextField(fields, data.source, records.Describe(index)));
    Json line = {{"source", sources.back()}};
    if (const auto it = fields.find(data.target); it != fields.end() && it->is_string()) line["reference"] = *it;
    lines.push_back(std::move(line));
  });
  if (attention != options.end()) MakeFolders(attention->second);
  Tell("start", {{"architecture", opened.architecture->name}, {"records", sources.size()}, {"beam", wanted.beam}});

  AtomicFile file(out);
  int64_t truncated = 0, drawn = 0;
  // In pieces, so that what goes on can be told; each is sorted by length by itself.
  const size_t piece = static_cast<size_t>(wanted.batch) * 16;
  for (size_t at = 0; at < sources.size(); at += piece) {
    if (stop) return 130;
    const auto some = std::span(sources).subspan(at, std::min(piece, sources.size() - at));
    const std::vector<train::Translated> translated = train::Translate(view, some, wanted);
    for (size_t i = 0; i < some.size(); ++i) {
      const train::Translated& one = translated[i];
      Json& line = lines[at + i];
      line["hypotheses"] = Json::array();
      for (const train::Translation& hypothesis : one.hypotheses) {
        line["hypotheses"].push_back(
            {{"text", hypothesis.text}, {"score", hypothesis.score}, {"log_probability", hypothesis.log_probability}});
      }
      if (one.truncated) line["truncated"] = true;
      truncated += one.truncated;
      file.Write(ToText(line) + "\n");
      if (attention == options.end() || drawn == pictures) continue;
      const std::string picture =
          report::Draw(train::AttentionPicture(one, one.hypotheses.at(0), options.contains("zh")));
      WriteFileAtomic(Cat(attention->second, "/", at + i + 1, ".svg"), picture);
      ++drawn;
    }
    Tell("progress", {{"done", at + some.size()}, {"all", sources.size()}});
  }
  file.Commit();
  Tell("done", {{"records", sources.size()}, {"truncated", truncated}, {"pictures", drawn}, {"path", out}});
  return 0;
}

}  // namespace atelier::learn
