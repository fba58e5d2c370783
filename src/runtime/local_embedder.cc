#include "runtime/local_embedder.h"

#include <algorithm>
#include <mutex>

#include "base/error.h"
#include "base/str.h"
#include "kernel/select.h"
#include "runtime/encoder.h"
#include "runtime/local_generator.h"
#include "runtime/model_info.h"
#include "runtime/vocabulary.h"

namespace atelier::runtime {
namespace {

class LocalEmbedder : public artefact::Embedder {
 public:
  LocalEmbedder(const std::string& path, const std::string& name, const std::string& hash, int threads) {
    auto file = artefact::GgufFile::Open(path);
    file->RequireSupportedTypes();
    EncoderSpec spec = ReadBert(*file);
    tokenizer_ = TokenizerFromGguf(*file, spec.vocab);
    if (!tokenizer_->adds_bos() || tokenizer_->eos() < 0) {
      throw Error(Code::kUnsupported, Cat(path, ": an encoder whose texts have no beginning and end tokens"));
    }
    info_ = ModelInfoOf(*file, name, hash, spec);
    auto pool = std::make_unique<ThreadPool>(threads > 0 ? threads : ThreadPool::DefaultThreads());
    EncoderWeights weights = LoadEncoderWeights(file, spec, pool.get());
    encoder_ = std::make_unique<Encoder>(std::move(spec), std::move(weights), kernel::BestTable(), std::move(pool));
  }

  const artefact::ModelInfo& info() const override { return info_; }
  artefact::EngineInfo engine() const override {
    return {EngineBuild(), std::string(encoder_->kernels().name), encoder_->threads()->size()};
  }
  int dims() const override { return static_cast<int>(encoder_->spec().width); }
  int64_t context() const override { return encoder_->spec().context; }

  std::vector<float> Embed(const std::vector<std::string>& texts, Role role, std::vector<bool>* truncated) override {
    std::vector<std::vector<int32_t>> tokens;
    tokens.reserve(texts.size());
    if (truncated != nullptr) truncated->assign(texts.size(), false);
    for (size_t i = 0; i < texts.size(); ++i) {
      tokens.push_back(Tokens(texts[i], role));
      if (Cut(&tokens.back()) && truncated != nullptr) (*truncated)[i] = true;
    }
    std::vector<float> out(texts.size() * static_cast<size_t>(dims()));
    const std::lock_guard lock(mutex_);
    encoder_->Forward(tokens, out.data());
    return out;
  }

  int layers() const override { return static_cast<int>(encoder_->spec().layers); }

  std::vector<artefact::TokenVectors> EmbedTokens(const std::vector<std::string>& texts, Role role,
                                                  int layer) override {
    if (layer < 0 || layer > layers()) {
      throw Error(Code::kInvalidInput, Cat("the model has layers 1 to ", layers(), ", not ", layer));
    }
    std::vector<artefact::TokenVectors> out = ReadTokens(texts, role);
    std::vector<std::vector<int32_t>> tokens;
    std::vector<float*> places;
    for (artefact::TokenVectors& one : out) {
      one.vectors.resize(one.ids.size() * static_cast<size_t>(dims()));
      tokens.push_back(one.ids);
      places.push_back(one.vectors.data());
    }
    const std::lock_guard lock(mutex_);
    encoder_->ForwardTokens(tokens, layer == 0 ? layers() : layer, places);
    return out;
  }

  std::vector<artefact::TokenVectors> ReadTokens(const std::vector<std::string>& texts, Role role) const override {
    const std::vector<int32_t> lead = Tokens("", role);  // the beginning, the role's words, the end
    std::vector<artefact::TokenVectors> out(texts.size());
    for (size_t i = 0; i < texts.size(); ++i) {
      out[i].ids = Tokens(texts[i], role);
      out[i].truncated = Cut(&out[i].ids);
      out[i].last = out[i].ids.size() - 1;
      // Where a text joins the role's last word, that token is the text's.
      while (out[i].first < std::min(lead.size() - 1, out[i].last) && out[i].ids[out[i].first] == lead[out[i].first]) {
        ++out[i].first;
      }
    }
    return out;
  }

  int64_t CountTokens(std::string_view text, Role role) const override {
    return static_cast<int64_t>(Tokens(text, role).size());
  }

 private:
  std::vector<int32_t> Tokens(std::string_view text, Role role) const {
    const EncoderSpec& spec = encoder_->spec();
    const std::string whole = Cat(role == Role::kQuery ? spec.query_prefix : spec.passage_prefix, text);
    std::vector<int32_t> tokens = tokenizer_->Encode(whole, {.add_special = true});
    if (tokens.empty() || tokens.back() != tokenizer_->eos()) tokens.push_back(tokenizer_->eos());
    return tokens;
  }

  // Whether the tokens did not fit.
  bool Cut(std::vector<int32_t>* tokens) const {
    const auto most = static_cast<size_t>(context());
    if (tokens->size() <= most) return false;
    tokens->resize(most);
    tokens->back() = tokenizer_->eos();  // as the model was trained: what is cut still ends
    return true;
  }

  artefact::ModelInfo info_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<Encoder> encoder_;
  std::mutex mutex_;  // the encoder has one caller at a time
};

}  // namespace

std::shared_ptr<artefact::Embedder> LoadEmbedder(const std::string& path, const std::string& name,
                                                 const std::string& hash, int threads) {
  return std::make_shared<LocalEmbedder>(path, name, hash, threads);
}

}  // namespace atelier::runtime
