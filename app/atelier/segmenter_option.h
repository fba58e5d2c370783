// --segmenter and --user-dict, for every command that cuts text into words.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "app/atelier/command.h"
#include "evaluate/reference_metric.h"
#include "text/segmenter.h"

namespace atelier::app {

class SegmenterOption {
 public:
  SegmenterOption() = default;
  SegmenterOption(std::string choice, std::string dictionary)
      : choice_(std::move(choice)), dictionary_(std::move(dictionary)) {}
  void Declare(Cli& cli);
  // "auto": the model segmenter-zh where it has been pulled, else ICU's. Throws Error for a model that is not here, a
  // file that is no segmenter, or a dictionary that cannot be read.
  std::unique_ptr<text::Segmenter> Load(const Globals& globals);
  const std::string& name() const { return name_; }  // what was loaded: "segmenter-zh", "icu" ...
  // The same for a metric, its name with a hash of the dictionary's bytes: "icu+dict-90a3f1c26b7d".
  evaluate::WordSource LoadWords(const Globals& globals);

 private:
  std::string choice_ = "auto", dictionary_, name_, dictionary_id_;
};

}  // namespace atelier::app
