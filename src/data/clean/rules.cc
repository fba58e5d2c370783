// rules: what a text must be like to stay. Every key is optional; what is not written is not asked.
//
//   fields = ["text"]                       every one of them must hold
//   least_characters, most_characters       code points
//   least_words, most_words                 a run of letters and digits, or one Han or kana character
//   most_digits, most_symbols               share of the characters that are digits; punctuation and symbols (0..1)
//   least_letters                           share of the characters that are letters (0..1)
//   most_run                                one character so often in a row
//   most_repeated                           share of runs of three words that stood before in the same text, over its
//                                           first 4,096 of them (after Rae et al. 2021, "Gopher", A.1)
//   least_stop_words                        share of the words that are English function words or Chinese characters
//                                           of grammar; lists of keywords have few
#include <limits>

#include "data/clean/operation.h"

namespace atelier::data::clean {
namespace {

constexpr int64_t kMost = std::numeric_limits<uint32_t>::max();

class Rules : public Operation {
 public:
  explicit Rules(Table* table) : fields_(table) {
    least_characters_ = table->IntOr("least_characters", 0, 0, kMost);
    most_characters_ = table->IntOr("most_characters", kMost, 0, kMost);
    least_words_ = table->IntOr("least_words", 0, 0, kMost);
    most_words_ = table->IntOr("most_words", kMost, 0, kMost);
    most_run_ = table->IntOr("most_run", kMost, 1, kMost);
    most_digits_ = table->DoubleOr("most_digits", 1, 0, 1);
    most_symbols_ = table->DoubleOr("most_symbols", 1, 0, 1);
    least_letters_ = table->DoubleOr("least_letters", 0, 0, 1);
    most_repeated_ = table->DoubleOr("most_repeated", 1, 0, 1);
    least_stop_words_ = table->DoubleOr("least_stop_words", 0, 0, 1);
    words_ = least_words_ > 0 || most_words_ < kMost || most_repeated_ < 1 || least_stop_words_ > 0;
    if (least_characters_ > most_characters_) table->Refuse("least_characters", "is more than most_characters");
    if (least_words_ > most_words_) table->Refuse("least_words", "is more than most_words");
  }

  std::string_view Apply(Row* row, Worker* worker) const override {
    std::string_view why;
    fields_.Texts(row, [&](Field* field) {
      if (why.empty()) why = Check(field, worker);
    });
    return why;
  }

 private:
  std::string_view Check(Field* field, Worker* worker) const {
    const Survey& survey = worker->SurveyOf(field);
    const double all = survey.characters;
    if (survey.characters < least_characters_) return "too few characters";
    if (survey.characters > most_characters_) return "too many characters";
    if (survey.longest_run > most_run_) return "one character too often in a row";
    if (survey.count[kClassDigit] > most_digits_ * all) return "too many digits";
    if (survey.count[kClassPunct] + survey.count[kClassSymbol] > most_symbols_ * all) return "too many symbols";
    if (survey.letters() < least_letters_ * all) return "too few letters";
    if (!words_) return "";
    const Tokens& tokens = worker->TokensOf(field);
    if (tokens.words < least_words_) return "too few words";
    if (tokens.words > most_words_) return "too many words";
    const double most_repeated = most_repeated_ * tokens.triples;
    if (tokens.repeated > most_repeated && worker->tokeniser().Repeated(field->text) > most_repeated) {
      return "says the same again and again";
    }
    if (tokens.stop_words < least_stop_words_ * tokens.words) return "too few function words";
    return "";
  }

  FieldChoice fields_;
  int64_t least_characters_, most_characters_, least_words_, most_words_, most_run_;
  double most_digits_, most_symbols_, least_letters_, most_repeated_, least_stop_words_;
  bool words_;
};

}  // namespace

std::unique_ptr<Operation> MakeRules(Table* table) { return std::make_unique<Rules>(table); }

}  // namespace atelier::data::clean
