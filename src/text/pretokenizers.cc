// The rules are facts published with each family's tokenizer (the regexes of its tokenizer.json). Where llama.cpp reads
// a regex differently from Hugging Face's tokenizers, the rule here is llama.cpp's, because GGUF files are made for it:
//  * only ASCII letters have a case (gpt-4o, tekken), and "word" classes there hold no combining marks;
//  * contractions fold ASCII case only: "'ſ" is no contraction;
//  * in patterns that name non-ASCII characters, white space beyond ASCII never matches one of them.
#include "text/pretokenizers.h"

#include "text/pattern.h"

namespace atelier::text {
namespace {

std::vector<PreTokenizer> MakeList() {
  return {
      // The default: punctuation, then GPT-2's words, then digits by three.
      {.names = {"default"},
       .patterns = {R"re([\p{P}$+<=>\^~|]+)re",
                    R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)re"
                    R"re(\s+(?!\S)|\s+)re",
                    R"re(\p{N}+)re", R"re([0-9][0-9][0-9])re"}},
      // GPT-2 (2019).
      {.names = {"gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "granite-docling", "gigachat", "a.x-4.0",
                 "mellum", "exaone4"},
       .patterns = {R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)re"
                    R"re(\s+(?!\S)|\s+)re"}},
      // The same with every digit on its own.
      {.names = {"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"},
       .patterns = {R"re(\p{N})re", R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)re"
                                    R"re(\s+(?!\S)|\s+)re"}},
      // cl100k: contractions in either case, digits by three, line ends kept with what is before them.
      {.names = {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
       .whole_words = true,
       .default_add_bos = true},
      {.names = {"glm4", "glm5"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
       .whole_words = true},
      {.names = {"dbrx", "smaug-bpe", "chatglm-bpe"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      // cl100k with every digit on its own.
      {.names = {"qwen2", "deepseek-r1-qwen", "stablelm2", "megrez", "hunyuan", "solar-open", "grok-2", "kormo",
                 "f2llmv2"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      // qwen2 whose words hold combining marks.
      {.names = {"qwen35"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|)re"
                    R"re(\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      // qwen2 without contractions.
      {.names = {"ufakzeka"},
       .patterns = {R"re([^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|)re"
                    R"re(\s+(?!\S)|\s+)re"}},
      {.names = {"minicpm5"},
       .patterns = {R"re(\p{N}{1,3})re",
                    R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
       .whole_words = true},
      {.names = {"laguna"},
       .patterns = {R"re([^\n]+|[\n]+)re",
                    R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      {.names = {"bailingmoe", "bailingmoe2", "llada-moe"},
       .patterns = {R"re('(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)re"}},
      {.names = {"seed-coder"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      {.names = {"jais-2"},
       .patterns = {R"re((?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|)re"
                    R"re(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|)re"
                    R"re(\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|)re"
                    R"re(\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})re"}},
      // o200k: words end where lower case turns to upper. As llama.cpp has it, only ASCII letters have a case and marks
      // are no
      // letters.
      {.names = {"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"},
       .patterns =
           {R"re([^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+(?:'[sS]|'[tT]|)re"
            R"re('[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*(?:'[sS]|)re"
            R"re('[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}|)re"
            R"re( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      {.names = {"granite-embed-multi-97m"},
       .patterns =
           {R"re([^\r\n\p{L}\p{N}]?[\p{L}\p{M}&&[^a-z]]*[\p{L}\p{M}&&[^A-Z]]+(?:'[sS]|)re"
            R"re('[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}&&[^a-z]]+[\p{L}\p{M}&&[^)re"
            R"re(A-Z]]*(?:'[sS]|)re"
            R"re('[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}|)re"
            R"re( ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
       .whole_words = true},
      {.names = {"tekken"},
       .patterns =
           {R"re([^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]*[\p{L}&&[^A-Z]]+|[^\r\n\p{L}\p{N}]?[\p{L}&&[^a-z]]+[\p{L}&&[^A-Z]]*|)re"
            R"re(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"},
       .whole_words = true,
       .default_add_bos = true},
      {.names = {"kimi-k2"},
       .patterns =
           {R"re([\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2B740}-\x{2B81F}\x{2B820}-\x)re"
            R"re({2CEAF}\x{2CEB0}-\x{2EBEF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]+|)re"
            R"re([^\r\n\p{L}\p{N}]?[\p{L}&&[^\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{20000}-\x{2A6DF}\x{2A700}-\x{2B73F}\x{2)re"
            R"re(B740}-\x{2B81F}\x{2B820}-\x{2CEAF}\x{2CEB0}-\x{2EBEF}\x{F900}-\x{FAFF}\x{2F800}-\x{2FA1F}]]+(?:'[sS]|)re"
            R"re('[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])?|\p{N}{1,3}|)re"
            R"re( ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      // DeepSeek V3: digits by three, CJK on its own, the rest.
      {.names = {"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"},
       .patterns = {R"re(\p{N}{1,3})re", R"re([一-龥぀-ゟ゠-ヿ]+)re",
                    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)re"
                    R"re( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)re"}},
      {.names = {"spark2_5"},
       .patterns = {R"re(\p{N}{1,3})re", R"re([一-龥぀-ゟ゠-ヿ]+)re",
                    R"re([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)re"
                    R"re( ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)re",
                    R"re(\p{N})re"}},
      {.names = {"deepseek-coder"},
       .patterns = {R"re([\r\n])re", R"re(\s?\p{L}+)re", R"re(\s?\p{P}+)re", R"re([一-龥ࠀ-一가-퟿&&[^\s]]+)re",
                    R"re(\p{N})re"}},
      // Its letters are a fixed list of Unicode 11's cased letters.
      {.names = {"deepseek-llm"},
       .patterns =
           {R"re([\r\n])re",
            R"re(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ)re"
            R"re(-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-)re"
            R"re(𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃]+)re",
            R"re(\s?[!-/:-~！-／：-～‘-‟、。]+)re", R"re(\s+$)re", R"re([一-龥ࠀ-一가-퟿&&[^\s]]+)re",
            R"re(\p{N}+)re"}},
      {.names = {"falcon"},
       .patterns = {R"re([\p{P}$+<=>\^~|`]+)re",
                    R"re('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|)re"
                    R"re(\s+(?!\S)|\s+)re",
                    R"re([0-9][0-9][0-9])re"}},
      {.names = {"bloom", "poro-chat", "gpt3-finnish"}, .patterns = {R"re( ?[^(\s|.,!?…。，、।۔،)]+)re"}},
      {.names = {"viking"}, .patterns = {R"re( ?[^(\s|.,!?…。，、।۔،)]+)re", R"re(\p{N})re"}},
      {.names = {"youtu"},
       .patterns =
           {R"re([가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+)re",
            R"re([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|)re"
            R"re('[mM]|'[lL][lL]|'[dD])?|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|)re"
            R"re(\s+(?!\S)|\s+)re"},
       .whole_words = true},
  };
}

}  // namespace

std::span<const PreTokenizer> PreTokenizers() {
  static const std::vector<PreTokenizer> list = MakeList();
  return list;
}

const PreTokenizer* FindPreTokenizer(std::string_view name) {
  if (name.empty()) name = "default";
  for (const PreTokenizer& rule : PreTokenizers()) {
    if (std::find(rule.names.begin(), rule.names.end(), name) != rule.names.end()) return &rule;
  }
  return nullptr;
}

std::vector<std::string> PreTokenizerNames() {
  std::vector<std::string> names;
  for (const PreTokenizer& rule : PreTokenizers()) names.insert(names.end(), rule.names.begin(), rule.names.end());
  std::sort(names.begin(), names.end());
  return names;
}

Splitter::Splitter(const PreTokenizer& rule) {
  for (std::string_view source : rule.patterns) patterns_.push_back(Pattern::Compile(source));
}
Splitter::~Splitter() = default;
Splitter::Splitter(Splitter&&) noexcept = default;

std::vector<size_t> Splitter::Split(const PatternText& text) const {
  std::vector<size_t> ends, next;
  if (!text.chars.empty()) ends.push_back(text.chars.size());
  for (const Pattern& pattern : patterns_) {
    next.clear();
    size_t begin = 0;
    for (size_t end : ends) {
      pattern.Split(text, begin, end, &next);
      begin = end;
    }
    ends.swap(next);
  }
  return ends;
}

}  // namespace atelier::text
