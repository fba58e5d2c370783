// atelier tokenizer train --type bpe|unigram --vocab-size N INPUT... --out tokenizer.json: learns a vocabulary.
#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "artefact/tokenizer_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/str.h"
#include "data/text_corpus.h"
#include "store/studio.h"
#include "text/train_bpe.h"
#include "text/train_unigram.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// Some of the corpus's texts, to measure the vocabulary on: all at first, then one in 64.
class Sample {
 public:
  void Offer(const std::string& text) {
    const bool take = bytes_ < kAll || (rng_.Below(64) == 0 && bytes_ < kMost);
    if (take && text.size() <= kMost) Take(text);
  }
  void Take(const std::string& text) {
    if (bytes_ + text.size() > 2 * kMost) return;
    bytes_ += text.size();
    texts_.push_back(text);
  }
  const std::vector<std::string>& texts() const { return texts_; }

 private:
  static constexpr size_t kAll = size_t{256} << 10, kMost = size_t{4} << 20;
  std::vector<std::string> texts_;
  size_t bytes_ = 0;
  Rng rng_{1};
};

struct Measured {
  uint64_t texts = 0, characters = 0, tokens = 0, unknown = 0;
};

class TokenizerTrain : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--type", &type_, "bpe (byte-level, like GPT-2's) or unigram (like SentencePiece's)", true);
    cli.Int("--vocab-size", &vocab_size_, "tokens, special ones included", 1, 16'000'000);
    cli.Text("--out", &out_, "the tokenizer.json to write; tokenizer_config.json goes beside it", true);
    cli.Texts("input", &inputs_, "text files, JSON lines (.jsonl), datasets");
    cli.Text("--text-field", &text_field_, "the field of JSON lines and datasets that holds the text");
    cli.Int("--min-frequency", &min_frequency_, "bpe: how often a pair must occur to be merged", 1, 1'000'000'000);
    cli.Text("--pre", &pre_, "bpe: how texts are cut into words: gpt-2, smollm, llama-bpe, qwen2");
    cli.Double("--coverage", &coverage_, "unigram: the share of the corpus's characters that get tokens", 0.5, 1);
    cli.Int("--max-piece", &max_piece_, "unigram: characters of a token, at most", 1, 64);
    cli.Text("--bos", &special_.bos, "the token that begins a text; '' for none");
    cli.Text("--eos", &special_.eos, "the token that ends a text; '' for none");
    cli.Text("--pad", &special_.padding, "the token that fills up; '' for none");
    cli.Text("--unk", &unknown_, "the token for what has none (default: unigram <unk>, bpe none)");
    cli.Texts("--special", &special_.more, "a further special token, like '<|im_start|>'; may be repeated");
    cli.Double("--held-out", &held_out_, "the share of the texts that is only measured, not learnt from", 0, 0.5);
    cli.Int("--threads", &threads_, "0: as many as there are processors", 0, 1024);
  }

  int Run(const Globals& globals) override {
    if (type_ != "bpe" && type_ != "unigram") {
      throw Error(Code::kUsage, Cat("--type ", Quote(type_), " is neither bpe nor unigram"));
    }
    if (!out_.ends_with(".json")) throw Error(Code::kUsage, Cat("--out ", Quote(out_), " does not end in .json"));
    special_.unknown = unknown_.empty() && type_ == "unigram" ? "<unk>" : unknown_;
    const auto studio = store::Studio::Find(globals.studio, ".", store::Access::kReadIfMust);
    std::optional<data::Datasets> datasets;
    if (studio) datasets.emplace(studio->Path("data"));
    data::TextCorpus corpus(inputs_, {.text_field = text_field_}, datasets);

    Sample sample, held;
    uint64_t held_texts = 0;
    Rng rng(1, "held out");
    const text::TextPull pull = [&](std::string* text) {
      while (corpus.Next(text)) {
        const bool out = held_out_ > 0 && rng.Uniform() < held_out_;
        if (!out) {
          sample.Offer(*text);
          return true;
        }
        ++held_texts;
        held.Take(*text);
      }
      return false;
    };
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t cpu_begin = std::clock();
    text::TrainingNotes notes;
    text::TokenizerSpec spec;
    {
      std::optional<Progress> progress;
      const auto show = [&](uint64_t done, uint64_t total, std::string_view note) {
        const bool reading = total == 0;
        if (!progress || reading != reading_) {
          progress.reset();
          progress.emplace(reading ? "reading texts" : "learning",
                           reading ? ProgressUnit::kBytes : ProgressUnit::kItems, globals.quiet || globals.json);
          reading_ = reading;
        }
        progress->Update(reading ? corpus.bytes_read() : done, reading ? corpus.bytes_total() : total, note);
      };
      spec = Train(pull, show, &notes);
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double cpu_seconds = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
    artefact::WriteTokenizerJson(spec, out_);
    const auto tokenizer = text::MakeTokenizer(spec);
    const Measured measured = Measure(*tokenizer, spec, held_texts > 0 ? held.texts() : sample.texts());
    Print(globals, spec, *tokenizer, notes, measured, held_texts, seconds, cpu_seconds);
    return 0;
  }

 private:
  text::TokenizerSpec Train(const text::TextPull& pull, const ProgressFn& progress, text::TrainingNotes* notes) const {
    const int threads = static_cast<int>(threads_);
    if (type_ == "bpe") {
      return text::TrainBpe(pull,
                            {.vocab_size = vocab_size_,
                             .min_frequency = min_frequency_,
                             .pre = pre_,
                             .special = special_,
                             .threads = threads},
                            progress, notes);
    }
    text::TrainUnigramOptions options;
    options.vocab_size = vocab_size_;
    options.coverage = coverage_;
    options.most_characters = max_piece_;
    options.special = special_;
    options.threads = threads;
    return text::TrainUnigram(pull, options, progress, notes);
  }

  static Measured Measure(const text::Tokenizer& tokenizer, const text::TokenizerSpec& spec,
                          const std::vector<std::string>& texts) {
    Measured measured;
    for (const std::string& text : texts) {
      const auto ids = tokenizer.Encode(text);
      ++measured.texts;
      measured.characters += text::CountChars(text);
      measured.tokens += ids.size();
      if (spec.model == "t5") {
        measured.unknown += static_cast<uint64_t>(std::count(ids.begin(), ids.end(), spec.unknown));
      }
    }
    return measured;
  }

  // The ids of the longest tokens that are whole characters, by their characters.
  static std::vector<text::TokenId> Longest(const text::Tokenizer& tokenizer, const text::TokenizerSpec& spec) {
    std::vector<std::pair<size_t, text::TokenId>> sizes;
    for (text::TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
      if (spec.types[static_cast<size_t>(id)] != static_cast<uint8_t>(text::TokenType::kNormal)) continue;
      const std::string piece = tokenizer.Piece(id);
      if (text::IsValidUtf8(piece)) sizes.emplace_back(text::CountChars(piece), id);
    }
    const size_t count = std::min<size_t>(10, sizes.size());
    std::partial_sort(
        sizes.begin(), sizes.begin() + static_cast<int64_t>(count), sizes.end(),
        [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
    std::vector<text::TokenId> ids;
    for (size_t i = 0; i < count; ++i) ids.push_back(sizes[i].second);
    return ids;
  }

  void Print(const Globals& globals, const text::TokenizerSpec& spec, const text::Tokenizer& tokenizer,
             const text::TrainingNotes& notes, const Measured& measured, uint64_t held_texts, double seconds,
             double cpu_seconds) const {
    const double ratio =
        measured.characters == 0 ? 0 : static_cast<double>(measured.tokens) / static_cast<double>(measured.characters);
    const size_t special = special_.InOrder().size();
    Json longest = Json::array();
    std::string shown;
    for (const text::TokenId id : Longest(tokenizer, spec)) {
      const std::string piece = tokenizer.Piece(id);
      longest.push_back(piece);
      shown += Cat(shown.empty() ? "" : " ", Quote(piece));
    }
    if (globals.json) {
      std::cout << ToText(Json{{"out", out_},
                               {"type", type_},
                               {"vocab_size", spec.tokens.size()},
                               {"wanted", vocab_size_},
                               {"special", special_.InOrder()},
                               {"merges", spec.merges.size()},
                               {"texts", notes.texts},
                               {"bytes", notes.bytes},
                               {"words", notes.words},
                               {"held_out_texts", held_texts},
                               {"measured",
                                {{"texts", measured.texts},
                                 {"characters", measured.characters},
                                 {"tokens", measured.tokens},
                                 {"unknown", measured.unknown},
                                 {"tokens_per_character", ratio}}},
                               {"longest", std::move(longest)},
                               {"seconds", seconds},
                               {"cpu_seconds", cpu_seconds}})
                << "\n";
      return;
    }
    TextTable table({"vocabulary", Cat(spec.tokens.size(), " tokens")});
    table.Add({"special tokens", Cat(special, special > 0 ? Cat(": ", Join(special_.InOrder(), " ")) : "")});
    table.Add(
        {"learnt from", Cat(notes.texts, " texts, ", FormatBytes(notes.bytes), ", ", notes.words, " different words")});
    table.Add({held_texts > 0 ? "tokens per character, held out" : "tokens per character", FormatFixed(ratio, 4)});
    if (spec.model == "t5") {
      table.Add({"unknown tokens", Cat(FormatFixed(measured.tokens == 0 ? 0
                                                                        : 100 * static_cast<double>(measured.unknown) /
                                                                              static_cast<double>(measured.tokens),
                                                   3),
                                       " %")});
    }
    table.Add({"longest tokens", shown});
    table.Add({"time", FormatDuration(seconds)});
    std::cout << table.Text();
    if (static_cast<int64_t>(spec.tokens.size()) < vocab_size_) {
      std::cerr << "note: the texts have no more than these " << spec.tokens.size() << " tokens to learn\n";
    }
    std::cout << "wrote " << text::ForTerminal(out_) << "\n";
  }

  std::string type_, out_, text_field_ = "text", pre_ = "gpt-2";
  std::vector<std::string> inputs_;
  int64_t vocab_size_ = 8192, min_frequency_ = 2, max_piece_ = 16, threads_ = 0;
  double coverage_ = 0.9995, held_out_ = 0;
  text::SpecialTexts special_;
  std::string unknown_;
  bool reading_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeTokenizerTrain() { return Make<TokenizerTrain>(); }

}  // namespace atelier::app
