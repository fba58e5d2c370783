#include "text/tokenizer_json.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "text/json_fields.h"
#include "text/pretokenizers.h"
#include "text/space_mark.h"
#include "text/token_table.h"
#include "text/tokenizer_json_rules.h"
#include "text/wordpiece.h"

namespace atelier::text {
namespace {

// The texts that tokens of a role usually have.
constexpr std::string_view kBos[] = {"<s>", "<bos>", "[BOS]", "<|begin_of_text|>", "<|startoftext|>"};
constexpr std::string_view kEos[] = {"</s>", "<eos>", "[EOS]", "<|end_of_text|>", "<|endoftext|>"};
constexpr std::string_view kPadding[] = {"<pad>", "[PAD]", "<|pad|>", "<|finetune_right_pad_id|>"};
constexpr std::string_view kUnknown[] = {"<unk>", "[UNK]", "<|unk|>"};

class TokenizerReader : public JsonFields {
 public:
  using JsonFields::JsonFields;

  TokenizerSpec Read(std::string_view json, NormalForm nfc) {
    dom::parser parser;
    const dom::object object = Parse(json, &parser);
    Known(object, "the document",
          {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
           "decoder", "model"});
    if (const auto version = Find(object, "version"); version && Text(*version, "version") != "1.0") {
      Fail(Code::kUnsupported, Cat("version ", Quote(Text(*version, "version")), "; this build reads 1.0"));
    }
    const dom::object model = Object(Need(object, "model", "the document"), "model");
    const std::string type = TypeOf(Need(object, "model", "the document"), "model");
    const auto normalizer = Find(object, "normalizer");
    const bool left = normalizer && nfc == NormalForm::kLeaveToTexts && TypeOf(*normalizer, "normalizer") == "NFC";
    if (normalizer && type != "WordPiece" && !left) {
      Fail(Code::kUnsupported, Cat("the normalizer ", TypeOf(*normalizer, "normalizer")),
           "vocabularies that take the text as it is can be read, and BERT's");
    }
    if (type == "BPE") {
      ReadBpe(model, object);
    } else if (type == "Unigram") {
      ReadUnigram(model, object);
    } else if (type == "WordPiece") {
      ReadWordPiece(model, object);
    } else {
      Fail(Code::kUnsupported, Cat("a model of type ", Quote(type)),
           "byte-level BPE, Unigram and WordPiece can be read");
    }
    ReadAdded(object);
    if (spec_.model == "t5") {
      for (const std::string& text : spec_.tokens) {
        if (text.empty()) Fail(Code::kCorrupt, "a token without text");
      }
    }
    Roles();
    if (const auto post = Find(object, "post_processor")) ReadPost(*post);
    return std::move(spec_);
  }

  void ReadConfig(std::string_view json, TokenizerSpec* spec) {
    dom::parser parser;
    const dom::object object = Parse(json, &parser);
    const TextIndex index(&spec->tokens);
    const auto role = [&](const char* key, TokenId* id) {
      auto value = Find(object, key);
      if (!value) return;
      if (value->is_object()) value = Need(Object(*value, key), "content", key);
      const std::string text = Text(*value, key);
      const int32_t found = index.Find(text);
      if (found < 0) Fail(Code::kCorrupt, Cat(key, " is ", Quote(text), ", which is no token"));
      *id = found;
    };
    role("bos_token", &spec->bos);
    role("eos_token", &spec->eos);
    role("pad_token", &spec->padding);
    TokenId unknown = spec->unknown;
    role("unk_token", &unknown);
    if (spec->model != "t5") spec->unknown = unknown;  // a unigram model says itself
  }

 private:
  void Reserve(size_t id, std::string text, TokenType type, std::string_view where) {
    if (id >= spec_.tokens.size()) {
      spec_.tokens.resize(id + 1);
      spec_.types.resize(id + 1, 0);
    }
    if (spec_.types[id] != 0) Fail(Code::kCorrupt, Cat(where, ": two tokens have the id ", id));
    spec_.tokens[id] = std::move(text);
    spec_.types[id] = static_cast<uint8_t>(type);
  }
  // Every id up to the last has a token, and no two have the same text.
  void CheckWhole(const char* where) {
    const TextIndex index(&spec_.tokens);
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      if (spec_.types[id] == 0) Fail(Code::kCorrupt, Cat(where, ": no token has the id ", id));
      if (!spec_.tokens[id].empty() && index.Find(spec_.tokens[id]) != static_cast<int32_t>(id)) {
        Fail(Code::kCorrupt, Cat(where, ": the token ", Quote(spec_.tokens[id]), " has two ids"));
      }
    }
  }

  void ReadBpe(const dom::object& model, const dom::object& document) {
    Known(model, "model",
          {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
           "byte_fallback", "ignore_merges", "vocab", "merges"});
    for (const char* key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) Absent(model, key, "model");
    if (Flag(model, "byte_fallback", false, "model")) {
      Fail(Code::kUnsupported, "model.byte_fallback is set", "byte-level BPE and Unigram can be read");
    }
    spec_.model = "gpt2";
    spec_.merge_spaces = spec_.add_space_prefix = false;
    ReadPre(document, Flag(model, "ignore_merges", false, "model"));
    const dom::element decoder = Need(document, "decoder", "the document");
    if (TypeOf(decoder, "decoder") != "ByteLevel") {
      Fail(Code::kUnsupported, Cat("the decoder ", Quote(TypeOf(decoder, "decoder"))), "byte-level BPE has ByteLevel");
    }
    ReadVocabulary(model, [](std::string_view token) { return std::string(token); });
    ReadMerges(Array(Need(model, "merges", "model"), "model.merges"));
    if (const auto unknown = Find(model, "unk_token")) spec_.unknown = IdOf(Text(*unknown, "model.unk_token"));
  }

  // The tokens and their ids, each spelled as `spell` has it.
  template <typename Spell>
  void ReadVocabulary(const dom::object& model, const Spell& spell) {
    const dom::object vocab = Object(Need(model, "vocab", "model"), "model.vocab");
    const size_t count = SizeOf(vocab);
    for (const dom::key_value_pair field : vocab) {
      if (field.key.size() > kMostTokenBytes || !IsValidUtf8(field.key)) {
        Fail(Code::kInvalidInput, Cat("model.vocab: the token ", Quote(field.key), " is too long or not UTF-8"));
      }
      const size_t id = Id(field.value, Cat("model.vocab: the number of ", Quote(field.key)));
      // Holes are told at once, before a large number makes much of nothing.
      if (id >= count + kMostHoles) Fail(Code::kCorrupt, Cat("model.vocab: the id ", id, " among ", count, " tokens"));
      Reserve(id, spell(field.key), TokenType::kNormal, "model.vocab");
    }
  }

  TokenId IdOf(const std::string& text) const {
    const auto found = std::find(spec_.tokens.begin(), spec_.tokens.end(), text);
    return found == spec_.tokens.end() ? -1 : static_cast<TokenId>(found - spec_.tokens.begin());
  }

  void ReadMerges(const dom::array& merges) {
    const TextIndex index(&spec_.tokens);
    size_t number = 0;
    for (const dom::element& merge : merges) {
      const std::string where = Cat("model.merges: pair ", number++);
      if (number > kMostJsonTokens) Fail(Code::kInvalidInput, Cat("more than ", kMostJsonTokens, " merges"));
      std::string left, right;
      if (merge.is_string()) {  // as older files have them
        const std::string line = Text(merge, where);
        const size_t space = line.find(' ');
        if (space == std::string::npos) Fail(Code::kInvalidInput, Cat(where, " is no pair"));
        left = line.substr(0, space);
        right = line.substr(space + 1);
      } else {
        const dom::array pair = Array(merge, where);
        if (pair.size() != 2) Fail(Code::kInvalidInput, Cat(where, " is no pair"));
        left = Text(pair.at(0).value_unsafe(), where);
        right = Text(pair.at(1).value_unsafe(), where);
      }
      for (const std::string& text : {left, right, left + right}) {
        if (index.Find(text) < 0) Fail(Code::kCorrupt, Cat(where, ": ", Quote(text), " is no token"));
        if (text.find(' ') != std::string::npos) Fail(Code::kUnsupported, Cat(where, ": a token with a space"));
      }
      spec_.merges.push_back(Cat(left, " ", right));
    }
  }

  void ReadPre(const dom::object& document, bool ignore_merges) {
    const dom::element section = Need(document, "pre_tokenizer", "the document");
    std::vector<dom::element> parts;
    if (TypeOf(section, "pre_tokenizer") == "Sequence") {
      for (const dom::element& part :
           Array(Need(Object(section, "pre_tokenizer"), "pretokenizers", "pre_tokenizer"), "pre_tokenizer")) {
        parts.push_back(part);
      }
    } else {
      parts.push_back(section);
    }
    std::vector<std::string> regexes;
    regexes.reserve(parts.size());
    std::vector<JsonStep> steps;
    for (const dom::element& part : parts) {
      const std::string type = TypeOf(part, "pre_tokenizer");
      const dom::object fields = Object(part, "pre_tokenizer");
      if (type == "ByteLevel") {
        Known(fields, "pre_tokenizer", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
        if (Flag(fields, "add_prefix_space", true, "pre_tokenizer")) {
          Fail(Code::kUnsupported, "pre_tokenizer.add_prefix_space is true");
        }
        steps.push_back({Flag(fields, "use_regex", true, "pre_tokenizer") ? JsonStep::kWords : JsonStep::kBytes});
      } else if (type == "Digits") {
        Known(fields, "pre_tokenizer", {"type", "individual_digits"});
        if (!Flag(fields, "individual_digits", false, "pre_tokenizer")) {
          Fail(Code::kUnsupported, "pre_tokenizer: digits that are not individual");
        }
        steps.push_back({JsonStep::kDigits});
      } else if (type == "Split") {
        Known(fields, "pre_tokenizer", {"type", "pattern", "behavior", "invert"});
        if (Text(Need(fields, "behavior", "pre_tokenizer"), "pre_tokenizer.behavior") != "Isolated" ||
            Flag(fields, "invert", false, "pre_tokenizer")) {
          Fail(Code::kUnsupported, "pre_tokenizer: a split that is not Isolated, or inverted");
        }
        const dom::object pattern = Object(Need(fields, "pattern", "pre_tokenizer"), "pre_tokenizer.pattern");
        regexes.push_back(Text(Need(pattern, "Regex", "pre_tokenizer.pattern"), "pre_tokenizer.pattern.Regex"));
        steps.push_back({JsonStep::kSplit, regexes.back()});
      } else {
        Fail(Code::kUnsupported, Cat("the pre_tokenizer ", Quote(type)));
      }
    }
    for (const JsonRule& rule : JsonRules()) {
      if (rule.steps != steps || rule.ignore_merges != ignore_merges) continue;
      spec_.pre = rule.pre;
      return;
    }
    Fail(Code::kUnsupported, "a pre_tokenizer that this build does not know",
         "GPT-2's, SmolLM's, Llama 3's and Qwen 2's are known");
  }

  void ReadUnigram(const dom::object& model, const dom::object& document) {
    Known(model, "model", {"type", "unk_id", "vocab", "byte_fallback"});
    if (Flag(model, "byte_fallback", false, "model")) Fail(Code::kUnsupported, "model.byte_fallback is set");
    for (const char* name : {"pre_tokenizer", "decoder"}) {
      const dom::element section = Need(document, name, "the document");
      const dom::object fields = Object(section, name);
      if (TypeOf(section, name) != "Metaspace") {
        Fail(Code::kUnsupported, Cat("the ", name, " ", Quote(TypeOf(section, name))), "Unigram wants Metaspace");
      }
      Known(fields, name, {"type", "replacement", "prepend_scheme", "split"});
      const auto replacement = Find(fields, "replacement"), scheme = Find(fields, "prepend_scheme");
      if ((replacement && Text(*replacement, name) != kSpaceMark) || !scheme || Text(*scheme, name) != "never" ||
          !Flag(fields, "split", true, name)) {
        Fail(Code::kUnsupported, Cat(name, ": a Metaspace that changes the text"),
             "with \"replacement\":\"\xE2\x96\x81\", \"prepend_scheme\":\"never\" and \"split\":true it can be read");
      }
    }
    spec_.model = "t5";
    spec_.merge_spaces = spec_.add_space_prefix = false;
    size_t id = 0;
    for (const dom::element& entry : Array(Need(model, "vocab", "model"), "model.vocab")) {
      const std::string where = Cat("model.vocab: entry ", id);
      const dom::array pair = Array(entry, where);
      double score = 0;
      if (pair.size() != 2 || pair.at(1).get_double().get(score) != simdjson::SUCCESS) {
        Fail(Code::kInvalidInput, Cat(where, " is no token with its score"));
      }
      if (!std::isfinite(static_cast<float>(score))) Fail(Code::kCorrupt, Cat(where, ": the score is no number"));
      if (id >= kMostJsonTokens) Fail(Code::kInvalidInput, Cat("more than ", kMostJsonTokens, " tokens"));
      Reserve(id++, Text(pair.at(0).value_unsafe(), where), TokenType::kNormal, where);
      spec_.scores.push_back(static_cast<float>(score));
    }
    const size_t unknown = Id(Need(model, "unk_id", "model"), "model.unk_id");
    if (unknown >= spec_.tokens.size()) Fail(Code::kCorrupt, "model.unk_id is beyond the vocabulary");
    spec_.unknown = static_cast<TokenId>(unknown);
    spec_.types[unknown] = static_cast<uint8_t>(TokenType::kUnknown);
  }

  void ReadWordPiece(const dom::object& model, const dom::object& document) {
    Known(model, "model", {"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
    if (const auto prefix = Find(model, "continuing_subword_prefix"); prefix && Text(*prefix, "model") != "##") {
      Fail(Code::kUnsupported, "model.continuing_subword_prefix is not ##");
    }
    if (const auto most = Find(model, "max_input_chars_per_word"); most && Id(*most, "model") != 100) {
      Fail(Code::kUnsupported, "model.max_input_chars_per_word is not 100");
    }
    const dom::element section = Need(document, "normalizer", "the document");
    const dom::object normalizer = Object(section, "normalizer");
    if (TypeOf(section, "normalizer") != "BertNormalizer") {
      Fail(Code::kUnsupported, Cat("the normalizer ", Quote(TypeOf(section, "normalizer"))),
           "WordPiece wants BertNormalizer");
    }
    Known(normalizer, "normalizer", {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
    const bool small = Flag(normalizer, "lowercase", true, "normalizer");
    if (!Flag(normalizer, "clean_text", true, "normalizer") ||
        !Flag(normalizer, "handle_chinese_chars", true, "normalizer") ||
        Flag(normalizer, "strip_accents", small, "normalizer") != small) {
      Fail(Code::kUnsupported, "a BertNormalizer that BERT does not have",
           "with clean_text, handle_chinese_chars, and strip_accents as lowercase it can be read");
    }
    const dom::element words = Need(document, "pre_tokenizer", "the document");
    if (TypeOf(words, "pre_tokenizer") != "BertPreTokenizer") {
      Fail(Code::kUnsupported, Cat("the pre_tokenizer ", Quote(TypeOf(words, "pre_tokenizer"))),
           "WordPiece wants BertPreTokenizer");
    }
    if (const auto decoder = Find(document, "decoder"); decoder && TypeOf(*decoder, "decoder") != "WordPiece") {
      Fail(Code::kUnsupported, Cat("the decoder ", Quote(TypeOf(*decoder, "decoder"))), "WordPiece has WordPiece");
    }
    spec_.model = "bert";
    spec_.pre = small ? "" : std::string(kCased);
    spec_.merge_spaces = spec_.add_space_prefix = false;
    ReadVocabulary(model, [&](std::string_view token) {
      std::string spelled = SpellWordPiece(token);
      if (UnspellWordPiece(spelled) != token) {
        Fail(Code::kUnsupported, Cat("model.vocab: the token ", Quote(token), " cannot be told from another"));
      }
      return spelled;
    });
    const std::string unknown = Text(Need(model, "unk_token", "model"), "model.unk_token");
    spec_.unknown = IdOf(SpellWordPiece(unknown));
    if (spec_.unknown < 0) Fail(Code::kCorrupt, Cat("model.unk_token is ", Quote(unknown), ", which is no token"));
    spec_.tokens[static_cast<size_t>(spec_.unknown)] = unknown;
    // BERT's own, whether or not they stand among the added tokens.
    for (const char* text : {"[CLS]", "[SEP]", "[PAD]", "[MASK]"}) {
      const TokenId id = IdOf(SpellWordPiece(text));
      if (id < 0) continue;
      spec_.tokens[static_cast<size_t>(id)] = text;
      spec_.types[static_cast<size_t>(id)] = static_cast<uint8_t>(TokenType::kControl);
    }
    spec_.bos = IdOf("[CLS]");
    spec_.eos = IdOf("[SEP]");
  }

  void ReadAdded(const dom::object& document) {
    CheckWholeButFor(document);
    if (spec_.tokens.empty()) Fail(Code::kCorrupt, "the vocabulary is empty");
    CheckWhole("the vocabulary");
    if (spec_.model == "t5") spec_.scores.resize(spec_.tokens.size(), 0.0f);
  }
  void CheckWholeButFor(const dom::object& document) {
    const auto added = Find(document, "added_tokens");
    if (!added) return;
    const dom::array list = Array(*added, "added_tokens");
    const size_t most = spec_.tokens.size() + SizeOf(list);
    std::unordered_map<size_t, bool> seen;
    for (const dom::element& element : list) {
      const dom::object token = Object(element, "added_tokens");
      Known(token, "added_tokens", {"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
      const size_t id = Id(Need(token, "id", "added_tokens"), "added_tokens: an id");
      const std::string content = Text(Need(token, "content", "added_tokens"), "added_tokens: a content");
      const std::string where = Cat("added_tokens: ", Quote(content));
      for (const char* key : {"single_word", "lstrip", "rstrip"}) {
        if (Flag(token, key, false, where)) Fail(Code::kUnsupported, Cat(where, ": ", key, " is set"));
      }
      if (content.empty()) Fail(Code::kInvalidInput, "added_tokens: a token without text");
      if (id >= most) Fail(Code::kCorrupt, Cat(where, ": the id ", id, " among ", most, " tokens"));
      if (!seen.emplace(id, true).second) Fail(Code::kCorrupt, Cat(where, ": two tokens have the id ", id));
      const bool special = Flag(token, "special", false, where);
      if (spec_.model == "bert" && Flag(token, "normalized", !special, where)) {
        Fail(Code::kUnsupported, Cat(where, ": normalized is set"),
             "tokens that are found in the text as it is can be read");
      }
      const TokenType type = special ? TokenType::kControl : TokenType::kUserDefined;
      if (id < spec_.tokens.size() && spec_.types[id] != 0) {
        const bool spelled = spec_.model == "bert" && spec_.tokens[id] == SpellWordPiece(content);
        if (spec_.tokens[id] != content && !spelled) {
          Fail(Code::kCorrupt, Cat(where, ": the vocabulary has ", Quote(spec_.tokens[id]), " for the id ", id));
        }
        spec_.tokens[id] = content;
        if (static_cast<TokenId>(id) != spec_.unknown || spec_.model != "t5")
          spec_.types[id] = static_cast<uint8_t>(type);
      } else {
        Reserve(id, content, type, where);
      }
    }
  }

  // By the usual texts, among the special tokens.
  void Roles() {
    const TextIndex index(&spec_.tokens);
    const auto role = [&](std::span<const std::string_view> texts, TokenId* id) {
      for (const std::string_view text : texts) {
        const int32_t found = index.Find(text);
        if (*id >= 0 || found < 0) continue;
        const auto type = static_cast<TokenType>(spec_.types[found]);
        if (type == TokenType::kControl || type == TokenType::kUnknown) *id = found;
      }
    };
    role(kBos, &spec_.bos);
    role(kEos, &spec_.eos);
    role(kPadding, &spec_.padding);
    role(kUnknown, &spec_.unknown);
    if (spec_.unknown >= 0) spec_.types[spec_.unknown] = static_cast<uint8_t>(TokenType::kUnknown);
  }

  // ["[CLS]", 101]
  TokenId PairedToken(const dom::object& fields, const char* key) const {
    const std::string where = Cat("post_processor.", key);
    const dom::array pair = Array(Need(fields, key, "post_processor"), where);
    const size_t id = pair.size() == 2 ? Id(pair.at(1).value_unsafe(), where) : kMostJsonTokens;
    if (id >= spec_.tokens.size()) Fail(Code::kCorrupt, Cat(where, " is no token"));
    return static_cast<TokenId>(id);
  }

  void ReadPost(const dom::element& section) {
    const std::string type = TypeOf(section, "post_processor");
    const dom::object fields = Object(section, "post_processor");
    if (type == "ByteLevel") return;  // moves offsets only
    if (type == "Sequence") {
      for (const dom::element& part :
           Array(Need(fields, "processors", "post_processor"), "post_processor.processors")) {
        if (TypeOf(part, "post_processor") == "Sequence") Fail(Code::kUnsupported, "a post_processor within another");
        ReadPost(part);
      }
      return;
    }
    if (type == "BertProcessing") {  // as older files have [CLS] and [SEP]
      spec_.add_bos = spec_.add_eos = true;
      spec_.bos = PairedToken(fields, "cls");
      spec_.eos = PairedToken(fields, "sep");
      return;
    }
    if (type != "TemplateProcessing") Fail(Code::kUnsupported, Cat("the post_processor ", Quote(type)));
    const dom::object special =
        Object(Need(fields, "special_tokens", "post_processor"), "post_processor.special_tokens");
    bool text = false;
    for (const dom::element& part : Array(Need(fields, "single", "post_processor"), "post_processor.single")) {
      const dom::object piece = Object(part, "post_processor.single");
      if (const auto sequence = Find(piece, "Sequence")) {
        if (text) Fail(Code::kUnsupported, "post_processor: the text twice");
        text = true;
        continue;
      }
      const dom::object token = Object(Need(piece, "SpecialToken", "post_processor.single"), "post_processor.single");
      const std::string name = Text(Need(token, "id", "post_processor.single"), "post_processor.single");
      const dom::object found = Object(Need(special, name.c_str(), "post_processor.special_tokens"), name);
      const dom::array ids = Array(Need(found, "ids", name), name);
      const size_t id = ids.size() == 1 ? Id(ids.at(0).value_unsafe(), name) : kMostJsonTokens;
      if (id >= spec_.tokens.size())
        Fail(Code::kUnsupported, Cat("post_processor: ", Quote(name), " is not one token"));
      bool* adds = text ? &spec_.add_eos : &spec_.add_bos;
      if (*adds) Fail(Code::kUnsupported, "post_processor: more than one token before or behind the text");
      *adds = true;
      (text ? spec_.eos : spec_.bos) = static_cast<TokenId>(id);
    }
    if (!text) Fail(Code::kUnsupported, "post_processor: a template without the text");
  }

  static constexpr size_t kMostHoles = 100'000;  // ids that added tokens fill

  TokenizerSpec spec_;
};

}  // namespace

TokenizerSpec ParseTokenizerJson(std::string_view json, std::string_view what, NormalForm nfc) {
  return TokenizerReader(what).Read(json, nfc);
}

void ApplyTokenizerConfigJson(std::string_view json, std::string_view what, TokenizerSpec* spec) {
  TokenizerReader(what).ReadConfig(json, spec);
}

}  // namespace atelier::text
