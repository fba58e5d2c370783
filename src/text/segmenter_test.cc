// The segmenters on a small corpus made here by a seed, and on ugly texts. How good the real model is: segment_commands
// in tests/, and ./dev bench data segment.
#include "text/segmenter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "base/error.h"
#include "base/hash.h"
#include "base/rng.h"
#include "base/str.h"
#include "text/segmenter_trainer.h"
#include "text/unicode.h"

namespace atelier::text {
namespace {

using Words = std::vector<std::string>;

Words Cut(const Segmenter& segmenter, std::string_view text) {
  std::vector<std::string_view> words;
  segmenter.Segment(text, &words);
  return {words.begin(), words.end()};
}

// Sentences of a grammar over some sixty words; ambiguous where one word is the begin of another.
std::string Corpus(int lines, uint64_t seed) {
  static const std::vector<Words> kSlots = {
      {"我", "他们", "老师", "小学生", "北京大学", "北京", "上海市", "爱好者", "研究生", "研究人员"},
      {"昨天", "今天", "１２月", "３１日", "一九九八年", "去年", "已经", "正在", "常常", "不"},
      {"买", "购买", "研究", "喜欢", "爱", "看见", "学习", "使用", "生产", "生"},
      {"了", "过", "着", "的", "出", "下", "好", "完", "起来", "下去"},
      {"新", "红色", "很", "大", "漂亮", "三", "几", "这", "全", "老"},
      {"咖啡", "咖啡壶", "生命", "大学", "电脑", "５０００", "水", "水壶", "壶", "南京市"},
      {"。", "，", "！", "；", "？"}};
  Rng rng(seed);
  std::string out;
  for (int i = 0; i < lines; ++i) {
    for (int clause = 0; clause < 3; ++clause) {
      for (const Words& slot : kSlots) {
        if (rng.Below(5) == 0 && slot.size() > 5) continue;
        out += slot[rng.Below(slot.size())];
        out += "/x  ";
      }
    }
    out += "\n";
  }
  return out;
}

std::string Trained() {
  const std::string corpus = Corpus(600, 3);
  return SegmenterModel::Serialise(TrainSegmenter(ReadMarked(corpus, "corpus"), {.rounds = 8, .source = "made here"}));
}

const std::string& Model() {
  static const std::string bytes = Trained();
  return bytes;
}

std::unique_ptr<Segmenter> OfModel(std::shared_ptr<const UserDictionary> dictionary = nullptr) {
  return MakeModelSegmenter(SegmenterModel::Parse(Model(), "model"), std::move(dictionary));
}

std::shared_ptr<const UserDictionary> Dictionary(std::string_view text) {
  return std::make_shared<UserDictionary>(UserDictionary::Parse(text, "words.txt"));
}

TEST(Segmenter, LearnsACorpusAndFindsItsWordsInNewSentences) {
  const auto segmenter = OfModel();
  int64_t gold = 0, right = 0;
  const std::string corpus = Corpus(200, 99);
  for (const MarkedLine& line : ReadMarked(corpus, "corpus")) {
    std::string text;
    Words wanted;
    for (const std::string_view word : line.words) {
      text += word;
      wanted.emplace_back(word);
    }
    const Words found = Cut(*segmenter, text);
    gold += static_cast<int64_t>(wanted.size());
    for (size_t i = 0, at = 0, j = 0, other = 0; i < wanted.size(); at += wanted[i++].size()) {
      while (j < found.size() && other < at) other += found[j++].size();
      right += j < found.size() && other == at && found[j] == wanted[i];
    }
  }
  EXPECT_GT(static_cast<double>(right) / static_cast<double>(gold), 0.97) << right << " of " << gold;
}

TEST(Segmenter, TheSameCorpusGivesTheSameBytes) {
  EXPECT_EQ(Trained(), Model());
  const std::string corpus = Corpus(600, 3);
  EXPECT_NE(SegmenterModel::Serialise(
                TrainSegmenter(ReadMarked(corpus, "corpus"), {.rounds = 8, .seed = 2, .source = "made here"})),
            Model());
}

TEST(Segmenter, HoldsOutRunsOfLinesByTheSeed) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "词/n\n";
  const auto lines = ReadMarked(text, "corpus");
  size_t held = 0;
  for (size_t i = 0; i < lines.size(); ++i) {
    held += lines[i].held_out;
    EXPECT_EQ(lines[i].held_out, lines[i / 100 * 100].held_out);
  }
  EXPECT_EQ(held, 2300u);  // what tools/segmentation_score.py finds, too
}

TEST(Segmenter, NothingOfUglyTextIsLost) {
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "好",
                                          "\xF0\x9F",
                                          "\xFF\xFE好\xE4\xBD",
                                          std::string("a\0b", 3),
                                          "\r\n\t\u3000 ",
                                          "，。！？……——",
                                          "👨‍👩‍👧‍👦🇨🇳🇯🇵👍🏽❤️1️⃣",
                                          "e\u0301e\u0301 \u200B\uFEFF",
                                          "𠀀𠀁𪚥",
                                          "コーヒーを飲む 안녕하세요 สวัสดี Привет",
                                          "http://a.b/c?d=e&f=g，见www.x.cn。",
                                          "１２：３０ 2024-05-01 3.14% -5℃ ＡＢＣ１２３",
                                          std::string(5000, 'a'),
                                          std::string(3000, ' ') + "好" + std::string(3000, '\n')};
  for (const auto& segmenter : {OfModel(), OfModel(Dictionary("好\n，。 3\n咖啡 壶")), MakeIcuSegmenter(),
                                MakeIcuSegmenter(Dictionary("好\n，。 3"))}) {
    for (const std::string& text : texts) {
      const Words words = Cut(*segmenter, text);
      EXPECT_EQ(Join(words, ""), text);
      for (const std::string& word : words) EXPECT_FALSE(word.empty());
    }
    Rng rng(7);
    for (int i = 0; i < 2000; ++i) {
      std::string noise;
      for (uint64_t n = rng.Below(40); n-- > 0;) {
        if (rng.Below(2) == 0) {
          AppendUtf8(&noise, static_cast<char32_t>(0x4E00 + rng.Below(200)));
        } else {
          noise.push_back(static_cast<char>(rng.Below(256)));
        }
      }
      ASSERT_EQ(Join(Cut(*segmenter, noise), ""), noise);
    }
  }
}

TEST(Segmenter, KeepsUnitsWhole) {
  const Words units = {"iPhone15", "5,999.00",   "2024-05-01", "12:30", "https://example.com/a?b=1", "a.b@c.com.cn",
                       "C++",      "wi-fi",      "don't",      "40％",  "👨‍👩‍👧‍👦", "🇨🇳",
                       "👍🏽", "１２３４５", "ＡＢＣ"};
  for (const auto& segmenter : {OfModel(), MakeIcuSegmenter()}) {
    for (const std::string& unit : units) {
      const Words words = Cut(*segmenter, Cat(" ", unit, " "));
      EXPECT_EQ(words, (Words{" ", unit, " "}));
    }
    EXPECT_EQ(Cut(*segmenter, "👍🏽🇨🇳👨‍👩‍👧‍👦"),
              (Words{"👍🏽", "🇨🇳", "👨‍👩‍👧‍👦"}));
    EXPECT_EQ(Cut(*segmenter, "见https://a.cn/x。"), (Words{"见", "https://a.cn/x", "。"}));
  }
}

TEST(Segmenter, TraditionalCharactersCountAsSimplifiedOnes) {
  const auto segmenter = OfModel();
  for (const auto& [simple, traditional] : std::vector<std::pair<std::string, std::string>>{
           {"老师喜欢红色咖啡壶。", "老師喜歡紅色咖啡壺。"}, {"他们购买了电脑。", "他們購買了電腦。"}}) {
    std::vector<size_t> a, b;
    for (const std::string& word : Cut(*segmenter, simple)) a.push_back(word.size());
    for (const std::string& word : Cut(*segmenter, traditional)) b.push_back(word.size());
    EXPECT_EQ(a, b);
    EXPECT_GT(a.size(), 3u);
  }
}

TEST(Segmenter, UserDictionaryIsHonoured) {
  for (const bool icu : {false, true}) {
    const auto with = [&](std::string_view words) {
      return icu ? MakeIcuSegmenter(Dictionary(words)) : OfModel(Dictionary(words));
    };
    EXPECT_EQ(Cut(*with("红色咖啡壶"), "我喜欢红色咖啡壶。").at(2), "红色咖啡壶");
    // Of overlapping words the longest; of equally good ways the one with more in words.
    EXPECT_EQ(Cut(*with("云南白\n云南白药\n白药膏"), "买云南白药膏"), (Words{"买", "云南白药", "膏"}));
    EXPECT_EQ(Cut(*with("云南白药\n药膏贴片组 2"), "云南白药膏贴片组"), Cut(*with("云南白药"), "云南白药膏贴片组"));
    // A word with a space in it, one of a single character, and one that would cut a unit.
    EXPECT_EQ(Cut(*with("Visual Studio"), "用Visual Studio写").at(1), "Visual Studio");
    EXPECT_EQ(Cut(*with("水"), "买水壶").at(1), "水");
    EXPECT_EQ(Cut(*with("Phone"), "iPhone15"), (Words{"iPhone15"}));
    // Comments and a mark at the begin of the file.
    EXPECT_EQ(Cut(*with("\xEF\xBB\xBF# 注释\n\n  壶好水 \r\n"), "买壶好水").at(1), "壶好水");
  }
  // A small weight gives way to the model, a large one does not.
  const std::string text = "老师喜欢红色咖啡壶。";
  const Words plain = Cut(*OfModel(), text);
  EXPECT_EQ(Cut(*OfModel(Dictionary("师喜 0.001")), text), plain);
  EXPECT_EQ(Cut(*OfModel(Dictionary("师喜 1000")), text).at(1), "师喜");
}

TEST(Segmenter, WrongDictionariesAreRefusedByLine) {
  const std::string long_word(300, 'x');
  for (const std::string& text : {std::string("好\n咖啡\tx"), std::string("好\n咖啡 0"), std::string("好\n咖啡 -1"),
                                  std::string("好\n咖啡 1001"), std::string("好\n\xFF"), Cat("好\n", long_word)}) {
    try {
      UserDictionary::Parse(text, "words.txt");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidInput);
      EXPECT_NE(std::string(error.what()).find("words.txt:2"), std::string::npos) << error.what();
    }
  }
  EXPECT_THROW(TrainSegmenter(ReadMarked("一/m 行/q", "corpus"), {}), Error);
  EXPECT_THROW(ReadMarked("好/a\n\xFF/x\n", "corpus"), Error);
}

// Quadratic behaviour would take minutes; the limit only tells the two apart on a busy machine.
TEST(Segmenter, LongTextsWithoutAnyMarkTakeNoTime) {
  std::string han, mixed, spaced;
  while (han.size() < 6'000'000) han += "研究生命起源";
  while (mixed.size() < 3'000'000) mixed += "a好1";
  while (spaced.size() < 3'000'000) spaced += "好 ";
  const auto dictionary = Dictionary("研究生\n生命起\n源研究生命\n好 好\na好1a");
  const auto begin = std::chrono::steady_clock::now();
  for (const auto& segmenter : {OfModel(), OfModel(dictionary), MakeIcuSegmenter(dictionary)}) {
    for (const std::string& text : {han, mixed, spaced, std::string(3'000'000, 'x'), std::string(3'000'000, '.')}) {
      std::vector<std::string_view> words;
      segmenter->Segment(text, &words);
      size_t bytes = 0;
      for (const std::string_view word : words) bytes += word.size();
      ASSERT_EQ(bytes, text.size());
    }
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(120));
}

TEST(Segmenter, ManyThreadsShareOne) {
  for (const auto& segmenter : {OfModel(), MakeIcuSegmenter()}) {
    const std::string text = "老师昨天购买了红色咖啡壶。iPhone15 卖5000元！";
    const Words wanted = Cut(*segmenter, text);
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 500; ++k) wrong += Cut(*segmenter, text) != wanted;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
  }
}

void Seal(std::string* bytes) {
  const uint64_t hash = Hash64(std::string_view(*bytes).substr(0, bytes->size() - 8));
  std::memcpy(bytes->data() + bytes->size() - 8, &hash, 8);
}

TEST(SegmenterModel, DamagedFilesAreRefused) {
  const std::string& good = Model();
  ASSERT_TRUE(SegmenterModel::Recognise(good));
  const auto code = [](const std::string& bytes) {
    try {
      SegmenterModel::Parse(bytes, "model");
      return std::string("accepted");
    } catch (const Error& error) {
      return error.code() == Code::kCorrupt       ? std::string("corrupt")
             : error.code() == Code::kUnsupported ? "unsupported"
                                                  : "other";
    }
  };
  EXPECT_EQ(code(""), "corrupt");
  for (size_t size = 0; size < good.size(); size += 1 + size / 3) EXPECT_EQ(code(good.substr(0, size)), "corrupt");
  EXPECT_EQ(code(good.substr(0, good.size() - 1)), "corrupt");
  EXPECT_EQ(code(good + "x"), "corrupt");
  Rng rng(1);
  for (int i = 0; i < 200; ++i) {  // the checksum sees every bit
    std::string bad = good;
    bad[rng.Below(bad.size())] ^= static_cast<char>(1 << rng.Below(8));
    EXPECT_NE(code(bad), "accepted");
  }
  std::string later = good;
  later[8] = 2;
  Seal(&later);
  EXPECT_EQ(code(later), "unsupported");
  // A forged checksum does not help: counts, order and sums are looked at.
  const SegmenterWeights weights = SegmenterModel::Parse(good, "model")->weights();
  const auto forged = [&](auto change) {
    SegmenterWeights changed = weights;
    change(changed);
    return code(SegmenterModel::Serialise(changed));
  };
  EXPECT_EQ(forged([](auto&) {}), "accepted");
  EXPECT_EQ(forged([](auto& w) { w.pairs.pop_back(); }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.types.pop_back(); }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.symbols.pop_back(); }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { std::swap(w.pair_keys[0], w.pair_keys[1]); }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.skip_keys[1] = w.skip_keys[0]; }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.triples[0][1][2] = 32000; }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.characters[0] = 0x110000; }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.same.emplace_back(U'愛', 0xFFFF); }), "corrupt");
  EXPECT_EQ(forged([](auto& w) { w.scale = 0; }), "corrupt");
}

}  // namespace
}  // namespace atelier::text
