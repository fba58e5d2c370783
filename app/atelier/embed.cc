// atelier embed -m MODEL TEXT...: texts as vectors.
#include <chrono>
#include <iostream>

#include "app/atelier/command.h"
#include "app/atelier/studio_here.h"
#include "artefact/embedder.h"
#include "base/error.h"
#include "base/json.h"
#include "base/progress.h"
#include "base/str.h"
#include "runtime/local_embedder.h"
#include "text/unicode.h"

namespace atelier::app {
namespace {

// --json: {"model", "dims", "role", "engine", "embeddings": [[...]], "tokens": [...], "truncated": [...],
// "seconds"}; else one line per
// text: its vector's first numbers and how near it is to the first text.
class EmbedCommand : public Command {
 public:
  void Declare(Cli& cli) override {
    cli.Text("-m,--model", &model_, "a registered model or the path of a GGUF file", true);
    cli.Texts("text", &texts_, "the texts; without one, the lines of standard input");
    cli.Text("--role", &role_, "query or passage (default passage): what the model is told that the texts are");
    cli.Int("--batch", &batch_, "texts that are computed together (default 256)", 1, 1 << 20);
    cli.Int("-t,--threads", &threads_, "threads; 0: as many as there are processors", 0, 256);
  }

  int Run(const Globals& globals) override {
    if (role_ != "query" && role_ != "passage") {
      throw Error(Code::kUsage, Cat("--role ", Quote(role_), " is neither query nor passage"));
    }
    const auto role = role_ == "query" ? artefact::Embedder::Role::kQuery : artefact::Embedder::Role::kPassage;
    const artefact::ModelEntry entry = OpenHere(globals)->models->Resolve(model_);
    const auto model = runtime::LoadEmbedder(entry.path, entry.name, entry.manifest.sha256, static_cast<int>(threads_));
    if (texts_.empty()) {
      for (std::string line; std::getline(std::cin, line);) {
        if (line.ends_with('\r')) line.pop_back();
        texts_.push_back(std::move(line));
      }
    }
    const auto size = static_cast<size_t>(batch_);
    const auto dims = static_cast<size_t>(model->dims());
    std::string out;
    if (globals.json) {
      const artefact::EngineInfo engine = model->engine();
      const Json head = {{"model", model->info().name},
                         {"dims", model->dims()},
                         {"role", role_},
                         {"engine", {{"build", engine.build}, {"isa", engine.isa}, {"threads", engine.threads}}}};
      out = ToText(head);
      out.back() = ',';
      out += "\"embeddings\":[";
    }
    std::vector<float> first;
    Json tokens = Json::array(), cut = Json::array();
    size_t cuts = 0;
    double seconds = 0;  // of tokenizing and computing
    Progress progress("embedding", ProgressUnit::kItems, globals.quiet || globals.json);
    for (size_t begin = 0; begin < texts_.size(); begin += size) {
      const std::vector<std::string> batch(
          texts_.begin() + static_cast<int64_t>(begin),
          texts_.begin() + static_cast<int64_t>(std::min(texts_.size(), begin + size)));
      std::vector<bool> truncated;
      const auto started = std::chrono::steady_clock::now();
      const std::vector<float> vectors = model->Embed(batch, role, &truncated);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
      if (first.empty()) first.assign(vectors.begin(), vectors.begin() + static_cast<int64_t>(dims));
      for (size_t i = 0; i < batch.size(); ++i) {
        const float* vector = vectors.data() + i * dims;
        cuts += truncated[i] ? 1 : 0;
        if (globals.json) {
          if (begin + i > 0) out += ',';
          out += '[';
          for (size_t d = 0; d < dims; ++d) {
            if (d > 0) out += ',';
            AppendFloat(&out, vector[d]);
          }
          out += ']';
          tokens.push_back(model->CountTokens(batch[i], role));
          cut.push_back(static_cast<bool>(truncated[i]));
        } else {
          double near = 0;
          for (size_t d = 0; d < dims; ++d) near += static_cast<double>(vector[d]) * first[d];
          out += Cat(FormatFixed(near, 4), "  [");
          for (size_t d = 0; d < std::min<size_t>(dims, 4); ++d) out += Cat(FormatFixed(vector[d], 4), " ");
          out += Cat("...", dims, "]  ", text::ForTerminal(batch[i], 80), truncated[i] ? "  (cut)" : "", "\n");
        }
      }
      if (out.size() > (1u << 20)) {
        std::cout << out;
        out.clear();
      }
      progress.Update(begin + batch.size(), texts_.size());
    }
    if (globals.json)
      out += Cat("],\"tokens\":", ToText(tokens), ",\"truncated\":", ToText(cut), ",\"seconds\":", seconds, "}\n");
    std::cout << out << std::flush;
    if (cuts > 0 && !globals.json && !globals.quiet) {
      std::cerr << Cat(cuts, cuts == 1 ? " text is" : " texts are", " longer than the ", model->context(),
                       " tokens that the model reads; the rest was cut off\n");
    }
    return 0;
  }

 private:
  std::string model_, role_ = "passage";
  std::vector<std::string> texts_;
  int64_t threads_ = 0, batch_ = 256;
};

}  // namespace

std::unique_ptr<Command> MakeEmbed() { return Make<EmbedCommand>(); }

}  // namespace atelier::app
