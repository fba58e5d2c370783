// atelier tune rank --data CHOICES.jsonl --name NAME: learns what people prefer from what they chose.
#include <iostream>
#include <optional>

#include "app/atelier/command.h"
#include "app/atelier/embedders.h"
#include "app/atelier/list_option.h"
#include "app/atelier/notes.h"
#include "app/atelier/print_ranker.h"
#include "app/atelier/rankers.h"
#include "app/atelier/report_option.h"
#include "app/atelier/studio_here.h"
#include "app/atelier/taught_encoder.h"
#include "artefact/model_file.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/progress.h"
#include "base/str.h"
#include "rank/learn.h"

namespace atelier::app {
namespace {

constexpr const char* kSource = "trained: tune rank";

class TuneRank : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("--data", &data_, "choices or preferred pairs, JSON Lines", true);
    cli.Text("--validation", &validation_, "the same, held out: what the figures are of (default: a share of --data)");
    cli.Text("--name", &name_, "of the ranker; one of this name that tune rank made is replaced", true);
    cli.Text("--loss", &loss_, "pairwise (default) or listwise");
    cli.Texts("--features", &features_, "names, as length,price,likelihood (default: all that there are; none: none)");
    cli.Text("--encoder", &encoder_, "also learn on this encoder's vectors of the texts, as e5-small");
    cli.Flag("--product", &product_, "with --encoder: also on each vector times that of the context");
    cli.Flag("--adapt", &adapt_,
             "with --encoder: first teach a copy of it, by adapters (LoRA), on half of the choices; minutes");
    cli.Int("--rank", &teach_.rank, "with --adapt: of the adapters", 1, 4096);
    cli.Double("--rate", &teach_.rate, "with --adapt: of learning", 1e-8, 1);
    cli.Double("--epochs", &teach_.epochs, "with --adapt: how often its half is seen", 0.001, 1000);
    cli.Flag("--resume", &teach_.resume, "with --adapt: go on with teaching that was broken off");
    cli.Double("--held-out", &held_out_, "share of the choices that the figures are of", 0.01, 0.9);
    cli.Int("--seed", &seed_, "of what is held out", 0, 1 << 30);
    cli.Text("--prompt", &fields_.prompt, "of pairs: the field with what is given");
    cli.Text("--chosen", &fields_.chosen, "of pairs: the field with the text that was chosen");
    cli.Text("--rejected", &fields_.rejected, "of pairs: the field with the one that was not");
    report_.Declare(cli);
  }

  int Run(const Globals& globals) override {
    const auto here = OpenHere(globals);
    const rank::LearnOptions options = Options();
    CheckName(*here);
    report_.Check({data_, validation_});
    rank::Choices choices = rank::ReadChoices(data_, fields_);
    std::optional<rank::Choices> validation;
    if (!validation_.empty()) validation = rank::ReadChoices(validation_, fields_);
    Notes notes;
    for (const auto& [file, read] :
         {std::pair(&data_, &choices), {&validation_, validation ? &*validation : nullptr}}) {
      if (read == nullptr || read->left_out() == 0) continue;
      notes.push_back({Cat(*file, ": ", read->left_out(), " choices say nothing and are left out: in ",
                           read->nothing_taken, " nothing was taken, in ", read->all_alike,
                           " all was worth the same, in ", read->alone, " there was one option"),
                       Cat(*file, "：", read->left_out(), " 次选择不含偏好，不用：", read->nothing_taken,
                           " 次什么都没选，", read->all_alike, " 次全部相同，", read->alone, " 次只有一个选项")});
    }
    const size_t left_out = choices.left_out();
    std::shared_ptr<artefact::Embedder> encoder;
    Json taught;
    if (adapt_) {
      if (validation) rank::RefuseSharedGroups(choices, *validation);  // else learning sees half of them alone
      Taught made = TeachEncoder(*here, name_, here->models->Resolve(encoder_), choices, teach_, globals);
      if (made.encoder.path.empty()) {
        std::cout << (globals.json ? ToText(Json{{"taught", made.run}}) : "interrupted; --resume goes on") << "\n";
        return 130;
      }
      choices = std::move(made.rest);
      encoder = EmbedderPool().Get(made.encoder);
      taught = std::move(made.run);
    } else if (!encoder_.empty()) {
      encoder = EmbedderPool().Get(ResolveToName(*here->models, encoder_));
    }
    const double started = MonotonicSeconds();
    rank::Learned learned;
    {
      Progress progress("learning", ProgressUnit::kItems, globals.quiet || globals.json);
      rank::LearnOptions drawn = options;
      drawn.progress = progress.Callback();
      learned = rank::Learn(choices, validation ? &*validation : nullptr, encoder.get(), drawn);
    }
    const double seconds = MonotonicSeconds() - started;
    for (const Note& note : learned.notes) notes.push_back(note);
    if (learned.cut > 0)
      notes.push_back({Cat(learned.cut, " texts are longer than ", encoder_, " reads; the rest was cut off"),
                       Cat(learned.cut, " 段文本超出 ", encoder_, " 的长度，后面的没有读")});
    learned.file.trained["data_sha256"] = Sha256HexOfFile(data_);
    learned.file.trained["seed"] = seed_;
    const std::string path = Keep(*here, learned.file);

    PrintNotes(notes);
    Json result = {{"model", here->studio ? name_ : path},
                   {"path", path},
                   {"loss", learned.file.loss},
                   {"l2", learned.file.l2},
                   {"encoder", learned.file.encoder.empty() ? Json() : Json(learned.file.encoder)},
                   {"temperature", learned.file.temperature},
                   {"left_out", left_out},
                   {"seconds", seconds}};
    result.update(rank::ToJson(learned));
    if (adapt_) result["taught"] = taught;
    result["notes"] = NotesJson(notes);
    if (report_.wanted()) report_.Write(RankerReport(learned.file, report_.chinese()), notes, globals, &result);
    if (globals.json) {
      std::cout << ToText(result) << "\n";
      return 0;
    }
    std::cout << "learned from " << learned.choices << " choices of " << learned.groups << " groups, "
              << learned.options << " options, " << learned.file.loss << ", in " << FormatDuration(seconds) << "\n";
    PrintRanker(learned.file);
    std::cout << "ranker: " << (here->studio ? name_ : path) << "\n";
    return 0;
  }

 private:
  rank::LearnOptions Options() {
    rank::LearnOptions options;
    const auto loss = rank::LossNamed(loss_);
    if (!loss) throw Error(Code::kUsage, Cat("--loss ", Quote(loss_)), "pairwise or listwise");
    options.loss = *loss;
    options.features = features_.empty() ? features_ : ReadList("--features", features_);
    if (options.features == std::vector<std::string>{"none"}) {
      options.features.clear();
      options.use_features = false;
      if (encoder_.empty()) throw Error(Code::kUsage, "--features none without --encoder leaves nothing to learn on");
    }
    if (product_ && encoder_.empty())
      throw Error(Code::kUsage, "--product says how to use an --encoder", "--encoder e5-small");
    if (adapt_ && encoder_.empty())
      throw Error(Code::kUsage, "--adapt says that an --encoder is taught", "--encoder e5-small");
    if (teach_.resume && !adapt_) throw Error(Code::kUsage, "--resume goes on with teaching an encoder: --adapt");
    options.product = teach_.product = product_;
    teach_.loss = loss_, teach_.seed = seed_;
    options.held_out = held_out_;
    options.seed = static_cast<uint64_t>(seed_);
    return options;
  }

  void CheckName(const StudioHere& here) const {
    if (!artefact::IsModelName(name_)) {
      throw Error(Code::kInvalidInput, Cat(Quote(name_), " cannot name a model"), "give it another by --name");
    }
    if (!here.studio) return;
    const auto old = here.models->Registered(name_);
    if (old && old->manifest.source != kSource) {
      throw Error(Code::kConflict, Cat("the studio has a model ", name_, " already, from ", old->manifest.source),
                  "name the ranker otherwise by --name");
    }
  }

  // models/NAME.ranker in a studio, and registered there; else NAME.ranker here.
  std::string Keep(StudioHere& here, const artefact::RankerFile& file) const {
    const std::string text = artefact::RankerFileText(file);
    if (!here.studio) {
      WriteFileAtomic(Cat(name_, ".ranker"), text);
      return Cat(name_, ".ranker");
    }
    const std::string folder = Cat(here.studio->folder(), "/models");
    MakeFolders(folder);
    artefact::ModelEntry entry{.name = name_, .path = Cat(folder, "/", name_, ".ranker"), .manifest = {}};
    WriteFileAtomic(entry.path, text);
    entry.manifest = artefact::DescribeFile(entry.path);
    entry.manifest.name = name_;
    entry.manifest.sha256 = Sha256Hex(text);
    entry.manifest.source = kSource;
    entry.manifest.created_at = NowMillis();
    if (here.models->Registered(name_)) here.models->Remove(name_, /*weights=*/false);
    here.models->Register(entry, "model.trained");
    return entry.path;
  }

  std::string data_, validation_, name_, loss_ = "pairwise", encoder_;
  std::vector<std::string> features_;
  rank::PairFields fields_;
  bool product_ = false, adapt_ = false;
  TeachOptions teach_;
  double held_out_ = 0.2;
  int64_t seed_ = 1;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Command> MakeTuneRank() { return Make<TuneRank>(); }

}  // namespace atelier::app
