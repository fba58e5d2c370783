// Archives of sentence-transformers: whatever the bytes, converting throws Error or gives a GGUF file that opens. The
// first byte chooses what the bytes are: the archive itself, or one member of a sound one.
#include <unistd.h>
#include <zip.h>

#include <cstdint>
#include <cstdlib>
#include <map>

#include "artefact/gguf.h"
#include "artefact/sentence_transformers.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

using namespace atelier;  // NOLINT: a fuzz target

namespace {

const std::string kFolder = Cat("/dev/shm/sentence_transformers_fuzz_", ::getpid());

void WriteArchive(const std::map<std::string, std::string_view>& members, const std::string& path) {
  int why = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &why);
  for (const auto& [name, bytes] : members) {
    const zip_int64_t at = zip_file_add(zip, name.c_str(), zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
    zip_set_file_compression(zip, static_cast<zip_uint64_t>(at), ZIP_CM_STORE, 0);
  }
  if (zip_close(zip) != 0) std::abort();
}

constexpr std::string_view kConfig =
    R"({"hidden_size":2,"num_hidden_layers":1,"num_attention_heads":1,"intermediate_size":2,)"
    R"("max_position_embeddings":2,"vocab_size":4})";
constexpr std::string_view kTokenizer =
    R"({"normalizer":{"type":"BertNormalizer"},"pre_tokenizer":{"type":"BertPreTokenizer"},"model":)"
    R"({"type":"WordPiece","unk_token":"[UNK]","vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3}}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  MakeFolders(kFolder);
  const std::string archive = kFolder + "/model.zip", target = kFolder + "/model.gguf";
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::map<std::string, std::string_view> members = {
      {"config.json", kConfig}, {"tokenizer.json", kTokenizer}, {"model.safetensors", ""}};
  switch (data[0] % 6) {
    case 0: members["config.json"] = bytes; break;
    case 1: members["tokenizer.json"] = bytes; break;
    case 2: members["model.safetensors"] = bytes; break;
    case 3: members["1_Pooling/config.json"] = bytes; break;
    case 4: members["modules.json"] = bytes; break;
    default: members.clear();
  }
  if (members.empty()) {
    WriteFileAtomic(archive, bytes);
  } else {
    WriteArchive(members, archive);
  }
  try {
    artefact::ConvertSentenceTransformers(archive, "fuzz", "none", target);
  } catch (const Error& error) {
    if (error.code() == Code::kInternal || error.Line().find('\n') != std::string::npos) std::abort();
    return 0;
  }
  artefact::GgufFile::Open(target);
  RemoveFile(target);
  return 0;
}
