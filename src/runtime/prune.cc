#include "runtime/prune.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <vector>

#include "artefact/gguf_tokenizer.h"
#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "base/thread_pool.h"
#include "runtime/arch/arch.h"
#include "runtime/chat.h"
#include "runtime/convert_rows.h"
#include "text/vocabulary_subset.h"

namespace atelier::runtime {
namespace {

using artefact::TensorInfo;
using kernel::Format;

constexpr std::string_view kVocabulary = "tokenizer.ggml.";
// A whole other description of the vocabulary, which no engine reads.
constexpr std::string_view kOtherTokenizer = "tokenizer.huggingface.json";
constexpr std::string_view kLayerMatrices[] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                               "ffn_gate", "ffn_up", "ffn_down"};

std::string InLayer(int64_t layer, std::string_view part) { return Cat("blk.", layer, ".", part); }

// The sum over a column of its squares, for each column.
std::vector<double> ColumnSquares(const TensorInfo& tensor, ThreadPool* pool) {
  const Format format = FormatOf(tensor.type);
  const int64_t cols = tensor.dim(0), rows = tensor.dim(1);
  const auto bytes = static_cast<size_t>(cols / kernel::Info(format).block * kernel::Info(format).bytes);
  // A part per 64 rows, added in their order: threads change no bit.
  constexpr int64_t kPart = 64;
  const int64_t parts = (rows + kPart - 1) / kPart;
  std::vector<double> sums(static_cast<size_t>(parts * cols));
  pool->Run([&](int thread) {
    std::vector<float> x(static_cast<size_t>(cols));
    const Span1 mine = SplitRange(parts, 1, thread, pool->size());
    for (int64_t r = mine.begin * kPart; r < std::min(rows, mine.end * kPart); ++r) {
      kernel::Dequantise(format, tensor.data + static_cast<size_t>(r) * bytes, cols, x.data());
      double* part = sums.data() + r / kPart * cols;
      for (int64_t c = 0; c < cols; ++c) {
        const double value = x[static_cast<size_t>(c)];
        part[c] += value * value;
      }
    }
  });
  for (int64_t part = 1; part < parts; ++part) {
    for (int64_t c = 0; c < cols; ++c) sums[static_cast<size_t>(c)] += sums[static_cast<size_t>(part * cols + c)];
  }
  sums.resize(static_cast<size_t>(cols));
  return sums;
}

// The `count` units of greatest score, ascending. Of equal ones the first stay.
std::vector<int64_t> Best(const std::vector<double>& scores, int64_t count) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)];
  });
  order.resize(static_cast<size_t>(count));
  std::sort(order.begin(), order.end());
  return order;
}

class Pruner {
 public:
  Pruner(const artefact::GgufFile& file, const PruneOptions& options)
      : file_(file),
        options_(options),
        spec_(ReadSpec(file)),
        pool_(options.threads > 0 ? options.threads : ThreadPool::DefaultThreads()) {
    if (options_.units < 1) ChooseUnits();
    if (options_.tokens) ChooseTokens();
    FindJobs();
    if (jobs_.empty()) {
      throw Error(
          Code::kInvalidInput, Cat(file.path(), ": rounded, everything would stay"),
          Cat("units go in blocks of ", Block(), ", weights as whole ones of a row, tokens where none needs them"));
    }
  }

  PruneReport Write(const std::string& to, const ProgressFn& progress) {
    const int64_t units = kept_.empty() ? spec_.hidden : static_cast<int64_t>(kept_[0].size());
    PruneReport report{
        .layers = static_cast<int64_t>(spec_.layers.size()), .units_before = spec_.hidden, .units = units};
    report.tokens_before = spec_.vocab;
    report.tokens = tokens_.empty() ? spec_.vocab : std::ssize(tokens_);
    report.bytes_before = file_.file_bytes();
    artefact::GgufWriter writer;
    WriteKeys(units, &writer);
    if (!options_.licence.empty() && !file_.Has("general.license")) writer.Set("general.license", options_.licence);
    uint64_t total = 0, done = 0;
    for (const auto& [name, job] : jobs_) total += file_.Find(name)->bytes;
    for (const TensorInfo& tensor : file_.tensors()) {
      const auto found = jobs_.find(tensor.name);
      if (found == jobs_.end()) {
        writer.CopyTensor(tensor);
        continue;
      }
      const Job& job = found->second;
      std::vector<int64_t> shape = tensor.shape;
      if (!job.cols.empty()) shape[0] = static_cast<int64_t>(job.cols.size());
      if (!job.rows.empty()) shape[1] = static_cast<int64_t>(job.rows.size());
      const Format format = FormatOf(tensor.type);
      if (job.gone > 0) {
        report.weights += shape[0] * shape[1];
        report.left_out += static_cast<int64_t>(job.gone) * shape[1];
      }
      report.again += kernel::Info(format).block > 1 && (job.gone > 0 || !job.cols.empty());
      writer.AddTensor(tensor.name, tensor.type, shape, [&] {
        std::string bytes = Convert(tensor, job);
        done += tensor.bytes;
        if (progress) progress(done, total, tensor.name);
        return bytes;
      });
    }
    writer.Write(to);
    report.bytes_after = FileSize(to);
    return report;
  }

 private:
  // What happens to one matrix.
  struct Job {
    std::span<const int64_t> rows = {}, cols = {};  // units that stay; empty: all
    size_t gone = 0;                                // weights of a row that become 0
  };

  void WriteKeys(int64_t units, artefact::GgufWriter* writer) const {
    const std::string hidden = Cat(spec_.architecture, ".feed_forward_length");
    std::vector<std::string_view> changed = {hidden};
    if (tokens_.empty()) {
      writer->CopyKeys(file_, changed);
    } else {
      for (const std::string& key : file_.Keys()) {
        if (NumbersTokens(key)) changed.push_back(key);
      }
      writer->CopyKeys(file_, changed);
      WriteVocabulary(writer);
    }
    writer->Set(hidden, static_cast<uint32_t>(units));
  }

  bool NumbersTokens(std::string_view key) const {
    if (key == Cat(spec_.architecture, ".vocab_size") || key == kOtherTokenizer) return true;
    if (!key.starts_with(kVocabulary)) return false;
    key.remove_prefix(kVocabulary.size());
    return key == "tokens" || key == "scores" || key == "token_type" || key == "merges" || key.ends_with("_token_id");
  }

  void WriteVocabulary(artefact::GgufWriter* writer) const {
    const auto key = [](std::string_view name) { return Cat(kVocabulary, name); };
    const std::vector<text::TokenId> stay(tokens_.begin(), tokens_.end());
    const text::TokenizerSpec less = text::Subset(artefact::SpecFromGguf(file_), stay);
    writer->Set(key("tokens"), less.tokens);
    if (file_.Has(key("scores"))) writer->Set(key("scores"), less.scores);
    if (file_.Has(key("token_type"))) {
      writer->Set(key("token_type"), std::vector<int32_t>(less.types.begin(), less.types.end()));
    }
    if (file_.Has(key("merges"))) writer->Set(key("merges"), less.merges);
    for (const std::string& name : file_.Keys()) {
      if (name == Cat(spec_.architecture, ".vocab_size")) writer->Set(name, static_cast<uint32_t>(tokens_.size()));
      if (!name.starts_with(kVocabulary) || !name.ends_with("_token_id")) continue;
      const auto at = std::lower_bound(tokens_.begin(), tokens_.end(), file_.Int(name));
      if (at == tokens_.end() || *at != file_.Int(name)) continue;  // a number that was no token's
      writer->Set(name, static_cast<uint32_t>(at - tokens_.begin()));
    }
  }

  void ChooseTokens() {
    const text::TokenizerSpec spec = artefact::SpecFromGguf(file_);
    if (std::ssize(spec.tokens) != spec_.vocab) {
      throw Error(Code::kUnsupported, Cat(file_.path(), ": has ", spec.tokens.size(), " tokens and an embedding of ",
                                          spec_.vocab, " rows"));
    }
    std::vector<text::TokenId> wanted = options_.used;
    for (const std::string& name : file_.Keys()) {
      if (!name.starts_with(kVocabulary) || !name.ends_with("_token_id")) continue;
      const int64_t id = file_.Int(name);
      if (id >= 0 && id < spec_.vocab) wanted.push_back(static_cast<text::TokenId>(id));
    }
    const std::vector<text::TokenId> stay = text::TokensThatStay(spec, wanted, options_.least_tokens);
    if (std::ssize(stay) < spec_.vocab) tokens_.assign(stay.begin(), stay.end());
  }

  // Units stay in whole blocks of the ways down, whose columns they are, and of 32, which kernels like.
  int64_t Block() const {
    int64_t block = 32;
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const TensorInfo* down = file_.Find(InLayer(static_cast<int64_t>(i), "ffn_down.weight"));
      if (down != nullptr) block = std::max<int64_t>(block, kernel::Info(FormatOf(down->type)).block);
    }
    return block;
  }

  void ChooseUnits() {
    const int64_t block = Block();
    const double wanted = options_.units * static_cast<double>(spec_.hidden) / static_cast<double>(block);
    const int64_t units = std::max<int64_t>(1, std::llround(wanted)) * block;
    if (units >= spec_.hidden) return;
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const auto layer = static_cast<int64_t>(i);
      const TensorInfo& down = Dense(layer, "ffn_down.weight", spec_.hidden, spec_.width);
      Dense(layer, "ffn_gate.weight", spec_.width, spec_.hidden);
      Dense(layer, "ffn_up.weight", spec_.width, spec_.hidden);
      const std::vector<float>* means = ColumnsOf(options_.importance, down);
      if (means == nullptr) throw Error(Code::kInternal, Cat("no importance of ", Quote(down.name)));
      std::vector<double> scores = ColumnSquares(down, &pool_);
      for (size_t u = 0; u < scores.size(); ++u) scores[u] *= (*means)[u];
      if (!std::all_of(scores.begin(), scores.end(), [](double s) { return std::isfinite(s); })) {
        throw Error(Code::kInvalidInput, Cat(file_.path(), ": layer ", i, " holds numbers that are not finite"),
                    "the model is damaged");
      }
      kept_.push_back(Best(scores, units));
    }
  }

  const TensorInfo& Dense(int64_t layer, std::string_view part, int64_t first, int64_t second) const {
    const TensorInfo* tensor = file_.Find(InLayer(layer, part));
    if (tensor == nullptr || tensor->shape != std::vector<int64_t>{first, second}) {
      throw Error(Code::kUnsupported, Cat(file_.path(), ": layer ", layer, " has no ", part, " of [", first, ", ",
                                          second, "], whose units could be left out"));
    }
    return *tensor;
  }

  void FindJobs() {
    if (!tokens_.empty()) {
      for (const char* name : {"token_embd.weight", "output.weight"}) {
        if (const TensorInfo* tensor = file_.Find(name)) {
          if (tensor->shape != std::vector<int64_t>{spec_.width, spec_.vocab}) Refuse(*tensor, "has no row per token");
          jobs_[tensor->name].rows = tokens_;
        }
      }
    }
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const auto layer = static_cast<int64_t>(i);
      const auto find = [&](std::string_view part) { return file_.Find(InLayer(layer, part)); };
      if (!kept_.empty()) {
        jobs_[find("ffn_down.weight")->name].cols = kept_[i];
        for (const char* part : {"ffn_gate.weight", "ffn_up.weight"}) jobs_[find(part)->name].rows = kept_[i];
        for (const char* part : {"ffn_gate.bias", "ffn_up.bias"}) {
          if (const TensorInfo* bias = find(part)) Refuse(*bias, "is a bias of units, which this build does not know");
        }
      }
      if (options_.weights == 1) continue;
      for (const std::string_view part : kLayerMatrices) {
        const TensorInfo* tensor = find(Cat(part, ".weight"));
        if (tensor == nullptr) continue;
        if (tensor->shape.size() != 2) Refuse(*tensor, "is no matrix");
        const auto job = jobs_.find(tensor->name);
        const bool less = job != jobs_.end() && !job->second.cols.empty();
        const auto cols = less ? job->second.cols.size() : static_cast<size_t>(tensor->dim(0));
        const auto stay = std::max<long long>(1, std::llround(options_.weights * static_cast<double>(cols)));
        if (static_cast<size_t>(stay) < cols) jobs_[tensor->name].gone = cols - static_cast<size_t>(stay);
      }
    }
  }

  [[noreturn]] void Refuse(const TensorInfo& tensor, std::string_view why) const {
    throw Error(Code::kUnsupported, Cat(file_.path(), ": ", Quote(tensor.name), " ", why));
  }

  std::string Convert(const TensorInfo& tensor, const Job& job) {
    std::vector<float> columns;
    if (const std::vector<float>* all = ColumnsOf(options_.importance, tensor)) {
      columns = *all;
      for (size_t c = 0; c < job.cols.size(); ++c) columns[c] = columns[static_cast<size_t>(job.cols[c])];
      if (!job.cols.empty()) columns.resize(job.cols.size());
    }
    Conversion how{.to = FormatOf(tensor.type), .rows = job.rows, .cols = job.cols};
    how.importance = columns.empty() ? nullptr : &columns;
    if (job.gone > 0) {
      std::vector<float> sizes(job.cols.empty() ? static_cast<size_t>(tensor.dim(0)) : job.cols.size(), 1);
      for (size_t c = 0; c < columns.size(); ++c) sizes[c] = std::sqrt(columns[c]);
      how.change = [gone = job.gone, sizes = std::move(sizes)](int64_t, float* x) {
        std::vector<std::pair<float, uint32_t>> order(sizes.size());
        for (uint32_t c = 0; c < order.size(); ++c) {
          const float size = std::abs(x[c]) * sizes[c];
          order[c] = {std::isnan(size) ? INFINITY : size, c};  // it stays, and is refused where it is stored
        }
        std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(gone), order.end());
        for (size_t i = 0; i < gone; ++i) x[order[i].second] = 0;
      };
    }
    return ConvertRows(file_, tensor, how, &pool_);
  }

  const artefact::GgufFile& file_;
  const PruneOptions& options_;
  const DecoderSpec spec_;
  ThreadPool pool_;
  std::vector<std::vector<int64_t>> kept_;  // units of each layer; empty: all of them
  std::vector<int64_t> tokens_;             // those of the vocabulary that stay; empty: all of them
  std::map<std::string_view, Job> jobs_;    // by the tensor's name
};

}  // namespace

std::vector<text::TokenId> UsedTokens(const artefact::GgufFile& file, std::string_view text) {
  const auto tokenizer = text::MakeTokenizer(artefact::SpecFromGguf(file));
  std::set<text::TokenId> used;
  const auto add = [&](std::string_view piece, bool special) {
    for (const text::TokenId id : tokenizer->Encode(piece, {.parse_special = special})) used.insert(id);
  };
  add(text, false);
  for (const std::string& line : Split(text, '\n')) add(line, false);
  const Json user = {{"role", "user"}, {"content", "?"}}, assistant = {{"role", "assistant"}, {"content", "!"}},
             system = {{"role", "system"}, {"content", "."}};
  for (const Json& messages : {Json{user, assistant, user}, Json{system, user, assistant, user}}) {
    try {
      add(ChatFormat(file, {}).Render(messages), true);
    } catch (const Error&) {  // no template, or one that knows no system message
    }
  }
  return {used.begin(), used.end()};
}

void CheckPrune(double units, double weights, bool tokens, bool calibrated) {
  for (const auto& [name, share] : {std::pair("units", units), std::pair("weights", weights)}) {
    if (!(share > 0 && share <= 1)) {
      throw Error(Code::kInvalidInput, Cat("the share of ", name, " that stays is ", share), "above 0, at most 1");
    }
  }
  if (units == 1 && weights == 1 && !tokens) {
    throw Error(Code::kInvalidInput, "all units, all weights and all tokens would stay",
                "give a share below 1, or a text whose tokens are enough");
  }
  if (units < 1 && !calibrated) {
    throw Error(Code::kInvalidInput, "weights alone do not tell which units count", "name a text by --calibration");
  }
}

PruneReport PruneModel(const artefact::GgufFile& file, const PruneOptions& options, const std::string& to,
                       const ProgressFn& progress) {
  CheckPrune(options.units, options.weights, options.tokens, options.importance != nullptr);
  file.RequireSupportedTypes();
  if (SameFile(file.path(), to)) throw Error(Code::kConflict, Cat(to, " is the model itself"), "name another file");
  return Pruner(file, options).Write(to, progress);
}

}  // namespace atelier::runtime
