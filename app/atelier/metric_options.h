// A metric's settings (evaluate/reference_metric.h) as options of the command line.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "app/atelier/command.h"
#include "app/atelier/segmenter_option.h"
#include "base/str.h"
#include "evaluate/reference_metric.h"

namespace atelier::app {

class MetricOptions : public evaluate::MetricSettings {
 public:
  // `words`: what a metric's words come from, when they are wanted.
  MetricOptions(Cli& cli, SegmenterOption* segmenter, evaluate::WordSourceFn words)
      : cli_(cli), segmenter_(segmenter), words_(std::move(words)) {}
  void Choice(const std::string& name, std::string* value, const std::vector<std::string>& choices,
              const std::string& help) override {
    cli_.Text("--" + name, value, Cat(help, ": ", Join(choices, ", "), " (default ", *value, ")"));
  }
  void Text(const std::string& name, std::string* value, const std::string& help) override {
    cli_.Text("--" + name, value, help);
  }
  void Flag(const std::string& name, bool* value, const std::string& help) override {
    cli_.Flag("--" + name, value, help);
  }
  void Int(const std::string& name, int64_t* value, const std::string& help, int64_t least, int64_t most) override {
    cli_.Int("--" + name, value, help, least, most);
  }
  void Number(const std::string& name, std::optional<double>* value, const std::string& help, double least,
              double most) override {
    cli_.Double("--" + name, value, help, least, most);
  }
  void Words(evaluate::WordSourceFn* words) override {
    segmenter_->Declare(cli_);
    *words = words_;
  }

 private:
  Cli& cli_;
  SegmenterOption* segmenter_;
  evaluate::WordSourceFn words_;
};

}  // namespace atelier::app
