#include "base/hash.h"

#include <openssl/evp.h>
#include <xxhash.h>

#include "base/file.h"

namespace atelier {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) { EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr); }
Sha256::~Sha256() = default;

void Sha256::Update(std::string_view data) { EVP_DigestUpdate(state_->context, data.data(), data.size()); }

std::string Sha256::Hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest, &size);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex.push_back(kDigits[digest[i] >> 4]);
    hex.push_back(kDigits[digest[i] & 15]);
  }
  return hex;
}

std::string Sha256Hex(std::string_view data) {
  Sha256 hash;
  hash.Update(data);
  return hash.Hex();
}

std::string Sha256HexOfFile(const std::string& path) {
  // Not a map: its pages would count as memory in use.
  Sha256 hash;
  ReadPieces(path, [&](std::string_view piece) { hash.Update(piece); });
  return hash.Hex();
}

uint64_t Hash64(std::string_view data, uint64_t seed) { return XXH64(data.data(), data.size(), seed); }

}  // namespace atelier
