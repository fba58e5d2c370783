#include "train/run_tokenizer.h"

#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "text/byte_map.h"
#include "text/train_bpe.h"
#include "text/train_unigram.h"

namespace atelier::train {
namespace {

text::SpecialTexts Marks() {
  text::SpecialTexts special;
  special.more = {"<mask>"};
  return special;
}

// A vocabulary of all texts.
text::TokenizerSpec Learned(const TokenizerSettings& settings, const text::TextPull& next, int threads,
                            const ProgressFn& progress) {
  if (settings.type == "bpe") {
    return text::TrainBpe(next, {.vocab_size = settings.vocabulary, .special = Marks(), .threads = threads}, progress);
  }
  text::TrainUnigramOptions options;
  options.vocab_size = settings.vocabulary;
  options.special = Marks();
  options.special.unknown = "<unk>";
  options.threads = threads;
  return text::TrainUnigram(next, options, progress);
}

}  // namespace

text::TokenizerSpec ByteTokenizer() {
  text::TokenizerSpec spec;
  spec.model = "gpt2";
  spec.pre = "gpt-2";
  text::AddSpecials(Marks(), &spec);
  for (int byte = 0; byte < 256; ++byte) {
    spec.tokens.push_back(text::ShownBytes(std::string(1, static_cast<char>(byte))));
    spec.types.push_back(static_cast<uint8_t>(text::TokenType::kNormal));
  }
  return spec;
}

text::TokenizerSpec TokenizerFor(const TokenizerSettings& settings, const Records& records,
                                 const std::vector<std::string>& fields, int threads, const ProgressFn& progress) {
  if (!settings.file.empty()) return artefact::ReadTokenizerJson(settings.file);
  if (settings.type == "bytes") return ByteTokenizer();
  std::vector<std::string> texts;
  records.ForEach([&](int64_t index, const Json& record) {
    for (const std::string& field : fields) texts.push_back(TextField(record, field, records.Describe(index)));
  });
  size_t at = 0;
  const text::TextPull next = [&](std::string* text) {
    if (at == texts.size()) return false;
    *text = std::move(texts[at++]);
    return true;
  };
  try {
    return Learned(settings, next, threads, progress);
  } catch (const Error& error) {
    throw error.Within(records.name());
  }
}

}  // namespace atelier::train
