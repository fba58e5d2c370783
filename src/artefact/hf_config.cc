#include "artefact/hf_config.h"

#include <cmath>
#include <numbers>

#include "base/error.h"
#include "base/str.h"

namespace atelier::artefact {
namespace {

struct Family {
  std::string_view model_type, architecture, activation;
};
constexpr Family kFamilies[] = {
    {"llama", "llama", "silu"},
    {"mistral", "llama", "silu"},
    {"qwen2", "qwen2", "silu"},
    {"qwen3", "qwen3", "silu"},
    {"gemma3_text", "gemma3", "gelu_pytorch_tanh"},
};

// What a number of the configuration may be, and stay a number in f32 whatever is made of it.
constexpr double kLeast = 1e-6, kMost = 1e12;

class ConfigReader {
 public:
  ConfigReader(const Json& json, const std::string& where) : json_(json), where_(where) {}

  HfConfig Read() {
    const std::string type = Text(json_, "model_type", "nothing");
    std::vector<std::string> known;
    const Family* family = nullptr;
    for (const Family& f : kFamilies) {
      known.emplace_back(f.model_type);
      if (f.model_type == type) family = &f;
    }
    if (family == nullptr) {
      Fail(Code::kUnsupported, Cat("model_type is ", Quote(type), "; ", Join(known, ", "), " can be read"));
    }
    c_.architecture = family->architecture;
    const std::string_view act_key = json_.contains("hidden_activation") ? "hidden_activation" : "hidden_act";
    if (const std::string act = Text(json_, act_key, std::string(family->activation)); act != family->activation) {
      Fail(Code::kUnsupported, Cat(act_key, " is ", Quote(act), "; ", family->activation, " can be read"));
    }
    c_.vocabulary = Number("vocab_size", 1 << 26);
    c_.width = Number("hidden_size", 1 << 20);
    c_.hidden = Number("intermediate_size", 1 << 22);
    c_.layers = Number("num_hidden_layers", 1024);
    c_.heads = Number("num_attention_heads", 4096);
    c_.kv_heads = NumberOr("num_key_value_heads", c_.heads, 4096);
    c_.head_dim = NumberOr("head_dim", c_.width / c_.heads, 1024);
    c_.context = Number("max_position_embeddings", 1 << 30);
    c_.eps = Double(json_, "rms_norm_eps", 1e-6);
    if (c_.eps >= 1) Fail(Code::kCorrupt, Cat("rms_norm_eps is ", c_.eps));
    const bool gemma = c_.architecture == "gemma3";
    c_.tied = Flag("tie_word_embeddings", gemma);
    c_.attention_bias = c_.architecture == "qwen2" || Flag("attention_bias", false);
    c_.turns_pairs = c_.architecture == "llama";
    c_.head_norms = c_.architecture == "qwen3" || gemma;
    c_.post_norms = gemma;
    if (c_.attention_bias && c_.architecture != "qwen2" && c_.architecture != "llama") Refuse("attention_bias");
    if (Flag("mlp_bias", false)) Refuse("mlp_bias");
    if (Flag("use_sliding_window", false)) Refuse("use_sliding_window");
    if (gemma) {
      ReadGemma();
    } else if (type == "mistral" && IsNumber(json_, "sliding_window")) {
      // The engine sees everything; up to the window that is the same.
      c_.context = std::min(c_.context, Number("sliding_window", 1 << 30));
    }
    ReadRope();
    if (c_.heads % c_.kv_heads != 0) {
      Fail(Code::kCorrupt, Cat(c_.heads, " heads of ", c_.head_dim, " over ", c_.kv_heads, " key heads"));
    }
    if (c_.head_dim < 16 || c_.head_dim % 16 != 0) {
      Fail(Code::kUnsupported, Cat("heads of ", c_.head_dim, " dimensions; multiples of 16 can be computed"));
    }
    return c_;
  }

 private:
  [[noreturn]] void Fail(Code code, const std::string& why) const { throw Error(code, Cat(where_, ": ", why)); }
  [[noreturn]] void Refuse(const std::string& key) const {
    Fail(Code::kUnsupported, Cat(key, " is set, which the engine does not compute"));
  }

  static const Json* Find(const Json& in, std::string_view key) {
    const auto found = in.find(std::string(key));
    return found == in.end() || found->is_null() ? nullptr : &*found;
  }
  static bool IsNumber(const Json& in, std::string_view key) {
    const Json* value = Find(in, key);
    return value != nullptr && value->is_number();
  }
  std::string Text(const Json& in, std::string_view key, const std::string& otherwise) const {
    const Json* value = Find(in, key);
    if (value == nullptr) return otherwise;
    if (!value->is_string()) Fail(Code::kCorrupt, Cat(key, " is ", ToText(*value)));
    return value->get<std::string>();
  }
  double Double(const Json& in, std::string_view key, double otherwise) const {
    const Json* value = Find(in, key);
    if (value == nullptr) return otherwise;
    if (!value->is_number() || !std::isfinite(value->get<double>()) || value->get<double>() < 0) {
      Fail(Code::kCorrupt, Cat(key, " is ", ToText(*value)));
    }
    return value->get<double>();
  }
  double Positive(const Json& in, std::string_view key, double otherwise) const {
    const double value = Double(in, key, otherwise);
    if (!(value >= kLeast && value <= kMost)) Fail(Code::kCorrupt, Cat(key, " is ", value));
    return value;
  }
  bool Flag(std::string_view key, bool otherwise) const {
    const Json* value = Find(json_, key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) Fail(Code::kCorrupt, Cat(key, " is ", ToText(*value)));
    return value->get<bool>();
  }
  int64_t Number(std::string_view key, int64_t most) const {
    const Json* value = Find(json_, key);
    if (value == nullptr) Fail(Code::kCorrupt, Cat(key, " is missing"));
    return Whole(*value, key, most);
  }
  int64_t NumberOr(std::string_view key, int64_t otherwise, int64_t most) const {
    const Json* value = Find(json_, key);
    return value == nullptr ? otherwise : Whole(*value, key, most);
  }
  int64_t Whole(const Json& value, std::string_view key, int64_t most) const {
    if (!value.is_number_integer() || value < 1 || value > most) Fail(Code::kCorrupt, Cat(key, " is ", ToText(value)));
    return value.get<int64_t>();
  }

  void ReadGemma() {
    c_.softcap = Double(json_, "final_logit_softcapping", 0);
    if (c_.softcap > kMost) Fail(Code::kCorrupt, Cat("final_logit_softcapping is ", c_.softcap));
    if (Find(json_, "attn_logit_softcapping") != nullptr) Refuse("attn_logit_softcapping");
    const double query = Positive(json_, "query_pre_attn_scalar", static_cast<double>(c_.head_dim));
    const bool by_width = c_.layers == 62;  // the 27B model, as the engine knows it
    const double expected = static_cast<double>(by_width ? c_.width / c_.heads : c_.head_dim);
    if (query != expected) Refuse("query_pre_attn_scalar");
    c_.window = NumberOr("sliding_window", 0, 1 << 30);
    c_.window_period = NumberOr("sliding_window_pattern", 6, 1024);
    if (const Json* types = Find(json_, "layer_types")) {
      if (!types->is_array() || static_cast<int64_t>(types->size()) != c_.layers) {
        Fail(Code::kCorrupt, "layer_types does not name every layer");
      }
      const auto full = [&](int64_t i) { return (*types)[static_cast<size_t>(i)] == "full_attention"; };
      int64_t first = 0;
      while (first < c_.layers && !full(first)) ++first;
      c_.window_period = first + 1;
      for (int64_t i = 0; i < c_.layers; ++i) {
        if (full(i) != ((i + 1) % c_.window_period == 0)) Fail(Code::kUnsupported, "layer_types follows no period");
      }
    }
    c_.local_rope_base = Positive(json_, "rope_local_base_freq", 10000);
  }

  // Either "rope_parameters" (per kind of layer in Gemma) or "rope_theta" with "rope_scaling".
  void ReadRope() {
    c_.rope_base = Positive(json_, "rope_theta", c_.architecture == "gemma3" ? 1e6 : 1e4);
    const Json* rope = Find(json_, "rope_parameters");
    if (rope == nullptr) rope = Find(json_, "rope_scaling");
    if (rope == nullptr) return;
    if (!rope->is_object()) Fail(Code::kCorrupt, "rope_parameters is no object");
    if (const Json* local = Find(*rope, "sliding_attention")) {
      if (!local->is_object() || Text(*local, "rope_type", "default") != "default") Refuse("rope of sliding_attention");
      c_.local_rope_base = Positive(*local, "rope_theta", c_.local_rope_base);
    }
    if (const Json* global = Find(*rope, "full_attention")) rope = global;
    if (!rope->is_object()) Fail(Code::kCorrupt, "full_attention is no object");
    c_.rope_base = Positive(*rope, "rope_theta", c_.rope_base);
    if (Double(*rope, "partial_rotary_factor", 1) != 1) Refuse("partial_rotary_factor");
    const std::string type = Text(*rope, "rope_type", Text(*rope, "type", "default"));
    if (type == "default") return;
    if (type != "linear" && type != "yarn" && type != "llama3") {
      Fail(Code::kUnsupported, Cat("rope scaling of type ", Quote(type)));
    }
    c_.rope_scaling = type;
    c_.rope_factor = Positive(*rope, "factor", 1);
    if (type == "linear") return;
    const double original = Positive(*rope, "original_max_position_embeddings", static_cast<double>(c_.context));
    if (original < 1 || original > (1 << 30))
      Fail(Code::kCorrupt, Cat("original_max_position_embeddings is ", original));
    c_.original_context = static_cast<int64_t>(original);
    c_.low_frequency = Positive(*rope, "low_freq_factor", 1);
    c_.high_frequency = Positive(*rope, "high_freq_factor", 4);
    if (c_.high_frequency <= c_.low_frequency) Fail(Code::kCorrupt, Cat("high_freq_factor is ", c_.high_frequency));
    for (const char* key : {"beta_fast", "beta_slow", "attention_factor", "mscale", "mscale_all_dim", "truncate"}) {
      if (type == "yarn" && Find(*rope, key) != nullptr) Refuse(Cat("rope's ", key));
    }
  }

  const Json& json_;
  const std::string& where_;
  HfConfig c_;
};

}  // namespace

HfConfig ReadHfConfig(const Json& config, const std::string& where) {
  if (!config.is_object()) throw Error(Code::kCorrupt, Cat(where, ": is no JSON object"));
  return ConfigReader(config, where).Read();
}

void SetHfConfig(const HfConfig& c, GgufWriter* out) {
  out->Set("general.architecture", c.architecture);
  const auto key = [&](std::string_view last) { return Cat(c.architecture, ".", last); };
  const auto number = [&](std::string_view last, int64_t value) { out->Set(key(last), static_cast<uint32_t>(value)); };
  const auto real = [&](std::string_view last, double value) { out->Set(key(last), static_cast<float>(value)); };
  number("block_count", c.layers);
  number("context_length", c.context);
  number("embedding_length", c.width);
  number("feed_forward_length", c.hidden);
  number("attention.head_count", c.heads);
  number("attention.head_count_kv", c.kv_heads);
  number("attention.key_length", c.head_dim);
  number("attention.value_length", c.head_dim);
  number("vocab_size", c.vocabulary);
  real("attention.layer_norm_rms_epsilon", c.eps);
  number("rope.dimension_count", c.head_dim);
  real("rope.freq_base", c.rope_base);
  if (c.rope_scaling == "linear" || c.rope_scaling == "yarn") {
    out->Set(key("rope.scaling.type"), c.rope_scaling);
    real("rope.scaling.factor", c.rope_factor);
  }
  if (c.rope_scaling == "yarn") number("rope.scaling.original_context_length", c.original_context);
  if (c.window > 0) {
    number("attention.sliding_window", c.window);
    number("attention.sliding_window_pattern", c.window_period);
    real("rope.freq_base_swa", c.local_rope_base);
  }
  if (c.softcap > 0) real("final_logit_softcapping", c.softcap);
}

std::vector<float> RopeDivisors(const HfConfig& c) {
  std::vector<float> out;
  if (c.rope_scaling != "llama3") return out;
  const auto original = static_cast<double>(c.original_context);
  const double slow = original / c.low_frequency, fast = original / c.high_frequency;
  for (int64_t i = 0; i < c.head_dim; i += 2) {
    const double turn = std::pow(c.rope_base, static_cast<double>(i) / static_cast<double>(c.head_dim));
    const double wavelength = 2 * std::numbers::pi * turn;
    double divisor = 1;
    if (wavelength > slow) {
      divisor = c.rope_factor;
    } else if (wavelength >= fast) {
      const double smooth = (original / wavelength - c.low_frequency) / (c.high_frequency - c.low_frequency);
      divisor = 1 / ((1 - smooth) / c.rope_factor + smooth);
    }
    out.push_back(static_cast<float>(divisor));
  }
  return out;
}

}  // namespace atelier::artefact
