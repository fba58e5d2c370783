// Hashes: SHA-256 for what is stored and compared between machines, xxHash-64 for look-up and goldens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace atelier {

std::string Sha256Hex(std::string_view data);
std::string Sha256HexOfFile(const std::string& path);  // streamed
uint64_t Hash64(std::string_view data, uint64_t seed = 0);

// SHA-256 of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void Update(std::string_view data);
  std::string Hex();  // once

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace atelier
