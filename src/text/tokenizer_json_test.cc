#include "text/tokenizer_json.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"
#include "text/train_bpe.h"
#include "text/train_unigram.h"

namespace atelier::text {
namespace {

using Strings = std::vector<std::string>;

TextPull Pull(const Strings& texts) {
  return [&texts, i = size_t{0}](std::string* text) mutable {
    if (i == texts.size()) return false;
    *text = texts[i++];
    return true;
  };
}

Json Golden() {
  return ParseJson(ReadFile(std::string(ATELIER_SOURCE_DIR) + "/tests/golden/tokenizer/golden.json"), "golden");
}

void ExpectSame(const TokenizerSpec& a, const TokenizerSpec& b) {
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.pre, b.pre);
  EXPECT_EQ(a.tokens, b.tokens);
  EXPECT_EQ(a.scores, b.scores);
  EXPECT_EQ(a.types, b.types);
  EXPECT_EQ(a.merges, b.merges);
  EXPECT_EQ(a.bos, b.bos);
  EXPECT_EQ(a.eos, b.eos);
  EXPECT_EQ(a.unknown, b.unknown);
  EXPECT_EQ(a.padding, b.padding);
  EXPECT_EQ(a.add_bos, b.add_bos);
  EXPECT_EQ(a.add_eos, b.add_eos);
  EXPECT_EQ(a.merge_spaces, b.merge_spaces);
  EXPECT_EQ(a.add_space_prefix, b.add_space_prefix);
}

TEST(TokenizerJson, ReadsWhatThePeerWrites) {
  const Json golden = Golden();
  const auto texts = golden.at("texts").get<Strings>();
  const Json& bpe = golden.at("written_bpe");
  const auto tokenizer = MakeTokenizer(ParseTokenizerJson(bpe.at("json").get<std::string>(), "bpe"));
  Strings ids;
  for (const std::string& text : texts) {
    std::string line;
    for (const TokenId id : tokenizer->Encode(text, {.parse_special = true})) line += Cat(line.empty() ? "" : " ", id);
    ids.push_back(line);
  }
  EXPECT_EQ(Sha256Hex(Join(ids, "\n")), bpe.at("ids_sha256").get<std::string>());

  const Json& unigram = golden.at("written_unigram");
  const auto pieces = MakeTokenizer(ParseTokenizerJson(unigram.at("json").get<std::string>(), "unigram"));
  for (size_t i = 0; i < unigram.at("texts").size(); ++i) {
    const std::string text = unigram.at("texts")[i];
    EXPECT_EQ(pieces->Encode(text, {.parse_special = true}), unigram.at("ids")[i].get<std::vector<TokenId>>())
        << Quote(text);
  }
}

TEST(TokenizerJson, ReadsWordPieceAsThePeerWritesIt) {
  const Json golden = Golden();
  for (const Json& one : golden.at("written_wordpiece")) {
    const TokenizerSpec spec = ParseTokenizerJson(one.at("json").get<std::string>(), "wordpiece");
    ExpectSame(ParseTokenizerJson(ToTokenizerJson(spec), "again"), spec);
    const auto tokenizer = MakeTokenizer(spec);
    Strings ids, texts = golden.at("texts").get<Strings>();
    for (const std::string& text : one.at("texts").get<Strings>()) texts.push_back(text);
    for (const std::string& text : texts) {
      std::string line;
      for (const TokenId id : tokenizer->Encode(text, {.add_special = true, .parse_special = true})) {
        line += Cat(line.empty() ? "" : " ", id);
      }
      ids.push_back(line);
    }
    EXPECT_EQ(Sha256Hex(Join(ids, "\n")), one.at("ids_sha256").get<std::string>()) << spec.pre;
  }
}

TEST(TokenizerJson, WhatIsWrittenIsReadAgain) {
  const Strings texts = Golden().at("texts").get<Strings>();
  for (const char* pre : {"gpt-2", "smollm", "llama-bpe", "qwen2", "dbrx"}) {
    TrainBpeOptions options{.vocab_size = 400, .pre = pre};
    options.special.unknown = "<unk>";
    options.special.more = {"<|im_start|>", "<\"\\>"};
    TokenizerSpec spec = TrainBpe(Pull(texts), options);
    for (const int adds : {0, 1, 2, 3}) {
      spec.add_bos = adds & 1;
      spec.add_eos = adds & 2;
      ExpectSame(ParseTokenizerJson(ToTokenizerJson(spec), "spec"), spec);
    }
  }
  TrainUnigramOptions options;
  options.vocab_size = 500;
  const TokenizerSpec spec = TrainUnigram(Pull(texts), options);
  ExpectSame(ParseTokenizerJson(ToTokenizerJson(spec), "spec"), spec);
}

TEST(TokenizerJson, RolesComeFromUsualTextsOrTheConfig) {
  TrainBpeOptions options{.vocab_size = 270};
  options.special = {.bos = "<|begin|>", .eos = "<|endoftext|>", .padding = "", .more = {"<|x|>"}};
  const Strings texts = {"text text"};
  const TokenizerSpec spec = TrainBpe(Pull(texts), options);
  TokenizerSpec read = ParseTokenizerJson(ToTokenizerJson(spec), "spec");
  EXPECT_EQ(read.bos, -1);
  EXPECT_EQ(read.eos, 1);
  ApplyTokenizerConfigJson(ToTokenizerConfigJson(spec), "config", &read);
  EXPECT_EQ(read.bos, 0);
  EXPECT_EQ(read.eos, 1);
  EXPECT_EQ(read.padding, -1);
  ApplyTokenizerConfigJson(R"({"pad_token":{"content":"<|x|>","lstrip":false},"model_max_length":512})", "config",
                           &read);
  EXPECT_EQ(read.padding, 2);
  EXPECT_THROW(ApplyTokenizerConfigJson(R"({"pad_token":"nobody"})", "config", &read), Error);
  EXPECT_THROW(ApplyTokenizerConfigJson(R"({"pad_token":5})", "config", &read), Error);
}

// A small document with one thing changed.
std::string With(const std::string& from, const std::string& to) {
  const std::string document =
      R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":0,"content":"<s>","single_word":false,)"
      R"("lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,"pre_tokenizer":)"
      R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},"post_processor":null,)"
      R"("decoder":{"type":"ByteLevel"},"model":{"type":"BPE","dropout":null,"unk_token":null,"ignore_merges":false,)"
      R"("vocab":{"<s>":0,"a":1,"b":2,"ab":3},"merges":[["a","b"]]}})";
  EXPECT_NE(document.find(from), std::string::npos) << from;
  return ReplaceAll(document, from, to);
}

TEST(TokenizerJson, RefusesWordPieceThatIsNotBerts) {
  const std::string document =
      R"({"version":"1.0","added_tokens":[{"id":1,"content":"[CLS]","special":true},{"id":2,"content":"[SEP]",)"
      R"("special":true}],"normalizer":{"type":"BertNormalizer","clean_text":true,)"
      R"("handle_chinese_chars":true,"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},)"
      R"("post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},"decoder":null,"model":)"
      R"({"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,)"
      R"("vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"play":3,"##ing":4,"##":5}}})";
  const TokenizerSpec spec = ParseTokenizerJson(document, "t");
  EXPECT_EQ(spec.tokens, (Strings{"[UNK]", "[CLS]", "[SEP]", "▁play", "ing", "▁##"}));
  EXPECT_EQ(MakeTokenizer(spec)->Encode("PLAYING player ", {.add_special = true}),
            (std::vector<TokenId>{1, 3, 4, 0, 2}));
  EXPECT_EQ(MakeTokenizer(spec)->Decode(std::vector<TokenId>{1, 3, 4, 3, 2}), " playing play");
  const std::pair<std::pair<const char*, const char*>, std::pair<Code, const char*>> cases[] = {
      {{R"("unk_token":"[UNK]")", R"("unk_token":"nobody")"}, {Code::kCorrupt, "t: model.unk_token is 'nobody'"}},
      {{R"("##","max)", R"("@@","max)"}, {Code::kUnsupported, "t: model.continuing_subword_prefix"}},
      {{R"(word":100)", R"(word":99)"}, {Code::kUnsupported, "t: model.max_input_chars_per_word"}},
      {{R"("clean_text":true)", R"("clean_text":false)"}, {Code::kUnsupported, "t: a BertNormalizer that BERT"}},
      {{R"("strip_accents":null)", R"("strip_accents":false)"}, {Code::kUnsupported, "t: a BertNormalizer that BERT"}},
      {{"BertNormalizer", "NFC"}, {Code::kUnsupported, "t: the normalizer 'NFC'"}},
      {{"BertPreTokenizer", "Whitespace"}, {Code::kUnsupported, "t: the pre_tokenizer 'Whitespace'"}},
      {{R"("decoder":null)", R"("decoder":{"type":"ByteLevel"})"}, {Code::kUnsupported, "t: the decoder 'ByteLevel'"}},
      {{R"(["[SEP]",2])", R"(["[SEP]",9])"}, {Code::kCorrupt, "t: post_processor.sep is no token"}},
      {{R"("##ing":4)", R"("##ing":3)"}, {Code::kCorrupt, "t: model.vocab: two tokens have the id 3"}},
  };
  for (const auto& [change, wanted] : cases) {
    ASSERT_NE(document.find(change.first), std::string::npos) << change.first;
    try {
      ParseTokenizerJson(ReplaceAll(document, change.first, change.second), "t");
      ADD_FAILURE() << change.second;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), wanted.first) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with(wanted.second)) << error.what();
    }
  }
}

TEST(TokenizerJson, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(ParseTokenizerJson(With("1.0", "1.0"), "t").tokens.size(), 4u);
  EXPECT_EQ(ParseTokenizerJson(With(R"(["a","b"])", R"("a b")"), "t").merges, (Strings{"a b"}));
  const std::pair<std::pair<const char*, const char*>, std::pair<Code, const char*>> cases[] = {
      {{R"({"version")", R"({"version)"}, {Code::kInvalidInput, "t: not JSON"}},
      {{"1.0", "2.0"}, {Code::kUnsupported, "t: version '2.0'"}},
      {{R"("padding")", R"("paddding")"}, {Code::kUnsupported, "t: the document has the unknown field 'paddding'"}},
      {{R"("normalizer":null)", R"("normalizer":{"type":"NFC"})"}, {Code::kUnsupported, "t: the normalizer NFC"}},
      {{R"("add_prefix_space":false)", R"("add_prefix_space":true)"},
       {Code::kUnsupported, "t: pre_tokenizer.add_prefix"}},
      {{R"("use_regex":true)", R"("use_regex":false)"}, {Code::kUnsupported, "t: a pre_tokenizer that this build"}},
      {{R"("ignore_merges":false)", R"("ignore_merges":true)"},
       {Code::kUnsupported, "t: a pre_tokenizer that this build"}},
      {{R"("ignore_merges":false)", R"("ignore_merges":7)"},
       {Code::kInvalidInput, "t: model.ignore_merges is neither"}},
      {{R"("dropout":null)", R"("dropout":0.1)"}, {Code::kUnsupported, "t: model.dropout is set"}},
      {{R"("type":"BPE")", R"("type":"WordLevel")"}, {Code::kUnsupported, "t: a model of type 'WordLevel'"}},
      {{R"("decoder":{"type":"ByteLevel"})", R"("decoder":{"type":"Fuse"})"},
       {Code::kUnsupported, "t: the decoder 'Fuse'"}},
      {{R"("ab":3)", R"("ab":4)"}, {Code::kCorrupt, "t: the vocabulary: no token has the id 3"}},
      {{R"("ab":3)", R"("ab":2)"}, {Code::kCorrupt, "t: model.vocab: two tokens have the id 2"}},
      {{R"("ab":3)", R"("a":3)"}, {Code::kCorrupt, "t: model.merges: pair 0: 'ab' is no token"}},
      {{R"("ab":3)", R"("ab":3000000)"}, {Code::kCorrupt, "t: model.vocab: the id 3000000 among 4 tokens"}},
      {{R"("ab":3)", R"("ab":-3)"}, {Code::kInvalidInput, "t: model.vocab: the number of 'ab' is no token id"}},
      {{R"(["a","b"])", R"(["a","c"])"}, {Code::kCorrupt, "t: model.merges: pair 0: 'c' is no token"}},
      {{R"(["a","b"])", R"(["a"])"}, {Code::kInvalidInput, "t: model.merges: pair 0 is no pair"}},
      {{R"(["a","b"])", R"("ab")"}, {Code::kInvalidInput, "t: model.merges: pair 0 is no pair"}},
      {{R"("ab":3},"merges":[["a","b"]])", R"("ab":3," a":4," ab":5},"merges":[[" a","b"]])"},
       {Code::kUnsupported, "t: model.merges: pair 0: a token with a space"}},
      {{R"("lstrip":false)", R"("lstrip":true)"}, {Code::kUnsupported, "t: added_tokens: '<s>': lstrip is set"}},
      {{R"("id":0)", R"("id":1)"}, {Code::kCorrupt, "t: added_tokens: '<s>': the vocabulary has 'a' for the id 1"}},
      {{R"("id":0)", R"("id":99)"}, {Code::kCorrupt, "t: added_tokens: '<s>': the id 99 among 5 tokens"}},
      {{R"("post_processor":null)", R"("post_processor":{"type":"RobertaProcessing"})"},
       {Code::kUnsupported, "t: the post_processor 'RobertaProcessing'"}},
      {{R"("model":{)", R"("model":[{)"}, {Code::kInvalidInput, "t: not JSON"}},
  };
  for (const auto& [change, wanted] : cases) {
    try {
      ParseTokenizerJson(With(change.first, change.second), "t");
      ADD_FAILURE() << change.second << " was read";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), wanted.first) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with(wanted.second)) << error.what();
      EXPECT_EQ(error.Line().find('\n'), std::string::npos);
    }
  }
  EXPECT_THROW(ParseTokenizerJson("", "t"), Error);
  EXPECT_THROW(ParseTokenizerJson("[]", "t"), Error);
  EXPECT_THROW(ParseTokenizerJson(std::string(100000, '['), "t"), Error);
}

TEST(TokenizerJson, DoesNotWriteWhatItCannotSay) {
  TokenizerSpec spec;
  spec.model = "llama";
  spec.tokens = {"a"};
  EXPECT_THROW(ToTokenizerJson(spec), Error);
  spec.model = "gpt2";
  spec.pre = "falcon";
  EXPECT_THROW(ToTokenizerJson(spec), Error);
  spec.model = "t5";
  spec.scores = {0};
  spec.unknown = 0;
  EXPECT_THROW(ToTokenizerJson(spec), Error);  // merges spaces
  spec.merge_spaces = spec.add_space_prefix = false;
  EXPECT_NE(ToTokenizerJson(spec).find("Metaspace"), std::string::npos);
}

}  // namespace
}  // namespace atelier::text
