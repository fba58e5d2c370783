// atelier evaluate readability --text FILE
#include <cmath>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/known.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "evaluate/readability.h"

namespace atelier::app {
namespace {

class ReadabilityCommand : public Command {
 public:
  void Declare(Cli& cli) override { cli.Text("--text", &text_, "the file to read; - for standard input", true); }

  int Run(const Globals& globals) override {
    const evaluate::Readability r = evaluate::MeasureReadability(ReadFile(text_ == "-" ? "/dev/stdin" : text_));
    if (r.sentences == 0) {
      throw Error(Code::kInvalidInput, Cat(text_, ": holds no English word and no Chinese character"),
                  "readability is measured for these two languages");
    }
    const Json result{{"sentences", r.sentences},
                      {"words", r.words},
                      {"syllables", r.syllables},
                      {"characters", r.characters},
                      {"flesch_reading_ease", Known(r.flesch_reading_ease())},
                      {"flesch_kincaid_grade", Known(r.flesch_kincaid_grade())},
                      {"characters_per_sentence", Known(r.characters_per_sentence())},
                      {"common_share", Known(r.common_share())}};
    if (globals.json) {
      std::cout << ToText(result) << "\n";
      return 0;
    }
    for (const auto& [name, value] : result.items()) {
      if (value.is_null()) continue;
      std::cout << ReplaceAll(name, "_", " ") << " "
                << (value.is_number_float() ? FormatFixed(value.get<double>(), 2) : Cat(value.get<int64_t>())) << "\n";
    }
    return 0;
  }

 private:
  std::string text_;
};

}  // namespace

std::unique_ptr<Command> MakeEvaluateReadability() { return Make<ReadabilityCommand>(); }

}  // namespace atelier::app
