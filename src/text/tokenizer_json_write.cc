#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "base/str.h"
#include "text/pretokenizers.h"
#include "text/tokenizer_json.h"
#include "text/tokenizer_json_rules.h"
#include "text/wordpiece.h"

namespace atelier::text {
namespace {

std::string Quoted(const std::string& text) { return ToText(Json(text)); }

bool Is(const TokenizerSpec& spec, size_t id, TokenType type) {
  return !spec.types.empty() && spec.types[id] == static_cast<uint8_t>(type);
}

const JsonRule& RuleOf(const TokenizerSpec& spec) {
  const PreTokenizer* wanted = FindPreTokenizer(spec.pre);
  std::vector<std::string> known;
  for (const JsonRule& rule : JsonRules()) {
    if (wanted != nullptr && FindPreTokenizer(rule.pre) == wanted) return rule;
    if (known.empty() || known.back() != rule.pre) known.emplace_back(rule.pre);
  }
  throw Error(Code::kUnsupported, Cat("tokenizer.json: no spelling for the pre-tokenizer ", Quote(spec.pre)),
              Cat("this build writes ", Join(known, ", ")));
}

Json PreTokenizerSection(const JsonRule& rule) {
  Json steps = Json::array();
  for (const JsonStep& step : rule.steps) {
    switch (step.kind) {
      case JsonStep::kWords:
      case JsonStep::kBytes:
        steps.push_back({{"type", "ByteLevel"},
                         {"add_prefix_space", false},
                         {"trim_offsets", true},
                         {"use_regex", step.kind == JsonStep::kWords}});
        break;
      case JsonStep::kDigits: steps.push_back({{"type", "Digits"}, {"individual_digits", true}}); break;
      case JsonStep::kSplit:
        steps.push_back(
            {{"type", "Split"}, {"pattern", {{"Regex", step.regex}}}, {"behavior", "Isolated"}, {"invert", false}});
        break;
    }
  }
  if (steps.size() == 1) return steps[0];
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

Json AddedTokens(const TokenizerSpec& spec) {
  Json added = Json::array();
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const bool own = Is(spec, id, TokenType::kUserDefined);
    if (!own && !Is(spec, id, TokenType::kControl) && !Is(spec, id, TokenType::kUnknown)) continue;
    added.push_back({{"id", id},
                     {"content", spec.tokens[id]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", !own}});
  }
  return added;
}

// BOS before and EOS behind the text, where the model wants them.
Json PostProcessor(const TokenizerSpec& spec) {
  const bool begins = spec.add_bos && spec.bos >= 0, ends = spec.add_eos && spec.eos >= 0;
  if (!begins && !ends) return nullptr;
  Json single = Json::array(), pair = Json::array(), special = Json::object();
  const auto token = [&](TokenId id, int type) {
    const std::string& text = spec.tokens[id];
    special[text] = {{"id", text}, {"ids", Json::array({id})}, {"tokens", Json::array({text})}};
    return Json{{"SpecialToken", {{"id", text}, {"type_id", type}}}};
  };
  const auto sequence = [&](const char* name, int type) {
    for (Json* list : {&single, &pair}) {
      if (type == 1 && list == &single) continue;
      if (begins) list->push_back(token(spec.bos, type));
      list->push_back({{"Sequence", {{"id", name}, {"type_id", type}}}});
      if (ends) list->push_back(token(spec.eos, type));
    }
  };
  sequence("A", 0);
  sequence("B", 1);
  return {{"type", "TemplateProcessing"},
          {"single", std::move(single)},
          {"pair", std::move(pair)},
          {"special_tokens", std::move(special)}};
}

void AppendBpe(const TokenizerSpec& spec, const JsonRule& rule, std::string* out) {
  *out += R"("model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,)"
          R"("end_of_word_suffix":null,"fuse_unk":false,"byte_fallback":false,"ignore_merges":)";
  *out += rule.ignore_merges ? "true" : "false";
  *out += ",\"vocab\":{";
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (id > 0) *out += ',';
    *out += Cat(Quoted(spec.tokens[id]), ":", id);
  }
  *out += "},\"merges\":[";
  for (size_t i = 0; i < spec.merges.size(); ++i) {
    const std::string& merge = spec.merges[i];
    const size_t space = merge.find(' ', 1);
    if (space == std::string::npos) throw Error(Code::kInvalidInput, Cat("tokenizer.json: merge ", i, " is no pair"));
    if (i > 0) *out += ',';
    *out += Cat("[", Quoted(merge.substr(0, space)), ",", Quoted(merge.substr(space + 1)), "]");
  }
  *out += "]}";
}

void AppendUnigram(const TokenizerSpec& spec, std::string* out) {
  *out += Cat(R"("model":{"type":"Unigram","unk_id":)", spec.unknown, R"(,"vocab":[)");
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (id > 0) *out += ',';
    // As the double that our sums are made of.
    std::string score;
    AppendTo(&score, static_cast<double>(spec.scores[id]));
    if (score.find_first_of(".e") == std::string::npos) score += ".0";
    *out += Cat("[", Quoted(spec.tokens[id]), ",", score, "]");
  }
  *out += R"(],"byte_fallback":false})";
}

void AppendWordPiece(const TokenizerSpec& spec, std::string* out) {
  *out += Cat(R"("model":{"type":"WordPiece","unk_token":)", Quoted(spec.tokens[static_cast<size_t>(spec.unknown)]),
              R"(,"continuing_subword_prefix":"##","max_input_chars_per_word":100,"vocab":{)");
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (id > 0) *out += ',';
    const bool piece = spec.types.empty() || Is(spec, id, TokenType::kNormal);
    *out += Cat(Quoted(piece ? UnspellWordPiece(spec.tokens[id]) : spec.tokens[id]), ":", id);
  }
  *out += "}}";
}

// What of the file depends on the kind of vocabulary.
struct Sections {
  Json normalizer, pre_tokenizer, decoder;
};

Sections SectionsOf(const TokenizerSpec& spec) {
  if (spec.model == "gpt2") {
    return {nullptr,
            PreTokenizerSection(RuleOf(spec)),
            {{"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}}};
  }
  if (spec.model == "bert") {
    if (spec.unknown < 0) throw Error(Code::kInvalidInput, "tokenizer.json: WordPiece needs an unknown token");
    return {{{"type", "BertNormalizer"},
             {"clean_text", true},
             {"handle_chinese_chars", true},
             {"strip_accents", nullptr},
             {"lowercase", spec.pre != kCased}},
            {{"type", "BertPreTokenizer"}},
            {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}};
  }
  if (!spec.charsmap.empty() || spec.merge_spaces || spec.add_space_prefix) {
    throw Error(Code::kUnsupported, "tokenizer.json: a unigram model that changes the text before it cuts it",
                "those that this build trains leave the text as it is");
  }
  if (spec.scores.size() != spec.tokens.size() || spec.unknown < 0) {
    throw Error(Code::kInvalidInput, "tokenizer.json: a unigram model needs a score per token and an unknown token");
  }
  const Json pieces = {
      {"type", "Metaspace"}, {"replacement", "\xE2\x96\x81"}, {"prepend_scheme", "never"}, {"split", true}};
  return {nullptr, pieces, pieces};
}

}  // namespace

std::string ToTokenizerJson(const TokenizerSpec& spec) {
  if (spec.model != "gpt2" && spec.model != "t5" && spec.model != "bert") {
    throw Error(Code::kUnsupported, Cat("tokenizer.json: the model ", Quote(spec.model), " cannot be written"),
                "byte-level BPE (gpt2), unigram (t5) and WordPiece (bert) can");
  }
  const Sections sections = SectionsOf(spec);
  std::string out =
      Cat(R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":)", ToText(AddedTokens(spec)),
          ",\"normalizer\":", ToText(sections.normalizer), ",\"pre_tokenizer\":", ToText(sections.pre_tokenizer),
          ",\"post_processor\":", ToText(PostProcessor(spec)), ",\"decoder\":", ToText(sections.decoder), ",");
  if (spec.model == "gpt2") {
    AppendBpe(spec, RuleOf(spec), &out);
  } else if (spec.model == "bert") {
    AppendWordPiece(spec, &out);
  } else {
    AppendUnigram(spec, &out);
  }
  return out + "}\n";
}

std::string ToTokenizerConfigJson(const TokenizerSpec& spec) {
  Json config = {{"tokenizer_class", "PreTrainedTokenizerFast"}, {"clean_up_tokenization_spaces", false}};
  const auto role = [&](const char* name, TokenId id) {
    if (id >= 0) config[name] = spec.tokens[id];
  };
  role("bos_token", spec.bos);
  role("eos_token", spec.eos);
  role("pad_token", spec.padding);
  role("unk_token", spec.unknown);
  return ToPrettyText(config) + "\n";
}

}  // namespace atelier::text
