// What the commands that write a smaller copy of a model share: model and file, a text to calibrate on, and how far the
// copy is from the model on another.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/atelier/command.h"
#include "artefact/generator.h"
#include "artefact/gguf.h"
#include "artefact/registry.h"
#include "base/json.h"
#include "evaluate/divergence.h"
#include "runtime/importance.h"

namespace atelier::app {

class SmallerCopy {
 public:
  void Declare(Cli& cli);
  // Opens the model and reads the texts. Throws for all that could keep the copy from being made or compared.
  void Open(const Globals& globals);
  bool has_calibration() const { return !calibration_.empty(); }
  // Null without a text.
  const runtime::Importance* importance() const { return importance_ ? &*importance_ : nullptr; }
  const artefact::GgufFile& file() const { return *file_; }
  const artefact::ModelEntry& entry() const { return entry_; }
  const std::string& out() const { return out_; }
  int threads() const { return static_cast<int>(threads_); }
  // Once the copy is there: reads the text with both, and lets both write. Nothing where no text was given.
  void Compare(const Globals& globals);
  void AddTo(Json* out) const;  // "comparison"
  // For people, how large both are, that `again` matrices were quantised before, and the comparison where there is one.
  std::string Ending(uint64_t bytes_before, uint64_t bytes_after, int64_t again) const;

 private:
  struct Comparison {
    // Token by token where both have the same tokens, else what each text's byte costs.
    std::optional<evaluate::Divergence> divergence;
    double original_bits = 0, copy_bits = 0;  // per byte
    double original_tps = 0, copy_tps = 0;
  };
  class Unpacked;

  std::string model_, out_, calibration_, evaluate_;
  int64_t context_ = 512, threads_ = 0;
  bool overwrite_ = false;
  std::shared_ptr<Unpacked> unpacked_;
  artefact::ModelEntry entry_;
  std::shared_ptr<const artefact::GgufFile> file_;
  std::shared_ptr<artefact::Generator> original_;  // where something is to be compared
  std::string text_;
  std::optional<runtime::Importance> importance_;
  std::optional<Comparison> comparison_;
};

}  // namespace atelier::app
