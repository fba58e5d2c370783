// What the data commands print alike.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "app/atelier/command.h"
#include "base/progress.h"
#include "base/str.h"
#include "data/manifest.h"

namespace atelier::app {

// Name, counts and the table of fields, on standard output.
void PrintVersion(const data::Manifest& manifest);

// The language of a page, "zh" or "en": as --lang says, else by LANG. Throws kUsage for another.
std::string PageLanguage(const std::string& said);

// A bar for each stage of work on a dataset, one after the other.
class Stages {
 public:
  Stages(std::string dataset, const Globals& globals)
      : dataset_(std::move(dataset)), quiet_(globals.quiet || globals.json) {}

  ProgressFn operator()(std::string_view stage) {
    const bool items = stage == "comparing";
    bar_ = std::make_unique<Progress>(Cat(dataset_, ", ", stage), items ? ProgressUnit::kItems : ProgressUnit::kBytes,
                                      quiet_);
    return bar_->Callback();
  }
  void End() { bar_.reset(); }  // before anything else is printed

 private:
  std::string dataset_;
  bool quiet_;
  std::unique_ptr<Progress> bar_;
};

}  // namespace atelier::app
