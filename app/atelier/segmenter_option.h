// --segmenter and --user-dict, for every command that cuts text into words.
#pragma once

#include <memory>
#include <string>

#include "app/atelier/command.h"
#include "text/segmenter.h"

namespace atelier::app {

class SegmenterOption {
 public:
  void Declare(Cli& cli);
  // "auto": the model segmenter-zh where it has been pulled, else ICU's. Throws Error for a model that is not here, a
  // file that is no segmenter, or a dictionary that cannot be read.
  std::unique_ptr<text::Segmenter> Load(const Globals& globals);
  const std::string& name() const { return name_; }  // what was loaded: "segmenter-zh", "icu" ...

 private:
  std::string choice_ = "auto", dictionary_, name_;
};

}  // namespace atelier::app
