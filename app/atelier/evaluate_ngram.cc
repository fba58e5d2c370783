// atelier evaluate ngram --train TRAIN --input TEST [--order 5]: bits per character of a model that only counts.
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/text_table.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/text_corpus.h"
#include "evaluate/ngram.h"
#include "store/studio.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

class NgramCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--train", &train_, "the texts whose characters are counted: a text file, JSON lines, a dataset", true);
    cli.Text("--input", &input_, "the texts that are measured", true);
    cli.Text("--text-field", &field_, "the field of JSON lines and datasets that holds the text");
    cli.Int("--order", &order_, "characters of the longest gram", 1, evaluate::NgramModel::kMostOrder);
  }

  int Run(const Globals& globals) override {
    const auto studio = store::Studio::Find(globals.studio, ".", store::Access::kReadIfMust);
    std::optional<data::Datasets> datasets;
    if (studio) datasets.emplace(studio->Path("data"));
    const auto each = [&](const std::string& input, const char* label, const auto& body) {
      data::TextCorpus corpus({input}, {.text_field = field_, .line_ends = false}, datasets);
      Progress progress(label, ProgressUnit::kBytes, globals.quiet || globals.json);
      std::string text;
      while (corpus.Next(&text)) {
        body(text);
        progress.Update(corpus.bytes_read(), corpus.bytes_total());
      }
    };
    evaluate::NgramModel model(static_cast<int>(order_));
    each(train_, "counting", [&](const std::string& text) { model.Add(text); });
    model.Finish();
    double bits = 0;
    int64_t texts = 0, characters = 0, unseen = 0;
    each(input_, "measuring", [&](const std::string& text) {
      bits += model.Bits(text, &unseen);
      characters += static_cast<int64_t>(text::CountChars(text));
      ++texts;
    });
    if (texts == 0) throw Error(Code::kInvalidInput, Cat(input_, ": there is no text in it"));
    const double per_character = bits / static_cast<double>(characters + texts);
    if (globals.json) {
      std::cout << ToText(Json{{"bits_per_character", per_character},
                               {"order", order_},
                               {"texts", texts},
                               {"characters", characters},
                               {"unseen", unseen},
                               {"grams", model.grams()},
                               {"different_characters", model.characters()}})
                << "\n";
      return 0;
    }
    TextTable table({"bits per character", FormatFixed(per_character, 4)});
    table.Add({"over", Cat(characters, " characters and the ends of ", texts, " texts; ", unseen, " unseen")});
    table.Add({"model", Cat("order ", order_, ", ", model.grams(), " grams of ", model.characters(), " characters")});
    std::cout << table.Text();
    return 0;
  }

 private:
  std::string train_, input_, field_ = "text";
  int64_t order_ = 5;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateNgram() { return Make<NgramCommand>(); }

}  // namespace atelier::app
