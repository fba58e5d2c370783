// atelier evaluate segmentation --corpus FILE | --gold FILE [--train FILE]
#include <chrono>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/segmenter_option.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "evaluate/segmentation.h"
#include "text/segmenter_trainer.h"

namespace atelier::app {
namespace {

class SegmentationCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    segmenter_.Declare(cli);
    cli.Text("--corpus", &corpus_, "the corpus that segmenter-zh is trained on: its held-out part is measured");
    cli.Text("--gold", &gold_, "a text with its words marked (white space between them; word/tag is taken, too)");
    cli.Text("--train", &train_, "with --gold: the training text, of the same form, which says which words are known");
  }

  int Run(const Globals& globals) override {
    if (corpus_.empty() == gold_.empty() || (!corpus_.empty() && !train_.empty())) {
      throw Error(Code::kUsage, "evaluate segmentation needs either --corpus, or --gold with or without --train",
                  "atelier evaluate segmentation --gold test.txt --train train.txt");
    }
    const auto segmenter = segmenter_.Load(globals);
    const std::string& name = corpus_.empty() ? gold_ : corpus_;
    const std::string text = ReadFile(name), train = train_.empty() ? "" : ReadFile(train_);
    const auto lines = text::ReadMarked(text, name);
    evaluate::SegmentationMeasure measure;
    for (const auto& line : text::ReadMarked(train, train_)) {
      for (const std::string_view word : line.words) measure.Know(word);
    }
    std::vector<const text::MarkedLine*> measured;
    for (const auto& line : lines) {
      if (corpus_.empty() || line.held_out) {
        measured.push_back(&line);
      } else {
        for (const std::string_view word : line.words) measure.Know(word);
      }
    }
    Progress progress("segmenting", ProgressUnit::kItems, globals.quiet);
    double seconds = 0;
    uint64_t bytes = 0, done = 0;
    std::vector<std::string_view> words;
    std::string plain;
    for (const text::MarkedLine* line : measured) {
      plain.clear();
      for (const std::string_view word : line->words) plain += word;
      words.clear();
      const auto begin = std::chrono::steady_clock::now();
      segmenter->Segment(plain, &words);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      bytes += plain.size();
      measure.Add(line->words, words);
      if (++done % 256 == 0) progress.Update(done, measured.size());
    }
    const evaluate::SegmentationScore& score = measure.score();
    const bool vocabulary = !corpus_.empty() || !train_.empty();
    const auto known = [&](double value) { return vocabulary ? Json(value) : Json(); };
    if (globals.json) {
      std::cout << ToText({{"segmenter", segmenter_.name()},
                           {"lines", measured.size()},
                           {"words", score.gold},
                           {"found", score.found},
                           {"right", score.right},
                           {"precision", score.precision()},
                           {"recall", score.recall()},
                           {"f1", score.f1()},
                           {"oov_rate", known(score.unknown_rate())},
                           {"oov_recall", known(score.unknown_recall())},
                           {"iv_recall", known(score.known_recall())},
                           {"bytes", bytes},
                           {"seconds", seconds}})
                << "\n";
      return 0;
    }
    const auto percent = [](double share) { return FormatFixed(100 * share, 2); };
    std::cout << segmenter_.name() << ": F1 " << percent(score.f1()) << " (precision " << percent(score.precision())
              << ", recall " << percent(score.recall()) << ") over " << score.gold << " words in " << measured.size()
              << " lines\n";
    if (vocabulary) {
      std::cout << "words out of the training text: " << percent(score.unknown_rate()) << " %, recall "
                << percent(score.unknown_recall()) << "; in it: recall " << percent(score.known_recall()) << "\n";
    }
    if (seconds > 0) std::cout << FormatFixed(static_cast<double>(bytes) / 1e6 / seconds, 1) << " MB/s\n";
    return 0;
  }

 private:
  SegmenterOption segmenter_;
  std::string corpus_, gold_, train_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateSegmentation() { return Make<SegmentationCommand>(); }

}  // namespace atelier::app
