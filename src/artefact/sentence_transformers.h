// A BERT encoder as sentence-transformers and Hugging Face lay it out, packed in one zip archive, as GGUF without loss:
// config.json, tokenizer.json, model.safetensors and, where they are there, modules.json and 1_Pooling/config.json.
// Texts may be as long as the model has positions, also where sentence_bert_config.json would cut them before.
#pragma once

#include <string>
#include <string_view>

namespace atelier::artefact {

// Reads the archive `from` and writes `to` atomically; the same input gives the same bytes. `name` and `licence` are
// for the file's metadata. Weights keep their type (F32, F16, BF16), the pooler is left out. Throws kCorrupt,
// kNotFound, kInvalidInput and kUnsupported that name the file, the member and what is wrong.
void ConvertSentenceTransformers(const std::string& from, std::string_view name, std::string_view licence,
                                 const std::string& to);

}  // namespace atelier::artefact
