// Content-addressed files: bytes are stored under their SHA-256, written once, checked whenever they are read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::store {

class Objects {
 public:
  explicit Objects(std::string folder) : folder_(std::move(folder)) {}

  // The bytes' SHA-256 (64 hex digits). Atomic; the same bytes twice are stored once; a damaged copy is replaced.
  std::string Put(std::string_view bytes) const;
  // Throws kNotFound, kCorrupt when the stored bytes are not those that the hash says, kInvalidInput for no hash.
  std::string Get(std::string_view hash) const;
  bool Has(std::string_view hash) const;
  // Those that are here, sorted.
  std::vector<std::string> Hashes() const;
  // Whether the stored bytes are those that the hash says; streamed. Throws as Path and for what cannot be read.
  bool IsSound(std::string_view hash) const;
  uint64_t Size(std::string_view hash) const;
  // Returns its bytes; 0 where it is not here. Whoever removes must know that nothing refers to it (data/collect.h).
  uint64_t Remove(std::string_view hash) const;
  // What writers that died had begun; returns its bytes. REQUIRES: nobody puts anything meanwhile.
  uint64_t RemoveHalves(bool dry = false) const;
  // FOLDER/ab/cdef...: where the object is or would be.
  std::string Path(std::string_view hash) const;

 private:
  std::string folder_;
};

}  // namespace atelier::store
