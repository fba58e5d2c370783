#include "model/zoo.h"

#include "base/str.h"

namespace atelier::model {

std::shared_ptr<Model> MakeGpt(Table& config, const DataShape& shape);          // gpt.cc
std::shared_ptr<Model> MakeLstmLm(Table& config, const DataShape& shape);       // recurrent_lm.cc
std::shared_ptr<Model> MakeGruLm(Table& config, const DataShape& shape);        // recurrent_lm.cc
std::shared_ptr<Model> MakeSeq2Seq(Table& config, const DataShape& shape);      // seq2seq.cc
std::shared_ptr<Model> MakeTransformer(Table& config, const DataShape& shape);  // transformer.cc

std::span<const Architecture> AllArchitectures() {
  static const std::vector<Architecture> list = {
      {"gpt", "Transformer language model (Llama's or GPT-2's form)", DataKind::kTokens, &MakeGpt},
      {"lstm", "recurrent language model of LSTM layers", DataKind::kTokens, &MakeLstmLm},
      {"gru", "recurrent language model of GRU layers", DataKind::kTokens, &MakeGruLm},
      {"seq2seq", "LSTM encoder and decoder with attention (Bahdanau's or Luong's)", DataKind::kPairs, &MakeSeq2Seq},
      {"transformer", "Transformer encoder and decoder", DataKind::kPairs, &MakeTransformer},
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
