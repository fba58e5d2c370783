#include "model/zoo.h"

#include "base/str.h"

namespace atelier::model {

std::shared_ptr<Model> MakeGpt(Table& config, const DataShape& shape);                  // gpt.cc
std::shared_ptr<Model> MakeLstmLm(Table& config, const DataShape& shape);               // recurrent_lm.cc
std::shared_ptr<Model> MakeGruLm(Table& config, const DataShape& shape);                // recurrent_lm.cc
std::shared_ptr<Model> MakeSeq2Seq(Table& config, const DataShape& shape);              // seq2seq.cc
std::shared_ptr<Model> MakeTransformer(Table& config, const DataShape& shape);          // transformer.cc
std::shared_ptr<Model> MakeFastText(Table& config, const DataShape& shape);             // fasttext.cc
std::shared_ptr<Model> MakeTextCnn(Table& config, const DataShape& shape);              // text_cnn.cc
std::shared_ptr<Model> MakeRecurrentClassifier(Table& config, const DataShape& shape);  // recurrent_classifier.cc
std::shared_ptr<Model> MakeBertMasked(Table& config, const DataShape& shape);           // bert_heads.cc
std::shared_ptr<Model> MakeBertClassifier(Table& config, const DataShape& shape);       // bert_heads.cc
std::shared_ptr<Model> MakeBertTagger(Table& config, const DataShape& shape);           // bert_heads.cc
std::shared_ptr<Model> MakeBertRanker(Table& config, const DataShape& shape);           // bert_ranker.cc
std::shared_ptr<Model> MakeMlpGan(Table& config, const DataShape& shape);               // mlp_gan.cc
std::shared_ptr<Model> MakeVae(Table& config, const DataShape& shape);                  // vae.cc
std::shared_ptr<Model> MakePretrained(Table& config, const DataShape& shape);           // pretrained.cc

DataKind DataOfPretrained(Table& config);  // pretrained.cc

std::span<const Architecture> AllArchitectures() {
  static const std::vector<Architecture> list = {
      {"gpt", "Transformer language model (Llama's or GPT-2's form)", DataKind::kTokens, &MakeGpt},
      {"lstm", "recurrent language model of LSTM layers", DataKind::kTokens, &MakeLstmLm},
      {"gru", "recurrent language model of GRU layers", DataKind::kTokens, &MakeGruLm},
      {"seq2seq", "LSTM encoder and decoder with attention (Bahdanau's or Luong's)", DataKind::kPairs, &MakeSeq2Seq},
      {"transformer", "Transformer encoder and decoder", DataKind::kPairs, &MakeTransformer},
      {"fasttext", "linear classifier over hashed n-grams", DataKind::kLabelled, &MakeFastText},
      {"text_cnn", "convolutions over words", DataKind::kLabelled, &MakeTextCnn},
      {"recurrent_classifier", "LSTM or GRU in both directions", DataKind::kLabelled, &MakeRecurrentClassifier},
      {"bert_masked", "BERT, learning hidden words", DataKind::kMasked, &MakeBertMasked, true},
      {"bert_classifier", "BERT, a text's class", DataKind::kLabelled, &MakeBertClassifier, true},
      {"bert_tagger", "BERT, a class for every word", DataKind::kTagged, &MakeBertTagger, true},
      {"bert_ranker", "BERT, which of several texts people take", DataKind::kChoices, &MakeBertRanker, true},
      {"mlp_gan", "pictures by two perceptrons against each other", DataKind::kPictures, &MakeMlpGan},
      {"vae", "pictures by a variational autoencoder", DataKind::kPictures, &MakeVae},
      {"decoder", "a language model of the engine's, tuned by low-rank adapters", DataKind::kReplies, &MakePretrained,
       true, &DataOfPretrained},
  };
  return list;
}

const Architecture& FindArchitecture(std::string_view name, const Table& where) {
  std::vector<std::string> names;
  for (const Architecture& one : AllArchitectures()) {
    if (one.name == name) return one;
    names.emplace_back(one.name);
  }
  where.Refuse("architecture", Cat(Quote(name), " is not an architecture"), Cat("it is one of ", Join(names, ", ")));
}

}  // namespace atelier::model
