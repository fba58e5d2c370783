// A language model as Hugging Face lays it out, a folder, as GGUF without loss: config.json, model.safetensors (or its
// shards with model.safetensors.index.json), tokenizer.json, tokenizer_config.json and chat_template.jinja.
//
// Read are Llama, Mistral, Qwen2, Qwen3 (dense) and Gemma 3 (text), as far as their tokenizer.json is byte-level BPE
// (Llama 3, SmolLM, Qwen; not SentencePiece's, as Llama 2 and Gemma have it). The normal form NFC that Qwen's asks for
// is left to the texts, as GGUF files leave it. Matrices keep their type (F32, F16, BF16), vectors become F32. What the
// engine could not compute exactly is refused: another activation, biases where the family has none, a tensor that is
// not of the architecture.
#pragma once

#include <string>
#include <string_view>

namespace atelier::artefact {

// Whether a path is a folder of that kind.
bool IsHfFolder(const std::string& path);

// Writes `to` atomically; the same folder gives the same bytes. `name` and `licence` are for the file's metadata.
// Throws kCorrupt, kNotFound, kInvalidInput and kUnsupported that name the file and what is wrong.
void ConvertHfDecoder(const std::string& folder, std::string_view name, std::string_view licence,
                      const std::string& to);

}  // namespace atelier::artefact
