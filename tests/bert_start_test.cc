// A model that begins with an encoder is that encoder: what our own engine embeds, LibTorch embeds alike.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "artefact/embedder.h"
#include "artefact/gguf_tokenizer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"
#include "model/bert_start.h"
#include "runtime/local_embedder.h"
#include "train/token_rows.h"

namespace atelier {
namespace {

const std::vector<std::string> kTexts = {
    "手冲咖啡壶，304不锈钢，细口壶嘴，600毫升",
    "物流很快，包装完好，五星好评！",
    "屏幕有划痕，客服也不回复，太失望了。",
    "酒店位置不错，就是隔音差，早餐一般。",
    "書的內容很豐富，推薦給初學者。",
    "床前明月光，疑是地上霜。",
    "好",
    "🙂🙂🙂",
    "价格128元 vs $19.99, 哪个划算?",
    "ＡＢＣ１２３　全角",
    "A pour-over kettle with a gooseneck spout.",
    "Terrible. Broke after two days; refund refused.",
    "The quick brown fox jumps over the lazy dog",
    "naïve café Zürich Ångström",
    "SELECT * FROM reviews WHERE stars < 2;",
    "x",
    "Deep learning models are trained with gradient descent on large data sets, which takes time and patience.",
    "I don't think it's worth it -- but my sister loves it!!!",
    "混合 English and 中文 in one sentence，没问题。",
    "http://example.com/?q=%E5%92%96%E5%95%A1",
};

void EmbedsAsTheEngineDoes(const std::string& name, int64_t layers, const std::string& prefix, double least_cosine) {
  const std::string path = Cat(AtelierHome(), "/models/", name, ".gguf");
  ASSERT_TRUE(FileExists(path)) << "`atelier model pull " << name << "` fetches it; ./dev test does";
  const auto engine = runtime::LoadEmbedder(path, "", "", 1);
  const auto expected = engine->Embed(kTexts, artefact::Embedder::Role::kPassage, nullptr);
  const auto ids = engine->ReadTokens(kTexts, artefact::Embedder::Role::kPassage);

  model::DataShape shape;
  shape.start.file = path;
  model::ReadStart(&shape.start);
  EXPECT_EQ(shape.start.layers, layers);
  EXPECT_EQ(shape.start.width, 384);
  shape.vocabulary = shape.start.vocabulary;
  Table table = Table::Parse("", "test.toml");
  const model::BertConfig config = model::ReadBertConfig(table, shape);
  model::BertEncoder encoder(config);
  encoder.eval();
  const torch::NoGradGuard no_gradient;

  // The rows that training makes of the same text are the engine's tokens.
  const auto tokenizer = text::MakeTokenizer(artefact::SpecFromGguf(*artefact::GgufFile::Open(path)));
  const train::SpecialIds special = train::FindSpecialIds(*tokenizer);
  EXPECT_GE(special.mask, 0);
  train::DataSettings data;
  train::TokenRows rows;
  std::vector<int64_t> all;
  for (size_t i = 0; i < kTexts.size(); ++i) {
    train::Fit fit;
    const std::vector<int32_t> row = train::EncodeRow(Cat(prefix, kTexts[i]), data, *tokenizer, special, &fit);
    EXPECT_EQ(row, ids[i].ids) << kTexts[i];
    rows.Add(row, static_cast<int64_t>(i));
    all.push_back(static_cast<int64_t>(i));
  }
  const model::Batch batch = rows.Lay(all, special.padding);
  const model::RaggedRows laid = encoder.Lay(batch);
  const torch::Tensor ours = model::BertEncoder::Mean(encoder.Encode(batch, laid), laid);
  double least = 1;
  for (size_t i = 0; i < kTexts.size(); ++i) {
    const torch::Tensor theirs =
        torch::from_blob(const_cast<float*>(expected.data()) + i * 384, {384}, torch::kFloat32);
    const double cosine = torch::cosine_similarity(ours[static_cast<int64_t>(i)], theirs, 0).item<double>();
    EXPECT_GT(cosine, least_cosine) << kTexts[i];
    least = std::min(least, cosine);
  }
  ::testing::Test::RecordProperty("least_cosine", std::to_string(least));
}

// Of 4-bit weights the engine computes products with 8-bit activations.
TEST(BertStart, E5EmbedsAsTheEngineDoes) { EmbedsAsTheEngineDoes("e5-small", 12, "passage: ", 0.999); }

TEST(BertStart, MiniLmEmbedsAsTheEngineDoes) { EmbedsAsTheEngineDoes("minilm", 6, "", 0.99999); }

TEST(BertStart, RefusesAnotherArchitecture) {
  model::StartShape start;
  start.file = "/nowhere.gguf";
  EXPECT_THROW(model::ReadStart(&start), Error);
}

}  // namespace
}  // namespace atelier
