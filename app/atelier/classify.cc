// atelier classify -m MODEL --input RECORDS --out PREDICTIONS.jsonl: the class of each text, with the chance of every
// class, by a classifier that was trained here, or by a language model that is asked for the word of each.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <optional>

#include "app/atelier/command.h"
#include "app/atelier/generate_learned.h"
#include "app/atelier/list_option.h"
#include "app/atelier/model_option.h"
#include "app/atelier/studio_here.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/dataset.h"
#include "data/records.h"
#include "job/learner.h"
#include "runtime/chat.h"
#include "text/jinja.h"

namespace atelier::app {
namespace {

using Clock = std::chrono::steady_clock;

// A class, and the word that a language model says for it.
struct Asked {
  std::string label, word;
};

// A dataset, NAME[@VERSION][:SPLIT], or a file.
std::vector<Json> ReadInput(const StudioHere& here, const std::string& input) {
  std::vector<Json> records;
  if (FileExists(input)) {
    data::ImportOptions options;
    options.exact = true;
    for (data::Record& record : data::ReadRecords(input, options).records) {
      records.push_back(std::move(record.fields));
    }
    return records;
  }
  if (!here.studio) {
    throw Error(Code::kNotFound,
                Cat("there is no file ", Quote(input), ", and no studio here whose dataset it could be"));
  }
  const size_t colon = input.rfind(':');
  const std::string split = colon == std::string::npos ? "" : input.substr(colon + 1);
  const data::DatasetReader reader(data::Datasets(here.studio->Path("data")), input.substr(0, colon));
  reader.ReadAll([&](std::string_view lines) {
    for (size_t at = 0; at < lines.size();) {
      const size_t end = lines.find('\n', at);
      Json record = ParseJson(lines.substr(at, end - at), input);
      at = end + 1;
      if (split.empty() || record.value("_split", "") == split) records.push_back(std::move(record));
    }
    return true;
  });
  return records;
}

std::string Text(const Json& record, const std::string& field, const std::string& where) {
  const auto it = record.find(field);
  if (it != record.end() && it->is_string()) return it->get<std::string>();
  if (it != record.end() && (it->is_number() || it->is_boolean())) return ToText(*it);
  std::vector<std::string> has;
  for (const auto& [name, value] : record.items()) has.push_back(name);
  throw Error(Code::kInvalidInput, Cat(where, ": no text in a field ", Quote(field)), Cat("it has ", Join(has, ", ")));
}

class ClassifyCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    model_.Declare(cli);
    cli.Text("--input", &input_, "a dataset, NAME[@VERSION][:SPLIT], or a file of texts", true);
    cli.Text("--out", &out_, "JSON lines: text, label where there is one, predicted, probabilities", true);
    cli.Texts(
        "--labels", &labels_,
        "of a language model: the classes, as the words that it says for them, or CLASS=WORD: a,b,c, or repeated");
    cli.Text("--template", &template_,
             "of a language model: what it is given, in Jinja over the record's fields, for example "
             "'{{ text[:100] }} => '; @FILE reads a file");
    cli.Flag("--chat", &chat_, "what it is given is a user's message in the model's chat template");
    cli.Text("--text", &text_, "of a language model: the field that is written as text");
    cli.Text("--label", &label_, "of a language model: the field with the true class");
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    if (SameFile(input_, out_)) throw Error(Code::kUsage, Cat("--out ", Quote(out_), " is the input"));
    const artefact::ModelEntry entry = model_.Find(globals);
    Json done = IsLearned(entry) ? ByClassifier(*here, entry, globals) : ByWords(*here, globals);
    done["model"] = entry.name;
    if (globals.json) {
      std::cout << ToText(done) << "\n";
      return 0;
    }
    std::cout << done["records"] << " texts, " << FormatFixed(done["milliseconds_per_text"].get<double>(), 1)
              << " ms a text";
    for (const char* what : {"empty", "truncated"}) {
      if (const auto n = done.value(what, int64_t{0}); n > 0) std::cout << ", " << n << " " << what;
    }
    if (done.contains("accuracy")) {
      std::cout << "; accuracy " << FormatFixed(done["accuracy"].get<double>(), 4) << " of " << done["labelled"];
    }
    std::cout << "\npredictions: " << done["path"].get<std::string>() << "\n";
    return 0;
  }

 private:
  // One that was trained here: atelier-learn has it.
  Json ByClassifier(const StudioHere& here, const artefact::ModelEntry& entry, const Globals& globals) const {
    if (!labels_.empty() || !template_.empty() || chat_ || text_ != kText || label_ != kLabel) {
      throw Error(Code::kUsage, Cat(entry.name, " is a classifier, which knows its classes and fields itself"),
                  "--labels, --template, --chat, --text and --label are of language models");
    }
    std::vector<std::string> arguments = {"classify", "--model", entry.path, "--input", input_, "--out", out_};
    if (model_.threads() > 0) {
      arguments.emplace_back("--threads");
      arguments.push_back(Cat(model_.threads()));
    }
    if (here.studio) {
      arguments.emplace_back("--datasets");
      arguments.push_back(here.studio->Path("data"));
    }
    job::LearnerOptions options;
    options.background = false;
    Progress progress("classifying", ProgressUnit::kItems, globals.quiet || globals.json);
    Json done = job::RunLearner(arguments, options, [&](const std::string& event, const Json& fields) {
      if (event == "step") progress.Update(fields["step"].get<uint64_t>(), fields["steps"].get<uint64_t>());
    });
    done.erase("event");
    return done;
  }

  std::vector<Asked> AskedWords() const {
    if (labels_.empty() || template_.empty()) {
      throw Error(Code::kUsage, "a language model is asked by --labels and --template",
                  "for example --labels positive=好评,negative=差评 --template '{{ text }} 这是'");
    }
    std::vector<Asked> asked;
    for (const std::string& one : ReadList("--labels", labels_)) {
      const size_t cut = one.find('=');
      asked.push_back(cut == std::string::npos ? Asked{one, one} : Asked{one.substr(0, cut), one.substr(cut + 1)});
    }
    if (asked.size() < 2) throw Error(Code::kUsage, "--labels wants two classes or more");
    for (size_t i = 0; i < asked.size(); ++i) {
      const auto refuse = [&](const std::string& why, std::string hint) {
        throw Error(Code::kUsage, Cat("--labels: ", why), std::move(hint));
      };
      if (asked[i].label.empty() || asked[i].word.empty()) refuse("a class or its word is empty", "CLASS=WORD");
      for (size_t j = 0; j < asked.size(); ++j) {
        if (j < i && asked[j].label == asked[i].label) refuse(Cat(Quote(asked[i].label), " is named twice"), "");
        // The longer word would be part of what the shorter one says.
        if (j != i && asked[j].word.starts_with(asked[i].word)) {
          refuse(Cat("the word ", Quote(asked[j].word), " begins with ", Quote(asked[i].word),
                     ", so that their chances cannot be told apart"),
                 "give one of them another word: CLASS=WORD");
        }
      }
    }
    return asked;
  }

  // A language model: p(class) is the likelihood of its word after the prompt, over the sum of all words'.
  Json ByWords(const StudioHere& here, const Globals& globals) const {
    const std::vector<Asked> asked = AskedWords();
    std::string source = template_;
    if (source.size() > 1 && source[0] == '@') source = ReadFile(source.substr(1), 1u << 20);
    const text::Template prompt = text::Template::Parse(source, "--template");
    const std::vector<Json> records = ReadInput(here, input_);
    if (records.empty()) throw Error(Code::kInvalidInput, Cat(input_, ": there is no record in it"));
    std::vector<std::string> words;
    for (const Asked& one : asked) words.push_back(one.word);
    const auto model = model_.Load(globals);
    std::optional<runtime::ChatFormat> chat;
    if (chat_) chat.emplace(*model);

    AtomicFile file(out_);
    Progress progress("classifying", ProgressUnit::kItems, globals.quiet || globals.json);
    int64_t labelled = 0, right = 0, empty = 0;
    const auto started = Clock::now();
    for (size_t i = 0; i < records.size(); ++i) {
      const std::string where = Cat(input_, ", record ", i + 1);
      Json line = {{"text", Text(records[i], text_, where)}};
      empty += Trim(line["text"].get_ref<const std::string&>()).empty();
      if (records[i].contains(label_)) line["label"] = Text(records[i], label_, where);
      std::string given = prompt.Render(records[i]);
      if (chat) given = chat->Render(Json::array({{{"role", "user"}, {"content", given}}}));
      std::vector<artefact::Scored> scored;
      try {
        scored = model->Score(given, words, chat_);
      } catch (const Error& error) {
        throw error.Within(where);
      }
      const std::vector<double> chances = Chances(scored);
      const auto best = static_cast<size_t>(std::max_element(chances.begin(), chances.end()) - chances.begin());
      line["predicted"] = asked[best].label;
      for (size_t c = 0; c < asked.size(); ++c) line["probabilities"][asked[c].label] = chances[c];
      if (line.contains("label")) {
        ++labelled;
        right += line["label"] == line["predicted"];
      }
      file.Write(ToText(line) + "\n");
      progress.Update(i + 1, records.size());
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
    file.Commit();
    Json done = {
        {"path", out_},         {"records", records.size()},
        {"empty", empty},       {"truncated", 0},
        {"labelled", labelled}, {"milliseconds_per_text", 1e3 * seconds / static_cast<double>(records.size())}};
    if (labelled > 0) done["accuracy"] = static_cast<double>(right) / static_cast<double>(labelled);
    return done;
  }

  static std::vector<double> Chances(const std::vector<artefact::Scored>& scored) {
    double greatest = -INFINITY, sum = 0;
    for (const artefact::Scored& one : scored) greatest = std::max(greatest, one.sum_logprob);
    std::vector<double> chances;
    for (const artefact::Scored& one : scored) {
      chances.push_back(std::exp(one.sum_logprob - greatest));
      sum += chances.back();
    }
    for (double& chance : chances) chance /= sum;
    return chances;
  }

  static constexpr char kText[] = "text", kLabel[] = "label";
  ModelOption model_;
  std::string input_, out_, template_, text_ = kText, label_ = kLabel;
  std::vector<std::string> labels_;
  bool chat_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeClassify() { return Make<ClassifyCommand>(); }

}  // namespace atelier::app
