// Content-addressed files: bytes are stored under their SHA-256, written once, checked whenever they are read.
#pragma once

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
  // FOLDER/ab/cdef...: where the object is or would be.
  std::string Path(std::string_view hash) const;

 private:
  std::string folder_;
};

}  // namespace atelier::store
